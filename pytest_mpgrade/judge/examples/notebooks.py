"""Examples for the checks of notebooks: executions written down by hand as real ones were. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from pytest_mpgrade.inside import plain_data
from pytest_mpgrade.judge import checks
from pytest_mpgrade.judge.check import Check
from pytest_mpgrade.judge.examples.runs import CREW, child
from pytest_mpgrade.records import Cell, Doing, Ending, Notebook, Outputs, Role, Run, Stuck, Trace

__all__ = ["NOTEBOOKS", "cell", "executed", "printing", "showing"]

KERNEL, INSIDE = 4100, (21, 22)
"""The id of the kernel, and those of two workers within their own namespace."""


def printing(text: str, name: str = "stdout") -> Outputs:
    """Return the outputs of a cell that prints a text."""
    return ({"output_type": "stream", "name": name, "text": text},)


def showing(**bundle: str) -> Outputs:
    """Return the outputs of a cell that displays something.

    Each keyword is a format: ``plain="[1]"``, ``html="<table>"``, ``png="…"``.
    """
    mimes = {
        "plain": "text/plain",
        "html": "text/html",
        "markdown": "text/markdown",
        "png": "image/png",
    }
    data = {mimes[name]: text for name, text in bundle.items()}
    return ({"output_type": "display_data", "data": data, "metadata": {}},)


def cell(number: int, source: str = "", **seen: Any) -> Cell:
    """Return a code cell that came to its end."""
    return Cell(
        number=number, **{"source": source or f"x = {number}", "ending": Ending.RETURNED, **seen}
    )


def executed(*cells: Cell, values: dict[str, object] | None = None, **seen: Any) -> Notebook:
    """Return a notebook that two child processes worked for, and that left none behind."""
    last = cells[-1] if cells else cell(1)
    processes = tuple(
        replace(child(pid), inside=inside) for pid, inside in zip(CREW, INSIDE, strict=False)
    )
    held = {name: plain_data.encode(value) for name, value in (values or {}).items()}
    run = Notebook(
        key="notebook/fork",
        call="multiprocess.ipynb",
        function="notebook",
        start_method="fork",
        ending=last.ending,
        cells=cells,
        pid=KERNEL,
        told=True,
        looked=True,
        values=held,
        trace=Trace(caller=KERNEL, observer="ptrace", processes=processes),
    )
    return replace(run, **seen)


_WAITED = [(i, INSIDE[i % 2], 0.1 * i, 0.1 * i + 0.1) for i in range(6)]
_RIGHT = executed(cell(1), values={"results": _WAITED})
_RAISED = cell(
    2,
    "import numpy as np\nnp.median(missing)",
    ending=Ending.RAISED,
    error_type="NameError",
    error_line=2,
    error_message="name 'missing' is not defined",
    traceback="NameError: name 'missing' is not defined",
)
_ALIVE = replace(child(exitcode=None, at_return="alive", later="alive"), inside=21)
_FOLDS = "".join(f"fold {k}: 0.{k}\n" for k in range(5))


def _counted(*counts: int) -> Notebook:
    return executed(
        *(cell(number, submitted_count=count) for number, count in enumerate(counts, 1))
    )


def _handed_in(before: str, after: str) -> Notebook:
    return executed(cell(1, submitted=printing(before), outputs=printing(after)))


NOTEBOOKS: tuple[tuple[Check, Run, Run], ...] = (
    (checks.runs_top_to_bottom(), _RIGHT, executed(cell(1), _RAISED)),
    (
        checks.runs_top_to_bottom(),
        _RIGHT,
        executed(
            cell(
                1,
                ending=Ending.HUNG,
                why="proof",
                trace=Trace(
                    stuck=(
                        Stuck(
                            pid=KERNEL,
                            role=Role.PARENT,
                            doing=Doing.GET,
                            sentence="the parent waits",
                        ),
                    )
                ),
            )
        ),
    ),
    (checks.has_list("results"), _RIGHT, executed(cell(1), values={"results": 15})),
    (
        checks.made_by_children("results"),
        _RIGHT,
        executed(cell(1), values={"results": [(0, KERNEL, 0.0, 0.1)]}),
    ),
    (
        checks.shows_rows("parallel-cv"),
        executed(
            cell(1, tags=("parallel-cv",), outputs=printing(_FOLDS)), values={"folds": [0] * 5}
        ),
        executed(
            cell(1, tags=("parallel-cv",), outputs=printing("mean 0.2\n")),
            values={"folds": [0] * 5},
        ),
    ),
    (
        checks.draws(),
        executed(cell(1, outputs=showing(plain="<Figure>", png="iVBORw0"))),
        executed(cell(1)),
    ),
    (
        checks.no_process_left(),
        _RIGHT,
        replace(_RIGHT, trace=replace(_RIGHT.trace, processes=(_ALIVE,)), after=(_ALIVE,)),
    ),
    (checks.cells_in_order(), _counted(1, 2, 3), _counted(1, 7, 2)),
    (checks.same_as_submitted(), _handed_in("4711\n", "4711\n"), _handed_in("4711\n", "4712\n")),
    (
        checks.same_again(executed(cell(1, outputs=printing("4711\n")))),
        executed(cell(1, outputs=printing("4711\n"))),
        executed(cell(1, outputs=printing("4712\n"))),
    ),
)
"""For each check an execution that passes it, and one that fails it."""
