"""The code cells of a notebook: what was handed in, what the supervisor saw, what was put out."""

from __future__ import annotations

import re
from collections.abc import Iterator

from pytest_mpgrade.records import Cell, Ending, NotebookDocument
from pytest_mpgrade.run.protocol import Account, CellsReport

_COLOURS = re.compile(r"\x1b\[[0-9;]*[A-Za-z]")
_LINE = re.compile(r"(?:Cell|Input) In ?\[(?P<count>\d+)\](?:, line (?P<line>\d+))?")
_ARROW = re.compile(r"^-+> ?(\d+)", re.MULTILINE)


def executed_cells(
    report: CellsReport, document: NotebookDocument, executed: NotebookDocument
) -> Iterator[Cell]:
    """Yield the code cells of *document*, with what became of each in the execution."""
    pairs = zip(document["cells"], executed["cells"], strict=True)
    code = [(submitted, cell) for submitted, cell in pairs if cell["cell_type"] == "code"]
    for number, (submitted, cell) in enumerate(code, 1):
        account = (
            report.cells[number - 1]
            if number <= len(report.cells)
            else Account(ending=Ending.NOT_TRIED)
        )
        tried = account.ending is not Ending.NOT_TRIED
        outputs = tuple(cell.get("outputs", ())) if tried else ()
        error: NotebookDocument = next(
            (each for each in reversed(outputs) if each.get("output_type") == "error"), {}
        )
        traceback = _COLOURS.sub("", "\n".join(map(str, error.get("traceback", ()))))
        yield Cell(
            number=number,
            tags=_tags(cell),
            source=cell["source"],
            ending=account.ending,
            why=account.why,
            all_cells=account.all_cells,
            exitcode=account.exitcode,
            stopped=account.stopped,
            error_type=str(error.get("ename", "")),
            error_message=_COLOURS.sub("", str(error.get("evalue", ""))),
            error_line=_line(traceback, cell.get("execution_count")),
            traceback=traceback,
            outputs=outputs,
            submitted=tuple(submitted.get("outputs", ())),
            submitted_count=submitted.get("execution_count") or 0,
            seconds=account.seconds,
            trace=account.trace(report.observer),
        )


def _tags(cell: NotebookDocument) -> tuple[str, ...]:
    tags = cell.get("metadata", {}).get("tags", ())
    return tuple(map(str, tags)) if isinstance(tags, (list, tuple)) else ()


def _line(traceback: str, count: object) -> int:
    """Return the innermost line of a cell that a traceback names."""
    matches = [
        match
        for match in _LINE.finditer(traceback)
        if match["line"] and match["count"] == str(count)
    ]
    if matches:
        return int(matches[-1]["line"])
    arrows = _ARROW.findall(traceback)
    return int(arrows[0]) if arrows else 0
