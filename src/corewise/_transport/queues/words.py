"""Where everything stands in the first pages of a queue's memory, and who may write what.

```
 byte 0     the words of those who get: written under the lock of getting
 byte 64    the words of those who put: written under the lock of putting
 byte 128   where index and ring are: written under both locks, the version last
 byte 256   the lock of putting
 byte 384   the lock of getting
 byte 4096  who holds items of a `JoinableQueue`: written under the lock of getting
```

A word is 8 bytes, written by one store. What a killed process has not committed by its last store (`TAIL`, `HEAD` or
`LAYOUT`) has not happened.
"""

from __future__ import annotations

CONTROL_BYTES = 1 << 14

HEAD = 0  # items that were ever taken out
PUTTERS_ASLEEP = 1  # somebody may be asleep until there is room
ROOM_RUNG = 2  # the bell of those may be ringing
DONE = 3  # items of which `task_done` was told, or whose holder has died
JOINERS_ASLEEP = 4  # somebody may be asleep until all are done
DONE_RUNG = 5  # the bell of those may be ringing
LOST = 6  # items whose holder has died
HOLDERS_USED = 7  # how many of the places for holders were ever taken

TAIL = 8  # items that were ever put in
GETTERS_ASLEEP = 9  # somebody may be asleep until there is an item
ITEMS_RUNG = 10  # the bell of those may be ringing
CLOSED = 11  # the process that has closed the queue; 0 while it is open
SPARE_PUTS = 12  # puts in a row that needed a small part of the ring only

LAYOUT = 16  # version of the layout; its last bit says which of the two records below is valid
LAYOUTS = 18  # two records of LAYOUT_WORDS: where the index begins, how many slots it has, how many bytes the ring has
LAYOUT_WORDS = 3

PUTTING_AT = 256
GETTING_AT = 384
HOLDERS = 4096 // 8
HOLDER_WORDS = 3  # process id, when it was started, items it has taken out and not told to be done
HOLDER_COUNT = (CONTROL_BYTES - 4096) // (8 * HOLDER_WORDS)
