"""The process between the grader and the student's code: one request, one report, both in JSON.

It runs no student code and no pytest. It starts the child, plays the gate scripts, and looks at the
tree whenever the calling thread waits for it. In the end it kills what is left, and proves that
nothing is. The pickle for the child lies in the run's folder.

    client --request--> server --forks--> supervisor --starts--> child (inside/child.py)
                                                                   --starts--> student's processes

For a notebook the child is a Jupyter kernel (inside/notebook_kernel.py), and cells take the place
of calls.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

import msgspec

from pytest_mpgrade.run.protocol import (
    BrokenOffReport,
    CallsReport,
    CallsRequest,
    CellsReport,
    CellsRequest,
)
from pytest_mpgrade.run.supervisor import calls
from pytest_mpgrade.run.supervisor.tree import InterruptedRun, Supervised


def supervise(
    request: CallsRequest | CellsRequest, abandoned: Callable[[], bool] = lambda: False
) -> CallsReport | CellsReport | BrokenOffReport:
    """Do what the request asks for; return the report.

    An interrupted run has another report. *abandoned* tells whether nobody waits for the report any
    more.
    """
    began = time.monotonic()
    run, make_report = _started(request, abandoned)
    try:
        report = make_report()
    except InterruptedRun:
        return BrokenOffReport(broken_off=run.broken_off())
    finally:
        clean, removed = run.close()
    return msgspec.structs.replace(
        report,
        clean=clean,
        removed=removed,
        observer=run.observer.name,
        seconds=time.monotonic() - began,
    )


def _started(
    request: CallsRequest | CellsRequest, abandoned: Callable[[], bool]
) -> tuple[Supervised, Callable[[], CallsReport | CellsReport]]:
    """Start the process that a request is for.

    Return it, with a function that does in it what the request asks for and returns the report.
    """
    if isinstance(request, CallsRequest):
        run = Supervised(request, abandoned, calls.command(request), request.pages)
        return run, partial(calls.report, run, request)
    # Only notebooks pay for these imports.
    from pytest_mpgrade.run.supervisor import cells

    run = Supervised(request, abandoned, cells.command(request))
    return run, partial(cells.report, run, request)
