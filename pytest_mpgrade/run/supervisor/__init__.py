"""The process between the grader and the student's code: one request, one report; both are JSON.

It runs no student code and no pytest. It starts the child, plays the gate scripts, looks at the tree whenever the
calling thread waits for it, ends everything, and proves that nothing is left. The pickle for the child lies in the
run's folder.

    runner --request--> server --forks--> supervisor --starts--> child (inside/child.py) --starts--> student's processes

For a notebook the child is a Jupyter kernel (inside/notebook_kernel.py), and cells take the place of calls.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from pytest_mpgrade.run.supervisor.calls import Calls
from pytest_mpgrade.run.supervisor.tree import Supervised


def supervise(request: dict[str, Any], abandoned: Callable[[], bool] = lambda: False) -> dict[str, Any]:
    """Run everything that is asked for; return the report. *abandoned*: tells whether nobody waits for it any more."""
    began = time.monotonic()
    run = Supervised(request, abandoned)
    try:
        report = _program(run).report()
    finally:
        end = run.close()
    return {**report, **end, "seconds": time.monotonic() - began}


def _program(run: Supervised) -> Any:
    """Return what the run does; what a notebook needs is loaded for notebooks only."""
    if "notebook" not in run.request:
        return Calls(run)
    from pytest_mpgrade.run.supervisor.cells import Cells

    return Cells(run)
