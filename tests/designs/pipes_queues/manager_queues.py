"""A manager's queues, of which one has a bound; a thread sends the numbers while others come back."""

import multiprocessing as mp
import threading


def square_server(conn):
    """Answer each number with its square until None."""
    with conn:
        while True:
            try:
                number = conn.recv()
            except EOFError:
                return
            if number is None:
                return
            conn.send(number * number)


def pipe_squares(values):
    """Return the squares; a thread sends, so that this one can receive."""
    values = list(values)
    here, there = mp.Pipe()
    process = mp.Process(target=square_server, args=(there,))
    process.start()
    there.close()

    def send_all():
        for value in [*values, None]:
            here.send(value)

    sender = threading.Thread(target=send_all)
    sender.start()
    squares = [here.recv() for _ in values]
    sender.join()
    process.join()
    here.close()
    return squares


def consumer(func, items, values):
    """Process: apply func to items until None."""
    while (pair := items.get()) is not None:
        index, item = pair
        values.put((index, func(item)))


def produce_consume(func, items, n_consumers=2, maxsize=4):
    """Apply func to the items in consumer processes."""
    with mp.Manager() as manager:
        todo, done = manager.Queue(maxsize), manager.Queue()
        consumers = [
            mp.Process(target=consumer, args=(func, todo, done)) for _ in range(n_consumers)
        ]
        for process in consumers:
            process.start()
        count = 0
        for pair in enumerate(items):
            todo.put(pair)
            count += 1
        for _ in consumers:
            todo.put(None)
        for process in consumers:
            process.join()
        pairs = dict(done.get() for _ in range(count))
    return [pairs[index] for index in sorted(pairs)]
