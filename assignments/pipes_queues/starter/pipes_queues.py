"""
Functions that talk to child processes through pipes and queues.

Stats 507
"""

# imports: --------------------------------------------------------------------
import multiprocessing as mp


# functions: ------------------------------------------------------------------
def square_server(conn):
    """
    Answer each number that is received with its square, until None is received.

    Parameters
    ----------
    conn : Connection
        One end of a pipe; it is closed at the end.
    """
    raise NotImplementedError


def pipe_squares(values):
    """
    Compute squares in a child process, through a pipe.

    Parameters
    ----------
    values : list of numbers
        What is squared.

    Returns
    -------
    list of numbers
        The squares, in the order of `values`.
    """
    raise NotImplementedError


def produce_consume(func, items, n_consumers=2, maxsize=4):
    """
    Apply a function to items in consumer processes, which take them from a bounded queue.

    Parameters
    ----------
    func : callable
        A picklable callable of one argument.
    items : list
        Its arguments.
    n_consumers : int, optional
        The number of consumer processes. The default is 2.
    maxsize : int, optional
        The number of items that may wait on the queue. The default is 4.

    Returns
    -------
    list
        The values of `func`, in the order of `items`.
    """
    raise NotImplementedError


# Try your functions here; this does not run when the module is imported.
if __name__ == "__main__":
    print(pipe_squares([1, 2, 3]))
    print(produce_consume(abs, [-3, 4, -5]))
    print("children left:", mp.active_children())
