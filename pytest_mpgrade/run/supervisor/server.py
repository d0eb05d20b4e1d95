"""The process that supervisors are forked from, itself forked from one that has all imports.

That is the zygote, see there. Where servers cannot be forked, each is an interpreter of its own.

It reads one request a line from standard input and writes one report a line to standard output, one
after the other. Each request gets a supervisor of its own, which has no other children and proves
that no process is left before it ends. Where there is no fork, this process serves the requests.
"""

from __future__ import annotations

import gc
import os
import select
import signal
import sys
import traceback

from pytest_mpgrade.run.protocol import (
    CallsRequest,
    CellsRequest,
    Guard,
    KilledReport,
    Part,
    Reported,
    line_of,
    request_in,
)
from pytest_mpgrade.run.supervisor import supervise
from pytest_mpgrade.run.supervisor.tree import InterruptedRun
from pytest_mpgrade.system import log_lock, rmtree


def main() -> None:
    """Serve until standard input ends, which it does when the grader is gone."""
    for number in log_lock.inherited():
        os.set_inheritable(number, False)  # only we and our supervisors may hold them
    mark = ""
    try:
        for line in sys.stdin:
            request = request_in(line)
            if isinstance(request, Guard):
                mark = request.mark
            elif isinstance(request, Part):
                mark = ""
            elif not _nobody_listens():  # the grader may have been killed since its request
                _load(request)
                _run(request)
    finally:
        if mark and _nobody_listens():  # without a Part the grader was killed
            rmtree.remove_all(mark)


def _load(request: CallsRequest | CellsRequest) -> None:
    """Import what the request needs, once for all supervisors that are forked from here.

    They need not copy what a collection of garbage would touch, either.
    """
    load_for_calls()
    if isinstance(request, CellsRequest):
        load_for_cells()
    gc.freeze()


def load_for_calls() -> None:
    """Import what a supervisor needs that plays calls, before it is forked."""
    if sys.platform.startswith("linux"):
        from pytest_mpgrade.isolation import bwrap  # noqa: F401 - before it forks
        from pytest_mpgrade.run.observe import linux  # noqa: F401 - before it forks
        from pytest_mpgrade.system.linux import landlock, seccomp, spare_user  # noqa: F401 - before it forks


def load_for_cells() -> None:
    """Import what a supervisor needs in addition that executes a notebook."""
    from pytest_mpgrade.run.supervisor import cells, jupyter  # noqa: F401 - before it forks

    jupyter.warm_up()


def _run(request: CallsRequest | CellsRequest) -> None:
    if not sys.platform.startswith("linux"):
        _report(supervise(request))
        return
    pid = os.fork()
    if pid == 0:
        _serve(request)
    _, status = os.waitpid(pid, 0)
    if os.WIFSIGNALED(status):
        _report(KilledReport(signal=os.WTERMSIG(status)))
    elif status != 0:
        # Our end closes the pipe, from which the grader learns of the failure.
        sys.exit(f"the supervisor ended with {os.waitstatus_to_exitcode(status)}")


def _serve(request: CallsRequest | CellsRequest) -> None:
    """Supervise, report and end, in the forked process."""
    code = 1
    try:
        signal.signal(signal.SIGTERM, _interrupt)
        _report(supervise(request, _nobody_listens))
        code = 0
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


def _interrupt(*_: object) -> None:
    signal.signal(signal.SIGTERM, signal.SIG_IGN)  # supervise() says where it was, and cleans up
    raise InterruptedRun("broken off")


def _nobody_listens() -> bool:
    """Tell whether the grader has gone: the other end of our standard input is closed.

    Windows cannot tell.
    """
    if not hasattr(select, "poll"):
        return False
    poll = select.poll()
    poll.register(0, select.POLLHUP)
    return any(event & select.POLLHUP for _, event in poll.poll(0))


def _report(report: Reported) -> None:
    sys.stdout.write(line_of(report))
    sys.stdout.flush()


if __name__ == "__main__":
    main()
