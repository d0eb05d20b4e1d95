"""Joins with a time limit, again and again, until all have ended; the script logs what it does."""

import logging
import multiprocessing as mp
from collections import deque


def run_all(func, args_list):
    """Run func in a child process for each tuple of arguments; return their exit codes."""
    processes = []
    for args in args_list:
        process = mp.Process(target=func, args=args, daemon=True)
        process.start()
        processes.append(process)
    running = deque(processes)
    while running:
        process = running.popleft()
        process.join(timeout=0.05)
        if process.is_alive():
            running.append(process)
    return [code_of(process) for process in processes]


def code_of(process):
    """Return the exit code of a process that has ended, and close it."""
    code = process.exitcode
    process.close()
    return code


if __name__ == "__main__":
    logging.basicConfig(level=logging.INFO)
    mp.set_start_method("forkserver", force=True)
    child = mp.Process(target=print, args=("in the child",), kwargs={"flush": True})
    child.start()
    logging.info("started %d", child.pid)
    child.join()
    raise SystemExit(child.exitcode)
