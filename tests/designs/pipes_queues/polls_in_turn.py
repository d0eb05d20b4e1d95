"""One loop: put what fits, take what is there; sorts the pairs at the end."""

import multiprocessing as mp
import queue
from multiprocessing import Pipe, Process


def square_server(conn):
    """Answer each number with its square until None."""
    number = conn.recv()
    while number is not None:
        conn.send(number * number)
        number = conn.recv()
    conn.close()


def pipe_squares(values):
    """Return the squares of the values, asked for one by one."""
    mine, its = Pipe()
    p = Process(target=square_server, args=(its,))
    p.start()
    its.close()
    squares = [ask(mine, value) for value in values]
    mine.send(None)
    p.join()
    p.close()
    mine.close()
    return squares


def ask(conn, value):
    """Send a value, return the answer."""
    conn.send(value)
    return conn.recv()


def consumer(func, item_queue, value_queue):
    """Process: apply func to items until 'STOP'."""
    while (message := item_queue.get()) != "STOP":
        index, item = message
        value_queue.put([index, func(item)])


def produce_consume(func, items, n_consumers=2, maxsize=4):
    """Apply func to the items in consumer processes."""
    context = mp.get_context()
    item_queue, value_queue = context.Queue(maxsize), context.Queue()
    consumers = [
        context.Process(target=consumer, args=(func, item_queue, value_queue))
        for _ in range(n_consumers)
    ]
    for p in consumers:
        p.start()
    todo = list(enumerate(items))
    total = len(todo)
    pairs = []
    while len(pairs) < total:
        try:
            while todo:
                item_queue.put_nowait(todo[0])
                todo.pop(0)
        except queue.Full:
            pass
        try:
            pairs.append(value_queue.get(timeout=0.05 if todo else None))
        except queue.Empty:
            pass
    for _ in consumers:
        item_queue.put("STOP")
    for p in consumers:
        p.join()
    pairs.sort(key=lambda pair: pair[0])
    return [value for _, value in pairs]
