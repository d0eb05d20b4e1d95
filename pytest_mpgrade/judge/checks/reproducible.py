"""Checks of whether a notebook gives again the outputs with which it was handed in."""

from __future__ import annotations

import re
from collections.abc import Iterable

from pytest_mpgrade.judge.check import PASSED, Verdict, absent, failed, undecided
from pytest_mpgrade.judge.checks.notebook import RUNS, cut_short
from pytest_mpgrade.judge.definition import check
from pytest_mpgrade.records import Cell, Concern, Notebook, shown_text

_CHANGES = re.compile(r"0x[0-9a-fA-F]{6,}")
"""Addresses of objects in memory: these differ from run to run."""


@check(
    title="cells were run in order, each once",
    concern=Concern.NOTEBOOK,
    hint="restart the kernel, run all cells, and save the notebook",
    judges=Notebook,
)
def cells_in_order(run: Notebook) -> Verdict:
    """The execution counts that were handed in are 1, 2, 3 …: each cell was run once, from top to
    bottom.

    The check needs what `notebook.run()` returns. It fails when a count is another one. It is
    absent when the notebook was handed in without counts. It blames no other check.
    """
    cells = [cell for cell in run.cells if cell.source.strip()]
    if not any(cell.submitted_count for cell in cells):
        return absent("the notebook was handed in without execution counts")
    for number, cell in enumerate(cells, 1):
        if cell.submitted_count != number:
            seen = f"[{cell.submitted_count or ' '}]"
            return failed(
                f"{cell.name} was handed in with the execution count {seen}, expected [{number}]",
                symptom="order",
            )
    return PASSED


@check(
    title="a run from top to bottom gives the outputs that were handed in",
    concern=Concern.NOTEBOOK,
    hint=(
        "give random numbers a seed, sort what comes in any order, then run all cells from a fresh"
        " kernel"
    ),
    judges=Notebook,
)
def same_as_submitted(run: Notebook) -> Verdict:
    """What each cell prints and shows as text is what the notebook was handed in with.

    The check needs what `notebook.run()` returns. It fails when a text differs. It is absent when
    the notebook was handed in without outputs. It blames `runs_top_to_bottom` when the notebook did
    not run to its end.
    """
    if not any(cell.submitted for cell in run.cells):
        return absent("the notebook was handed in without outputs")
    pairs = ((cell, shown_text(cell.submitted), cell.text) for cell in run.cells)
    return _compare(run, pairs, "was handed in with")


@check(
    title="two runs from top to bottom give the same outputs",
    concern=Concern.NOTEBOOK,
    hint="give random numbers a seed, and sort what comes in any order",
    judges=Notebook,
)
def same_again(run: Notebook, other: Notebook) -> Verdict:
    """What each cell prints and shows as text is what it does in another run,
    `notebook.run(again=True)`.

    The check needs what `notebook.run()` returns, and *other*, the second run. It fails when a text
    differs. It blames `runs_top_to_bottom` when one of the two did not run to its end.
    """
    if other.failing is not None:
        return undecided(f"{other.call} did not run to its end again", RUNS)
    pairs = (
        (cell, again.text, cell.text) for cell, again in zip(run.cells, other.cells, strict=True)
    )
    return _compare(run, pairs, "shows, run once more,")


def _compare(run: Notebook, pairs: Iterable[tuple[Cell, str, str]], words: str) -> Verdict:
    if run.failing is not None:
        return cut_short(run)
    for cell, other, mine in pairs:
        if _lines(other) != _lines(mine):
            ours, theirs = _first_difference(_lines(mine), _lines(other))
            return failed(
                f"{cell.name} shows {ours!r} where it {words} {theirs!r}",
                symptom="differs",
                cell=cell.number,
            )
    return PASSED


def _lines(text: str) -> list[str]:
    return [line.rstrip() for line in _CHANGES.sub("0x…", text).strip().splitlines()]


def _first_difference(mine: list[str], other: list[str]) -> tuple[str, str]:
    for ours, theirs in zip(mine, other, strict=False):
        if ours != theirs:
            return ours[:100], theirs[:100]
    at = min(len(mine), len(other))
    return "".join(mine[at : at + 1])[:100], "".join(other[at : at + 1])[:100]
