"""
Trusted solution of `process_basics`: processes are started, waited for and closed.

Stats 507
"""

# imports: --------------------------------------------------------------------
import multiprocessing as mp
import os


# functions of the assignment: ------------------------------------------------
def run_all(func, args_list):
    """
    Run a function in one child process for each tuple of arguments, all at the same time.

    Parameters
    ----------
    func : callable
        A picklable callable.
    args_list : list of tuple
        The positional arguments of each call.

    Returns
    -------
    list of int
        The exit codes of the child processes, in the order of `args_list`: 0 for one that returned,
        1 for one that raised, -N for one that was killed by signal N.
    """
    processes = []
    exit_codes = []
    try:
        for args in args_list:
            p = mp.Process(target=func, args=args)
            processes.append(p)
            p.start()
    finally:
        # those that were started are waited for, also when the next could not be started
        for p in processes:
            if p.pid is not None:
                p.join()
                exit_codes.append(p.exitcode)
            p.close()
    return exit_codes


# helpers: --------------------------------------------------------------------
def say_hello(name):
    """Print a greeting, and which process it comes from."""
    print(f"Hello {name}, from process {os.getpid()}, a child of {os.getppid()}")


# main gate: ------------------------------------------------------------------
if __name__ == "__main__":
    print("exit codes:", run_all(say_hello, [("world",)]))
