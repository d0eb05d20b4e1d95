"""Read notebooks in every format that jupytext knows, or extract their functions as a module.

Nothing is run. Where a module was asked for, it is made of statements at the top level of the code
cells: imports, functions, classes, and names for constants. What a cell computes, prints or plots
is left out, so that child processes can import the module, and it starts none itself. This is the
only module that uses jupytext and IPython, which are in the extra `notebook`.
"""

from __future__ import annotations

import ast
import io
import json
import re
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pytest_mpgrade.errors import UngradableError
from pytest_mpgrade.submission import handed_in, syntax
from pytest_mpgrade.submission.imports import Import

MOST_BYTES = 50_000_000
"""A notebook with many plots has some MB."""
NotebookJson = dict[str, Any]
"""A notebook in the format nbformat 4: JSON of any depth."""
_ALONE = threading.Lock()
"""Held while IPython or jupytext is imported, because their modules import each other.

Without it, one of two threads may get a half-initialised module.
"""


@dataclass(frozen=True, kw_only=True)
class Extract:
    """The module extracted from a notebook."""

    source: str
    cells: tuple[int, ...]  # numbers of the code cells that are used, from 1


def extract(path: Path, shown: str) -> Extract:
    """Return the module in a notebook, an `.ipynb` or a text notebook of jupytext.

    Code cells are numbered from 1. *shown* is the notebook's name for messages. Raises
    UngradableError where the notebook cannot be read, a cell is not Python, or the extra is not
    installed.
    """
    parts: list[str] = []
    cells: list[int] = []
    for number, text in enumerate(_cells(path, shown), 1):
        tree = syntax.parse_module(
            f"{shown}, code cell {number}", text.encode(), before_line=", line "
        )
        kept = list(_kept(tree, text.split("\n")))
        if kept:
            cells.append(number)
            parts.append(f"# {shown}, code cell {number}\n" + "\n".join(kept))
    return Extract(source="\n\n".join(parts) + "\n", cells=tuple(cells))


def document(path: Path, shown: str) -> NotebookJson:
    """Return a notebook in the format nbformat 4. Raises UngradableError if it is unreadable."""
    with _ALONE:
        return _document(path, shown)


def _document(path: Path, shown: str) -> NotebookJson:
    try:
        import jupytext
    except ImportError as error:
        raise _lacks(error, shown) from error
    try:
        data = handed_in.content(path, MOST_BYTES + 1)
        if len(data) > MOST_BYTES:
            raise UngradableError(
                f"{shown} is too large for a notebook: over {MOST_BYTES // 1_000_000} MB"
            )
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # older notebooks have no ids of cells
            text = io.TextIOWrapper(io.BytesIO(data), "utf-8-sig")
            notebook: object = jupytext.read(text, fmt={"extension": path.suffix})
        document: NotebookJson = json.loads(json.dumps(notebook))
        # JSON that is no notebook has no such cells.
        if not all(
            isinstance(cell["source"], str) and cell["cell_type"] for cell in document["cells"]
        ):
            raise TypeError("a cell without text")
    except UngradableError:
        raise
    except Exception as error:  # a broken file makes its parser raise all kinds of errors
        raise UngradableError(
            f"{shown} cannot be read as a notebook: {type(error).__name__}: {error}"[:300]
        ) from error
    return document


def cells(path: Path, shown: str) -> list[tuple[int, str]]:
    """Return the numbered code cells of a notebook, with magics turned into calls."""
    return list(enumerate(_cells(path, shown), 1))


def notebook_imports(document: NotebookJson) -> list[tuple[int, Import]]:
    """Return the imports of a notebook, each with the number of its code cell.

    Cells that are not Python have none.
    """
    return [
        (number, imported)
        for number, text in enumerate(_code(document), 1)
        for imported in _imports(text)
    ]


def _imports(text: str) -> tuple[Import, ...]:
    with suppress(UngradableError):
        return syntax.module_syntax(syntax.parse_module("cell", text.encode())).imports
    return ()


def _code(document: NotebookJson) -> list[str]:
    """Return the code of the cells, with magics turned into calls."""
    with _ALONE:
        from IPython.core import inputtransformer2

    manager: Any = inputtransformer2.TransformerManager  # IPython has no types
    texts = [cell["source"] for cell in document["cells"] if cell["cell_type"] == "code"]
    return [_without_magics(text, manager().transform_cell) for text in texts]


def _cells(path: Path, shown: str) -> list[str]:
    try:
        return _code(document(path, shown))
    except ImportError as error:
        raise _lacks(error, shown) from error


def _lacks(error: ImportError, shown: str) -> UngradableError:
    return UngradableError(
        f"{shown} is a notebook; to grade it, or the functions in it, install the extra: pip"
        f" install 'pytest-mpgrade[notebook]' ({error.name} is missing)"
    )


def _without_magics(text: str, transform: Callable[[str], object]) -> str:
    """Turn IPython's %magics and !commands into calls, which `extract` leaves out.

    The code that a cell writes to a Python file counts as the cell's own.
    """
    first, _, rest = text.lstrip().partition("\n")
    if re.fullmatch(r"%%(writefile|file)\b.*\.py\s*", first):
        return "#\n" + rest
    try:
        return str(transform(text))
    except Exception:  # for example an unfinished %%magic, which is no Python either
        return text


def _kept(tree: ast.Module, lines: list[str]) -> Iterator[str]:
    """Yield the source of kept statements; functions and classes are as the student wrote them."""
    for statement in tree.body:
        if isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            first = min([statement.lineno, *(each.lineno for each in statement.decorator_list)])
            yield "\n".join(lines[first - 1 : statement.end_lineno])
        elif _harmless(statement):
            yield ast.unparse(statement)


def _harmless(statement: ast.stmt) -> bool:
    """Tell whether a statement only imports, or names a constant, perhaps inside of `try`."""
    if isinstance(statement, (ast.Import, ast.ImportFrom)):
        return True
    if isinstance(statement, ast.Try):
        blocks = [*statement.body, *statement.orelse, *statement.finalbody]
        blocks += [each for handler in statement.handlers for each in handler.body]
        return all(_harmless(each) or isinstance(each, ast.Pass) for each in blocks)
    if isinstance(statement, (ast.Assign, ast.AnnAssign)):
        return statement.value is not None and _constant(statement.value)
    return False


def _constant(value: ast.expr) -> bool:
    try:
        ast.literal_eval(value)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return False
    return True
