"""
Functions to run a task in the background.

Stats 507
"""

# imports: --------------------------------------------------------------------
import multiprocessing as mp
import time


# functions: ------------------------------------------------------------------
def bg_task(task):
    """
    Run a task in a child process without blocking.

    To retrieve the result use `bg_get()`.

    Parameters
    ----------
    task : tuple
        `(func, args)`: a picklable callable and a tuple of positional arguments.

    Returns
    -------
    tuple
        Handles `(p, task_queue, done_queue)`: the child process, the queue that leads to it, and
        the queue on which its result arrives.
    """
    raise NotImplementedError


def bg_get(p, task_queue, done_queue, block=False):
    """
    Get the result of a background task, with or without waiting for it.

    Also ends the child process (sentinel, join) when it returns a result.

    Parameters
    ----------
    p, task_queue, done_queue : handles
        As returned by `bg_task()`.
    block : bool, optional
        Whether to wait until the task is done. The default is False (do not wait).

    Returns
    -------
    object
        The result of the task. None if it is still running, after printing
        'Task still running.', or if the child process has died without a result, after printing
        'Child process inactive.'.
    """
    raise NotImplementedError


# Try your functions here; this does not run when the module is imported.
if __name__ == "__main__":
    handles = bg_task((time.sleep, (1,)))
    print("one child:", mp.active_children())
    print(bg_get(*handles))
    print(bg_get(*handles, block=True))
    print("children left:", mp.active_children())
