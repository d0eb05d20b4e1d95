"""Checks of what a notebook shows: a row for each fold, a plot."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from pytest_mpgrade.judge.check import PASSED, Verdict, failed, undecided
from pytest_mpgrade.judge.checks.notebook import RUNS, cut_short
from pytest_mpgrade.judge.definition import check
from pytest_mpgrade.records import Cell, Concern, Ending, Notebook

_ROW = re.compile(r"<tr\b.*?</tr>", re.DOTALL | re.IGNORECASE)
_ITEM = re.compile(r"<li\b", re.IGNORECASE)
_FOLDS = ("folds", "n_folds", "n_splits")
"""Names of variables that say how many folds there are."""


@check(
    title="the cell tagged {tag} shows one row for each fold",
    concern=Concern.NOTEBOOK,
    hint="print one line for each fold, or show a list or a table with one row for each",
    judges=Notebook,
)
def shows_rows(run: Notebook, tag: str, least: int = 2) -> Verdict:
    """The output of the tagged cell shows a row for each fold: printed lines, the items of a list,
    a table's rows.

    The check needs what `notebook.run()` returns. It fails when no cell has the tag, or the output
    has fewer rows than there are folds: *least*, or what a variable says (``folds``, ``n_folds``,
    ``n_splits``). It blames `runs_top_to_bottom` when the cell did not come to its end.
    """
    cells = [cell for cell in run.cells if tag in cell.tags]
    if not cells:
        hint = f"add the tag {tag} to the cell, among its properties"
        return failed(f"no code cell is tagged {tag}", symptom="no tag", hint=hint)
    if all(cell.ending is Ending.NOT_TRIED for cell in cells) or any(
        cell is run.failing for cell in cells
    ):
        return undecided(f"the cell tagged {tag} did not come to its end", RUNS)
    wanted = max(least, _folds(run))
    rows = max(rows_of(cell) for cell in cells)
    if rows >= wanted:
        return PASSED
    seen = f"{rows} row{'s' * (rows != 1)}" if rows else "nothing with a number in it"
    return failed(
        f"{cells[0].name} shows {seen}, and one row for each fold was asked for"
        + (f" ({wanted} folds)" if wanted > least else ""),
        symptom="no rows",
        output=cells[0].text[:2000],
    )


def _folds(run: Notebook) -> int:
    """Return how many folds there are, where a variable says so; else 0."""
    for name in _FOLDS:
        kind, *rest = run.values.get(name, ["none"])
        if kind in ("list", "tuple"):
            return len(rest[0])
        if kind == "int":
            return min(int(rest[0]), 1000)
    return 0


def rows_of(cell: Cell) -> int:
    """Return how many rows the output of a cell has: the most of all ways to count them."""
    tables = [sum("<td" in row.lower() for row in _ROW.findall(html)) for html in cell.html]
    lists = [len(_ITEM.findall(html)) for html in cell.html]
    shown = [_rows(text) for text in cell.shown("text/plain")]
    marked = [_numbered(text) for text in cell.shown("text/markdown")]
    return max([_numbered(cell.printed), _rows(cell.printed), *tables, *lists, *shown, *marked])


def _numbered(text: str) -> int:
    """Return how many lines contain a digit."""
    return sum(bool(re.search(r"\d", line)) for line in text.splitlines())


def _rows(text: str) -> int:
    """Return how many rows a text has.

    It counts the lines that contain a digit, or the items of a list that the text is or contains.
    """
    items = _items(text)
    return max([_numbered(text) if items is None else items, *map(_listed, _lists(text))])


def _lists(text: str) -> Iterator[str]:
    """Yield the parts of a text in square brackets, with the brackets.

    Examples are ``scores: [0.1, 0.2]`` and ``array([0.1, 0.2])``.
    """
    depth = start = 0
    for place, char in enumerate(text):
        if char == "[":
            start = start if depth else place
            depth += 1
        elif char == "]" and depth:
            depth -= 1
            if not depth:
                yield text[start : place + 1]


def _listed(text: str) -> int:
    """Return how many items a list has, or numbers a printed array: ``[0.1 0.2]``."""
    items = _items(text)
    if items is not None:
        return items
    try:
        return len([float(word) for word in text.strip("[]").split()])
    except ValueError:
        return 0


def _items(text: str) -> int | None:
    """Return how many items the list, tuple or dict has that a text represents.

    None where the text represents none of these.
    """
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None
    if isinstance(tree, (ast.List, ast.Tuple)):
        return len(tree.elts)
    return len(tree.keys) if isinstance(tree, ast.Dict) else None


@check(
    title="a plot is drawn",
    concern=Concern.NOTEBOOK,
    hint="plot in the notebook itself, with %matplotlib inline or without any backend named",
    judges=Notebook,
)
def draws(run: Notebook, tag: str = "") -> Verdict:
    """A plot is drawn: by some cell, or by the tagged one.

    The check needs what `notebook.run()` returns. It fails when there is no image among the
    outputs. It blames `runs_top_to_bottom` when the notebook did not run to its end.
    """
    cells = [cell for cell in run.cells if not tag or tag in cell.tags]
    if any(cell.images for cell in cells):
        return PASSED
    where = f"the cell tagged {tag}" if tag else "the notebook"
    if run.failing is not None:
        return cut_short(run)
    return failed(f"{where} draws no plot", symptom="missing")
