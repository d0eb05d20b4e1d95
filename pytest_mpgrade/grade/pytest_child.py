"""The process of one grading: pytest, made ready for its parent to end it.

It also outlives its log.

    python -m pytest_mpgrade.grade.pytest_child PARENT pytest's own arguments

Its parent hands the assignment and the submission over by standard input.

What `subprocess` could do in the child before it runs a program (`preexec_fn`) is done here
instead: that is not safe where the parent has threads, and a batch has some.
"""

from __future__ import annotations

import gc
import os
import signal
import sys

from pytest_mpgrade.system import console


def main() -> int:
    """Run pytest."""
    _be_ended_with(int(sys.argv.pop(1)))
    with console.lasting():
        import pytest

        from pytest_mpgrade.session import handover

        gc.freeze()  # modules: each collection of garbage would go through them
        return int(pytest.main(sys.argv[1:], plugins=[handover.taken()]))


def _be_ended_with(parent: int) -> None:
    """Listen to signals again, and be killed when the parent is (Linux).

    This process is killed and not interrupted, since nobody reads what it would still write, and
    its supervisors end the processes that they watch at once. The kernel watches the thread that
    started this process, so an executor's thread has to wait for its grading.
    """
    if sys.platform == "win32":
        return
    if sys.platform == "linux":
        from pytest_mpgrade.system.linux import prctl

        prctl.die_with_parent(int(signal.SIGKILL))
    if os.getppid() != parent:  # it was killed before we asked
        os._exit(1)
    # A shell's background jobs inherit it ignored; our parent ends us by it.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    # Our parent holds signals back while it starts us; one that has come meanwhile is delivered
    # here.
    signal.pthread_sigmask(signal.SIG_SETMASK, ())


if __name__ == "__main__":
    sys.exit(main())
