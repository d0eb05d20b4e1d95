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

from pytest_mpgrade.run.supervisor import calls
from pytest_mpgrade.run.supervisor.tree import Supervised


def supervise(request: dict[str, Any], abandoned: Callable[[], bool] = lambda: False) -> dict[str, Any]:
    """Run everything that is asked for; return the report. *abandoned*: tells whether nobody waits for it any more."""
    began = time.monotonic()
    program: Any = calls
    if "notebook" in request:
        from pytest_mpgrade.run.supervisor import cells  # what a notebook needs is loaded for notebooks only

        program = cells
    run = Supervised(request, abandoned, *program.command(request))
    try:
        report = program.report(run)
    finally:
        end = run.close()
    return {**report, **end, "seconds": time.monotonic() - began}
