"""Executed notebooks beside the result, as `.ipynb` and as HTML.

HTML is for readers who have no Jupyter. A failing cell is marked.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pytest_mpgrade.records import Cell, Ending, Notebook
from pytest_mpgrade.system.atomic_write import write_bytes

HTML_SECONDS = 120.0
"""Seconds for all notebooks of a grading; a stranger's notebook may take for ever to convert."""


def write_notebooks(notebooks: Sequence[Notebook], folder: Path) -> list[Path]:
    """Write each executed notebook as ``NAME.START_METHOD.ipynb`` and ``.html``.

    Returns the paths of the former. There is no page of a notebook that nbconvert cannot convert.
    """
    paths = []
    for notebook in notebooks:
        if notebook.document:
            path = folder / f"{Path(notebook.call).stem}.{notebook.start_method}.ipynb"
            write_bytes(json.dumps(marked(notebook), indent=1).encode(), path)
            paths.append(path)
    if paths:
        command = [sys.executable, "-m", "pytest_mpgrade.report.notebook.html", *map(str, paths)]
        try:
            subprocess.run(
                command,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=HTML_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return paths
    return paths


def marked(notebook: Notebook) -> dict[str, Any]:
    """Return the executed document; before a cell that failed one is put that says how."""
    cells: list[dict[str, object]] = []
    code = iter(notebook.cells)
    for cell in notebook.document["cells"]:
        executed = next(code) if cell["cell_type"] == "code" else None
        if executed is not None and executed is notebook.failing:
            mark = _mark(executed)
            cells.append(
                mark
                | ({"id": "mpgrade"} if notebook.document.get("nbformat_minor", 0) >= 5 else {})
            )
        if executed is not None and executed.ending is Ending.NOT_TRIED:
            cell = {**cell, "outputs": [], "execution_count": None}
        cells.append(cell)
    return {**notebook.document, "cells": cells}


def _mark(cell: Cell) -> dict[str, object]:
    lines = [f"{cell.error_type}: {cell.error_message}"] if cell.ending is Ending.RAISED else []
    lines += [cell.stopped or cell.why] + [stuck.sentence for stuck in cell.trace.stuck]
    # nothing in it is Markdown
    quoted = "\n".join(f"    {line}" for text in lines for line in text.splitlines())
    source = (
        f"### mpgrade: code cell {cell.number} below did not come to its end:"
        f" {cell.ending}\n\n{quoted}\n"
    )
    return {"cell_type": "markdown", "metadata": {"tags": ["mpgrade"]}, "source": source}
