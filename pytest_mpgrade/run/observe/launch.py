"""The steps of a forked process before it is the program of a run."""

from __future__ import annotations

import os
from collections.abc import Sequence

from pytest_mpgrade.isolation.start import Start


def become_program(how: Start, hold: int, release: int) -> None:
    """Turn a forked process into the program; never returns.

    The process waits at *hold* until the observer traces it, and enters its isolation after that.
    *release* is the observer's end of the same pipe.
    """
    try:
        os.setsid()
        os.close(release)
        flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        for target, source in (
            (0, os.open(os.devnull, os.O_RDONLY)),
            (1, os.open(how.out, flags)),
            (2, os.open(how.err, flags)),
        ):
            os.dup2(source, target)
        os.read(hold, 1)
        how.enter()
        os.chdir(how.cwd)
        _close_all_but(how.keep)
        os.execve(how.argv[0], list(how.argv), dict(how.env))  # noqa: S606 - a program of ours
    except BaseException as error:
        os.write(2, f"could not be started: {error}".encode())
    finally:
        os._exit(127)


def _close_all_but(keep: Sequence[int]) -> None:
    before = 3
    for number in (*sorted(keep), 256):
        os.closerange(before, number)
        before = number + 1
