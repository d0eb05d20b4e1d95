"""A producer process fills the queue; pipe_squares sends from a thread while it receives."""

import multiprocessing as mp
import threading


def square_server(conn):
    """Answer each number with its square until None."""
    while (x := conn.recv()) is not None:
        conn.send(x**2)
    conn.close()


def pipe_squares(values):
    """Return the squares of the values, computed in one child."""
    values = list(values)
    here, there = mp.Pipe()
    p = mp.Process(target=square_server, args=(there,))
    p.start()
    there.close()
    sender = threading.Thread(target=send_all, args=(here, values))
    sender.start()
    squares = [here.recv() for _ in values]
    sender.join()
    p.join()
    here.close()
    return squares


def send_all(conn, values):
    """Thread: send the values, then None."""
    for x in values:
        conn.send(x)
    conn.send(None)


def produce(items, todo, n_consumers):
    """Process: put the items on the queue, then a sentinel for each consumer."""
    for pair in enumerate(items):
        todo.put(pair)
    for _ in range(n_consumers):
        todo.put(None)


def consume(func, todo, done):
    """Process: apply func to items until the sentinel."""
    while True:
        pair = todo.get()
        if pair is None:
            break
        index, item = pair
        done.put((index, func(item)))


def produce_consume(func, items, n_consumers=2, maxsize=4):
    """Apply func to the items in consumer processes."""
    items = list(items)
    todo, done = mp.Queue(maxsize=maxsize), mp.Queue()
    processes = [mp.Process(target=produce, args=(items, todo, n_consumers))]
    for _ in range(n_consumers):
        processes.append(mp.Process(target=consume, args=(func, todo, done)))
    for p in processes:
        p.start()
    values = dict(done.get() for _ in items)
    for p in processes:
        p.join()
    return [values[index] for index in range(len(items))]
