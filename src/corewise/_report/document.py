"""The comparison document in and out: made, checked, loaded and stored.

What is read may have been written by anybody, an older or a newer corewise, or an editor; so every key is checked
against the types in `corewise._types.comparison`, and an error names the key. Keys that are not known are kept and
not complained about.
"""

from __future__ import annotations

import json
import os

from corewise._report.shape import check_shape
from corewise._types.comparison import FORMAT, VERSION, Document
from corewise.errors import DocumentError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from corewise._types.advised import AdviceDocument
    from corewise._types.comparison import Case, LessonRow, Machine


def new_document(
    machine: Machine,
    cases: Sequence[Case],
    lesson: Sequence[LessonRow],
    version: str,
    *,
    created: str | None = None,
) -> Document:
    """Return a document of this format.

    Args:
        machine: facts of the machine that the cases were measured on.
        cases: the cases, with their words.
        lesson: the closing table; empty unless there are several cases.
        version: version of the corewise that measured.
        created: ISO 8601 time in UTC; now by default.

    Returns:
        The document.
    """
    if created is None:
        from datetime import UTC, datetime

        created = datetime.now(UTC).isoformat(timespec="seconds")
    return {
        "format": FORMAT,
        "version": VERSION,
        "corewise": version,
        "created": created,
        "machine": machine,
        "cases": list(cases),
        "lesson": list(lesson),
    }


def check(obj: object) -> Document:
    """Return an object as a document, after making sure that it is one.

    Args:
        obj: what a JSON file held.

    Returns:
        The same object.

    Raises:
        DocumentError: when it is something else, of a version that this corewise does not know, or when a key is
            missing or of the wrong type; the message names the key (``cases[0].rows[2].wall_s``).
    """
    if not isinstance(obj, dict) or obj.get("format") != FORMAT:
        raise DocumentError(f"this is no comparison document: {_format_words(obj)}")
    version = obj.get("version")
    if isinstance(version, bool) or not isinstance(version, int) or version < 1:
        raise DocumentError(f"version: expected a whole number from 1 on, found {version!r}")
    if version > VERSION:
        raise DocumentError(
            f"this document has version {version}, but this corewise reads versions up to {VERSION}; it was written by "
            f"corewise {obj.get('corewise', 'of an unknown version')}, so install that or a later one"
        )
    check_shape(obj, Document)
    document: Document = obj  # type: ignore[assignment] # that is what was just checked
    return document


def loads(text: str) -> Document:
    """Return the document that a JSON text holds.

    Raises:
        DocumentError: when the text is not JSON, or not a comparison document.
    """
    try:
        obj = json.loads(text, parse_constant=_refuse_constant)
    except RecursionError:
        raise DocumentError("this is no comparison document: it is nested too deeply") from None
    except json.JSONDecodeError as error:
        raise DocumentError(f"this is not JSON: {error.msg} in line {error.lineno}, column {error.colno}") from None
    return check(obj)


def load(path: str | os.PathLike[str]) -> Document:
    """Return the document that a file holds.

    Args:
        path: a file that `dump` wrote.

    Returns:
        The document.

    Raises:
        DocumentError: when the file cannot be read or holds no comparison document; the message names the file.
    """
    name = os.fspath(path)
    try:
        with open(name, encoding="utf-8-sig") as file:
            text = file.read()
    except OSError as error:
        raise DocumentError(f"cannot read {name}: {error.strerror or error}") from error
    except UnicodeDecodeError:
        raise DocumentError(f"cannot read {name}: it is no text in UTF-8") from None
    try:
        return loads(text)
    except DocumentError as error:
        raise DocumentError(f"{name}: {error}") from None


def dumps(document: Document | AdviceDocument) -> str:
    """Return a document as JSON text: keys in a fixed order, indented, with a newline at the end.

    Raises:
        ValueError: when a figure is not finite, which JSON cannot hold.
    """
    text = json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False, allow_nan=False)
    try:
        text.encode()
    except UnicodeEncodeError:  # half a surrogate pair, as in the name of a file that is not UTF-8
        text = json.dumps(document, indent=2, sort_keys=True, allow_nan=False)
    return text + "\n"


def dump(document: Document, path: str | os.PathLike[str]) -> None:
    """Store a document in a file, whole or not at all.

    The text is written beside the file and moved into its place, so that neither a crash nor a full disk leaves half
    a document or takes an older one away. A link is followed; a pipe or a device is written to directly.

    Args:
        document: the document.
        path: where to store it.

    Raises:
        OSError: when the file cannot be written.
        ValueError: when a figure is not finite.
    """
    write_text(dumps(document), path)


def write_text(text: str, path: str | os.PathLike[str]) -> None:
    """Write a text in UTF-8 to a file, whole or not at all; see `dump`."""
    target = os.path.realpath(os.fspath(path))
    if os.path.exists(target) and not os.path.isfile(target):
        with open(path, "w", encoding="utf-8", newline="") as file:
            file.write(text)
        return
    beside = f"{target}.{os.getpid()}.part"
    try:
        # "x": whatever already has that name is not ours to overwrite.
        with open(beside, "x", encoding="utf-8", newline="") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        if os.path.exists(target):
            os.chmod(beside, os.stat(target).st_mode & 0o7777)
        os.replace(beside, target)
    except FileExistsError:
        raise
    except BaseException:
        _remove(beside)
        raise


def _remove(path: str) -> None:
    try:
        os.unlink(path)
    except FileNotFoundError:
        pass


def _refuse_constant(name: str) -> Any:
    raise DocumentError(f"this is no comparison document: it holds {name}, which is no figure")


def _format_words(obj: object) -> str:
    if not isinstance(obj, dict):
        return f"expected a JSON object, found {type(obj).__name__}"
    if "format" not in obj:
        return f'it has no key "format" (expected "{FORMAT}")'
    return f'its format is {obj["format"]!r}, expected "{FORMAT}"'
