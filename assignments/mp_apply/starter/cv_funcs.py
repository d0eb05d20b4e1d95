"""
Functions to compute tasks in parallel with a task queue.

Stats 507
"""

# imports: --------------------------------------------------------------------
import multiprocessing as mp


# functions: ------------------------------------------------------------------
def calculate(func, args):
    """
    Call func(*args) as part of a worker process.

    Parameters
    ----------
    func : callable
        The function to call.
    args : tuple
        Positional arguments for `func`.

    Returns
    -------
    object
        The result of `func(*args)`. An exception passes through.
    """
    raise NotImplementedError


def worker(input, output):
    """
    Compute tasks from one queue until the sentinel, put the results on another.

    Parameters
    ----------
    input : queue
        Holds tasks `(func, args)` and the sentinel, the string 'STOP'. Any object with `get()`.
    output : queue
        Takes one result per task. Any object with `put()`.

    Returns
    -------
    None
        At the sentinel, after which nothing more is taken from `input`.
    """
    raise NotImplementedError


def mp_apply(tasks, n_processes=2):
    """
    Compute tasks in parallel.

    Parameters
    ----------
    tasks : iterable of tuples
        Tasks `(func, args)`: a picklable callable and a tuple of positional arguments.
    n_processes : int, optional
        The number of child processes used to compute the tasks. The default is 2.

    Returns
    -------
    list
        The results of the tasks, in any order.

    Raises
    ------
    Exception
        Soon after a task has raised one, or a worker has died.
    """
    raise NotImplementedError


# Try your functions here; this does not run when the module is imported.
if __name__ == "__main__":
    print(mp_apply([(pow, (i, 2)) for i in range(10)], n_processes=3))
    print("children left:", mp.active_children())
