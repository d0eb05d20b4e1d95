"""
Trusted solution of `pipes_queues`: a pipe to one child, and a bounded queue to several.

Stats 507
"""

# imports: --------------------------------------------------------------------
import multiprocessing as mp


# functions of the assignment: ------------------------------------------------
def square_server(conn):
    """
    Answer each number that is received with its square, until None is received.

    Parameters
    ----------
    conn : Connection
        One end of a pipe; it is closed at the end.
    """
    while True:
        x = conn.recv()
        if x is None:
            break
        conn.send(x * x)
    conn.close()


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
    ours, theirs = mp.Pipe()
    p = mp.Process(target=square_server, args=(theirs,))
    p.start()
    # the child has its own: if it dies, recv() finds the pipe closed and does not wait for ever
    theirs.close()

    squares = []
    try:
        # one at a time: if both ends write first, both wait as soon as the pipe is full
        for x in values:
            ours.send(x)
            squares.append(ours.recv())
        ours.send(None)
    finally:
        ours.close()
        p.join()
        p.close()
    return squares


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
    item_queue = mp.Queue(maxsize)
    value_queue = mp.Queue()
    consumers = [
        mp.Process(target=consume, args=(func, item_queue, value_queue)) for _ in range(n_consumers)
    ]
    for p in consumers:
        p.start()

    # put() waits for room; meanwhile values can collect on their queue, which has no bound
    count = 0
    for item in items:
        item_queue.put((count, item))
        count += 1
    for _ in consumers:
        item_queue.put("STOP")

    # take all values before the consumers are joined: they end when these have been read
    answers = [value_queue.get() for _ in range(count)]
    for p in consumers:
        p.join()
        p.close()
    for queue in (item_queue, value_queue):
        queue.close()
        queue.join_thread()

    values = [None] * count
    for index, value, error in answers:
        if error is not None:
            raise RuntimeError(f"item {index}: {error}")
        values[index] = value
    return values


# helpers: --------------------------------------------------------------------
def consume(func, item_queue, value_queue):
    """Apply a function to the items of a queue until 'STOP'; send back their index and value."""
    for index, item in iter(item_queue.get, "STOP"):
        try:
            answer = (index, func(item), None)
        except Exception as error:
            answer = (index, None, f"{type(error).__name__}: {error}")
        value_queue.put(answer)


# main gate: ------------------------------------------------------------------
if __name__ == "__main__":
    print(pipe_squares(range(5)))
    print(produce_consume(abs, [-3, 4, -5]))
