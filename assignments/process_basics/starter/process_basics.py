"""
Start processes, wait for them, and close them.

Stats 507
"""

# imports: --------------------------------------------------------------------
import multiprocessing as mp


# functions: ------------------------------------------------------------------
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
    raise NotImplementedError


# main gate: ------------------------------------------------------------------
# Start one child process here, when this file is run as a script, and only then.
