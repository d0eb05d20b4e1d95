"""Waits for the ends of the children with a system call that leaves them to others: zombies."""

import multiprocessing as mp
import os
from multiprocessing.connection import wait


def run_all(func, args_list):
    """Run func in a child process for each tuple of arguments; return their exit codes."""
    processes = [mp.Process(target=func, args=args) for args in args_list]
    for p in processes:
        p.start()
    codes = []
    for p in processes:
        # wrong: nobody joins the process, which is left as a zombie
        codes.append(exit_code(p))
    return codes


def exit_code(p):
    """Return the exit code of a process when it has ended."""
    try:
        how = os.waitid(os.P_PID, p.pid, os.WEXITED | os.WNOWAIT)
    except ChildProcessError:  # it is a child of the fork server
        wait([p.sentinel])
        return p.exitcode
    return how.si_status if how.si_code == os.CLD_EXITED else -how.si_status


def hello():
    """What the child of the script does."""
    print("hello")


if __name__ == "__main__":
    p = mp.Process(target=hello)
    p.start()
    p.join()
