"""Warnings: from a worker to its parent, as if the parent's own code had issued them at the same place."""

from __future__ import annotations

import builtins
import sys
import warnings

from corewise._transport import codec

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, TextIO

    from corewise._engine.outlet import Outlet

    Data = tuple[bytes | None, str, str, str, int, str | None, int | None]

# Which warnings were shown already, for places in modules that this process has not loaded.
_elsewhere: dict[str, dict[Any, Any]] = {}


def install(outlet: Outlet, filters: list[bytes] | None) -> None:
    """Send what passes the filters, rather than print it.

    Args:
        outlet: where to send it.
        filters: the parent's, for a worker that has not inherited them.
    """
    if filters is not None:
        warnings.filters[:] = _rebuilt(filters)  # type: ignore[index]  # a list, which the type stubs do not promise

    def showwarning(
        message: Warning | str,
        category: type[Warning],
        filename: str,
        lineno: int,
        file: TextIO | None = None,
        line: str | None = None,
    ) -> None:
        if file is not None or not outlet.open:
            text = warnings.formatwarning(message, category, filename, lineno, line)
            print(text, end="", file=sys.stderr if file is None else file)
            return
        warning = message if isinstance(message, Warning) else category(message)
        outlet.give("warning", pack(warning, filename, lineno, outlet.item()))

    warnings.showwarning = showwarning


def pack(warning: Warning, filename: str, lineno: int, index: int | None) -> Data:
    """Return a warning as plain values.

    Args:
        warning: the instance.
        filename: of the code that is warned of.
        lineno: its line.
        index: of the running item.

    Returns:
        The instance as bytes (None if it does not travel), the name of the next built-in category for want of it, its
        text, file, line, module, index.
    """
    whole: bytes | None
    try:
        whole = codec.dumps(warning)
    except Exception:  # noqa: BLE001 - it may hold anything
        whole = None
    kinds = (kind for kind in type(warning).__mro__ if issubclass(kind, Warning))
    known = next(kind for kind in kinds if getattr(builtins, kind.__name__, None) is kind)
    return whole, known.__name__, "".join([str(warning)]), filename, lineno, _module_of(filename, lineno), index


def replay(data: Data) -> None:
    """Issue a warning that `pack` made in this process: its filters decide, and show it once where they say so."""
    whole, known, text, filename, lineno, module, index = data
    warning = _unpacked(whole)
    if not isinstance(warning, Warning):
        warning = getattr(builtins, known)(text)
    # Not by assignment, which a class may refuse.
    BaseException.__setattr__(warning, "corewise_item", index)
    home = sys.modules.get(module) if module else None
    registry = _elsewhere.setdefault(module or filename, {}) if home is None else _registry_of(home)
    try:
        warnings.warn_explicit(warning, type(warning), filename, lineno, module=module, registry=registry)
    except Warning as raised:
        # The filters have become stricter since the worker was started. Its item cannot fail any more; the warning must
        # not be lost.
        if raised is not warning:
            raise
        warnings.showwarning(warning, type(warning), filename, lineno)


def _rebuilt(filters: list[bytes]) -> list[Any]:
    """Return the parent's filters; beside each one for ``__main__``, its twin for what that is called in a worker."""
    rebuilt = []
    for data in filters:
        one = _unpacked(data)
        if one is None:
            continue
        rebuilt.append(one)
        action, message, category, module, lineno = one
        if getattr(module, "pattern", module) == "__main__":
            rebuilt.append((action, message, category, "__mp_main__", lineno))
    return rebuilt


def _unpacked(data: bytes | None) -> Any:
    try:
        return None if data is None else codec.loads(data)
    except Exception:  # noqa: BLE001 - its module may be missing here, or the class refuse to be rebuilt
        return None


def _module_of(filename: str, lineno: int) -> str | None:
    """Return the name of the module that is warned of: its code is on the stack, unless the compiler warns."""
    frame = sys._getframe(1)  # noqa: SLF001 - the way to look at the stack without importing inspect
    while frame is not None:
        if frame.f_code.co_filename == filename and frame.f_lineno == lineno:
            name = frame.f_globals.get("__name__")
            return "__main__" if name == "__mp_main__" else name
        frame = frame.f_back  # type: ignore[assignment]  # None at the end
    return None


def _registry_of(module: object) -> dict[Any, Any]:
    registry: dict[Any, Any] = vars(module).setdefault("__warningregistry__", {})
    return registry
