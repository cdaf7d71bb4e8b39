"""Finds the fenced code blocks of a Markdown file, with the remarks that steer how the tests run them.

A remark is an HTML comment on the line before the fence:

- `<!-- continues -->`: the block goes on with the program of the Python block before it;
- `<!-- output -->`: the block is what the Python block before it prints, to the letter;
- `<!-- not run: reason -->`: the block is not run, and why.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from textwrap import dedent

FENCE = re.compile(r"^ *(?P<ticks>`{3,}) *(?P<language>[\w-]*)")
REMARK = re.compile(r"^ *<!-- (?P<text>continues|output|not run: .+) -->$")


@dataclass
class Block:
    """One fenced block.

    Args:
        language: The word after the opening fence; empty if there is none.
        line: Line number of the opening fence in its file, from 1.
        text: What stands between the fences, each line ended.
        remark: The remark before it; empty if there is none.
        earlier: For Python: the blocks that run before it in the same program, in order.
        output: For Python: what it must print; None if the page does not say.
    """

    language: str
    line: int
    text: str
    remark: str = ""
    earlier: list[Block] = field(default_factory=list)
    output: str | None = None


def blocks(markdown: str) -> list[Block]:
    """Every fenced block of `markdown`, in order.

    Raises:
        ValueError: If a fence is never closed, or a remark refers to a Python block that is not there.
    """
    found: list[Block] = []
    last_python: Block | None = None
    for block in _fenced(markdown.splitlines()):
        if block.remark in {"continues", "output"} and last_python is None:
            raise ValueError(f"line {block.line}: no Python block stands before this one")
        if block.remark == "output" and last_python is not None:
            last_python.output = block.text
        if block.remark == "continues" and last_python is not None:
            block.earlier = [*last_python.earlier, last_python]
        if block.language == "python":
            last_python = block
        found.append(block)
    return found


def program_of(block: Block, before_block: str) -> str:
    """The program of `block`: every line at its number in the file, so that tracebacks point there.

    `before_block` is a statement that runs just before the block itself; it takes the place of the opening fence.
    """
    lines: list[str] = []
    for part in [*block.earlier, block]:
        lines.extend([""] * (part.line - 1 - len(lines)))
        lines.append(before_block if part is block and block.earlier else "")
        lines.extend(part.text.splitlines())
    return "\n".join(lines) + "\n"


def _fenced(lines: list[str]) -> list[Block]:
    found: list[Block] = []
    number = 0
    while number < len(lines):
        opening = FENCE.match(lines[number])
        if opening is not None:
            start = number
            remark = REMARK.match(lines[start - 1]) if start else None
            number += 1
            while number < len(lines) and lines[number].strip() != opening["ticks"]:
                number += 1
            if number == len(lines):
                raise ValueError(f"line {start + 1}: this fence is never closed")
            text = dedent("".join(line + "\n" for line in lines[start + 1 : number]))
            found.append(Block(opening["language"], start + 1, text, remark["text"] if remark else ""))
        number += 1
    return found
