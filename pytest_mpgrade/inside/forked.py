"""What a forked process forgets of its parent's threads, so that it ends as it should."""

from __future__ import annotations

import os
import sys


def forget_executors() -> None:
    """Have a forked process not wait at its end for threads of executors that its parent has.

    Since Python 3.9 a process that is forked by a thread of a `ThreadPoolExecutor` joins that
    thread when it ends, which is itself by then. It has done its work, says nothing, and ends with
    exit status 1. Whoever starts processes from such a thread cannot help that.
    """
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(after_in_child=_forget)


def _forget() -> None:
    threads = sys.modules.get("concurrent.futures.thread")
    if threads is not None:
        vars(threads).get("_threads_queues", {}).clear()
