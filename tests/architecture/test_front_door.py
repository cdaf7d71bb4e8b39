"""The front door `corewise/__init__.py`: every public name is listed once, loads, and shows how to use it."""

from __future__ import annotations

import ast
import doctest
import importlib
import inspect
from pathlib import Path

import pytest

import corewise

SOURCE = Path(corewise.__file__).parent
WITH_EXAMPLES = sorted(file for file in SOURCE.rglob("*.py") if ">>> " in file.read_text("utf-8"))


def _module_of(file: Path) -> str:
    name = ".".join(file.relative_to(SOURCE.parent).with_suffix("").parts)
    return name.removesuffix(".__init__")


def _imported_for_type_checkers() -> set[str]:
    """Names under `if TYPE_CHECKING:`, which are all that a type checker and an editor see."""
    tree = ast.parse((SOURCE / "__init__.py").read_text("utf-8"))
    blocks = [node for node in tree.body if isinstance(node, ast.If)]
    imports = [node for block in blocks for node in block.body if isinstance(node, ast.ImportFrom)]
    return {alias.asname or alias.name for statement in imports for alias in statement.names}


@pytest.mark.parametrize("name", corewise.__all__)
def test_a_public_name_loads(name: str) -> None:
    """What the door promises is there, under the very name, and is listed by `dir`."""
    thing = getattr(corewise, name)
    assert getattr(thing, "__name__", name).rpartition(".")[2] == name
    assert name in dir(corewise)


def test_the_lists_of_names_agree() -> None:
    """Editors and type checkers see the names that the interpreter finds, in alphabetical order."""
    submodules = {name for name in corewise.__all__ if inspect.ismodule(getattr(corewise, name))}
    assert _imported_for_type_checkers() == set(corewise.__all__) - submodules
    assert list(corewise.__all__) == sorted(corewise.__all__)


def test_an_unknown_name_is_an_attribute_error() -> None:
    """A name that is not there is refused as by any other module."""
    with pytest.raises(AttributeError, match="no attribute 'nothing_of_this_name'"):
        corewise.nothing_of_this_name  # noqa: B018 - the access is the test


@pytest.mark.parametrize("name", [name for name in corewise.__all__ if name.islower() and name != "errors"])
def test_a_public_function_has_an_example(name: str) -> None:
    """The docstring of every verb shows at least one call."""
    assert ">>> " in (inspect.getdoc(getattr(corewise, name)) or "")


@pytest.mark.parametrize("file", WITH_EXAMPLES, ids=_module_of)
def test_the_examples_in_docstrings_are_true(file: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every `>>>` in the package runs and prints what stands below it."""
    outcome = doctest.testmod(importlib.import_module(_module_of(file)))
    assert outcome.attempted > 0
    assert outcome.failed == 0, capsys.readouterr().out
