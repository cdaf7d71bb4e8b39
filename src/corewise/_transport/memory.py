"""Unnamed memory that two processes can map (Linux): the kernel frees it when nobody holds it, whatever dies.

Pages are reserved while a block is filled, by `write` and `fallocate`, which report that memory is short. A page that
is first touched through a mapping would end the process instead (SIGBUS). Nobody ever makes a block smaller, for the
same reason.

The C library is called by `ctypes`, because an `mmap` object keeps a descriptor open for as long as it lives (Python
3.13 can be told not to), and a parent has several blocks for each of its workers.
"""

from __future__ import annotations

import mmap
import os
import sys
from io import FileIO

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Any

# From this size on, private memory is asked for in huge pages. In benchmarks/results/transport.json ("copying out")
# results that are kept are copied four times faster that way from 2 MiB on; at 1 MiB it makes no difference.
HUGE_FROM_BYTES = 1 << 21
if sys.platform == "win32":  # has none of these, and nothing here is called there
    _SHARED = _PRIVATE = _ANONYMOUS = _READ_WRITE = 0
else:
    _SHARED, _PRIVATE, _ANONYMOUS = mmap.MAP_SHARED, mmap.MAP_PRIVATE, mmap.MAP_ANONYMOUS
    _READ_WRITE = mmap.PROT_READ | mmap.PROT_WRITE
_FIXED = 0x10  # MAP_FIXED of Linux
_NO_ADDRESS = (1 << 64) - 1 if sys.maxsize > 1 << 32 else (1 << 32) - 1


_ONLY_LINUX = "memory without a name that can be sent is had on Linux only"


class _Library:
    """The C library's calls, loaded when the first block is mapped: `ctypes` takes 3 ms."""

    def __init__(self) -> None:
        import ctypes

        self.ctypes = ctypes
        library = ctypes.CDLL(None, use_errno=True)
        self.mmap = library.mmap
        self.mmap.restype = ctypes.c_void_p
        self.mmap.argtypes = [
            ctypes.c_void_p,
            ctypes.c_size_t,
            ctypes.c_int,
            ctypes.c_int,
            ctypes.c_int,
            ctypes.c_long,
        ]
        self.munmap = library.munmap
        self.munmap.argtypes = [ctypes.c_void_p, ctypes.c_size_t]


_loaded: list[_Library] = []


def _library() -> _Library:
    if not _loaded:
        try:
            _loaded.append(_Library())
        except ImportError as error:  # it needs a descriptor while it is loaded
            raise OSError(f"ctypes could not be loaded: {error}") from error
    return _loaded[0]


class Mapping:
    """A block as this process sees it.

    Args:
        fd: its descriptor, which is not needed any more afterwards.
        size: how many bytes.
        private: whether what is written stays here: a page is copied when it is first written to. Default: shared with
            whoever else maps it.

    Raises:
        OSError: when the process may map no more.
    """

    __slots__ = ("_address", "_alone", "_array", "size")

    def __init__(self, fd: int, size: int, *, private: bool = False) -> None:
        library = _library()
        self._address: int | None = None
        self.size = size
        self._address = _mapped(None, size, _PRIVATE if private else _SHARED, fd)
        self._array: Any = (library.ctypes.c_char * size).from_address(self._address)
        self._alone = sys.getrefcount(self._array)

    def view(self) -> memoryview:
        """Return its bytes, to read and to write."""
        return memoryview(self._array).cast("B")

    @property
    def in_use(self) -> bool:
        """Whether any view is left, or a view of a view, or an object that was made on one.

        All of them hold the array. No finalizer would do: the garbage collector runs those of a ring before it knows
        whether another finalizer of the ring brings it back to life.
        """
        return sys.getrefcount(self._array) > self._alone

    def is_untouched(self) -> bool:
        """Whether no page of a private mapping has been written to; False where the kernel does not tell.

        Reading what it knows of 64 MiB takes 0.7 ms, and finding those pages anew in a fresh mapping 4 ms.
        """
        pages = -(-self.size // mmap.PAGESIZE)
        known = _page_flags((self._address or 0) // mmap.PAGESIZE, pages)
        return len(known) == pages and not known.translate(None, _UNTOUCHED)

    def make_private(self, fd: int) -> None:
        """Put a private copy in its place, page by page as they are written to. Views stay as they are.

        Raises:
            OSError: when the process may map no more.
        """
        _mapped(self._address, self.size, _PRIVATE | _FIXED, fd)

    def close(self) -> None:
        """Unmap it, unless it is in use: then it stays for as long as the process lives. Twice is no error."""
        if self._address is not None and not self.in_use:
            del self._array
            _library().munmap(self._address, self.size)
            self._address = None


# Of each page the kernel tells 64 bits; the highest are: in memory, swapped out, of a file (so not a private copy).
_IN_MEMORY, _SWAPPED, _OF_A_FILE = 0x80, 0x40, 0x20
_UNTOUCHED = bytes(flags for flags in range(256) if flags & _OF_A_FILE or not flags & (_IN_MEMORY | _SWAPPED))


def _page_flags(first: int, count: int) -> bytes:
    """Return the highest eight of those bits for some pages of this process; fewer where the kernel does not say."""
    if sys.platform != "linux":
        return b""
    try:
        with FileIO("/proc/self/pagemap") as file:
            # The file is of numbers in the machine's own order of bytes.
            return os.pread(file.fileno(), 8 * count, 8 * first)[7 if sys.byteorder == "little" else 0 :: 8]
    except OSError:
        return b""


def _mapped(address: int | None, size: int, flags: int, fd: int) -> int:
    library = _library()
    got = library.mmap(address, size, _READ_WRITE, flags, fd, 0)
    if got is None or got == _NO_ADDRESS:
        number = library.ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return int(got)


def filled(size: int, parts: Iterable[tuple[int, memoryview]]) -> int:
    """Return the descriptor of a new block that holds these parts.

    A new block is written to by `pwrite` rather than through a mapping, whose page faults take twice as long
    (benchmarks/results/transport.json, "a new block").

    Args:
        size: how many bytes to reserve.
        parts: from which byte on, and what; in ascending order.

    Raises:
        OSError: when there is no descriptor or no memory for it.
    """
    if sys.platform != "linux":
        raise OSError(_ONLY_LINUX)
    fd = os.memfd_create("corewise", os.MFD_CLOEXEC)
    try:
        end = 0
        for begin, part in parts:
            at = 0
            while at < len(part):
                at += os.pwrite(fd, part[at:], begin + at)
            end = begin + at
        if end < size:
            os.posix_fallocate(fd, end, size - end)
    except BaseException:
        os.close(fd)
        raise
    return fd


def tells_pages_apart() -> bool:
    """Whether the kernel tells which pages of a private mapping were written to. Seen by trying."""
    try:
        fd = filled(2 * mmap.PAGESIZE, [(0, memoryview(bytes(2 * mmap.PAGESIZE)))])
        try:
            trial = Mapping(fd, 2 * mmap.PAGESIZE, private=True)
        finally:
            os.close(fd)
    except OSError:
        return False
    trial.view().tobytes()
    untouched = trial.is_untouched()
    trial.view()[mmap.PAGESIZE] = 1
    touched = not trial.is_untouched()
    trial.close()
    return untouched and touched


def read(fd: int, size: int) -> memoryview:
    """Return a copy of what is in a block, in memory of this process alone.

    Raises:
        OSError: when it cannot be read.
        MemoryError: when there is no memory for it.
    """
    if sys.platform != "linux":
        raise OSError(_ONLY_LINUX)
    copy = private_memory(size)
    at = 0
    while at < size:
        at += os.preadv(fd, [copy[at:]], at)
    return copy


def private_memory(size: int) -> memoryview:
    """Return fresh memory of this process alone.

    Raises:
        MemoryError: when there is none.
    """
    if size < HUGE_FROM_BYTES or sys.platform != "linux":
        return memoryview(bytearray(size))
    return memoryview(private_pages(size))


def private_pages(size: int) -> mmap.mmap:
    """Return fresh memory of this process alone, in huge pages where there are such.

    Raises:
        MemoryError: when there is none.
    """
    if sys.platform != "linux":
        raise MemoryError(_ONLY_LINUX)
    try:
        fresh = mmap.mmap(-1, size, _PRIVATE | _ANONYMOUS)
    except OSError as error:
        raise MemoryError(f"no memory for {size} bytes") from error
    try:
        fresh.madvise(mmap.MADV_HUGEPAGE)
    except OSError:  # a kernel without them
        pass
    return fresh


def private_copy(view: memoryview) -> bytearray | memoryview:
    """Return a copy in memory of this process alone.

    Raises:
        MemoryError: when there is none.
    """
    if len(view) < HUGE_FROM_BYTES:
        return bytearray(view)
    copy = private_memory(len(view))
    copy[:] = view
    return copy


def address_of(view: memoryview) -> int:
    """Return where in memory a view in one piece begins, whether it may be written to or not.

    Raises:
        OSError: when `ctypes` cannot be loaded for it.
    """
    ctypes = _library().ctypes
    buffer = (ctypes.c_void_p * 16)()  # a Py_buffer, which begins with the address, and some room to spare
    ctypes.pythonapi.PyObject_GetBuffer(ctypes.py_object(view), buffer, 0)
    address = int(buffer[0] or 0)
    ctypes.pythonapi.PyBuffer_Release(buffer)
    return address


def machine_bytes() -> int:
    """Return how much memory the machine has; 0 where the system does not tell, or has no blocks."""
    if sys.platform == "win32":
        return 0
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError):
        return 0
