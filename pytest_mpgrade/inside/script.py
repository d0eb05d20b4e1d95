"""The submission's module as a script: run as `__main__`, in a process that has imported it."""

from __future__ import annotations

import sys

from pytest_mpgrade.inside import bootstrap


def run_as_main(file: str) -> object:
    """Run a file as ``python FILE`` does; return its exit code, None for one that ended by itself.

    `__main__` is the file meanwhile. A child that spawn or forkserver starts imports it anew, as
    `__mp_main__`, and does nothing else of ours. What is called at the end of an interpreter, such
    as the wait for children that were not joined, is not part of the script.
    """
    runpy = bootstrap.library("runpy")
    argv, sys.argv = sys.argv, [file]
    noted = list(bootstrap.FACTS["set_start_method"])
    try:
        runpy.run_path(file, run_name="__main__")
    except SystemExit as end:
        return end.code
    finally:
        sys.argv = argv
        # A program may choose the start method, so it is no fault here.
        bootstrap.FACTS["set_start_method"] = noted
    return None
