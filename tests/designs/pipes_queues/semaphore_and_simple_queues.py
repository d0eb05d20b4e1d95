"""A semaphore counts the room on a SimpleQueue; a thread puts the items while values are taken."""

import multiprocessing as mp
import threading


def square_server(conn):
    """Answer each number with its square until None."""
    while True:
        message = conn.recv()
        if message is None:
            conn.close()
            return
        conn.send(pow(message, 2))


def pipe_squares(values):
    """Return the squares of the values, computed in one child; two pipes, one each way."""
    answers, server_out = mp.Pipe(duplex=False)
    server_in, questions = mp.Pipe(duplex=False)
    child = mp.Process(target=serve, args=(server_in, server_out))
    child.start()
    server_in.close()
    server_out.close()
    squares = []
    for value in values:
        questions.send(value)
        squares.append(answers.recv())
    questions.send(None)
    child.join()
    questions.close()
    answers.close()
    return squares


def serve(conn_in, conn_out):
    """Process: read from one pipe, answer through the other."""
    for value in iter(conn_in.recv, None):
        conn_out.send(value * value)


def work(func, queue, room, out, lock):
    """Process: take an item, make room for another one, compute, send the value."""
    while True:
        pair = queue.get()
        room.release()
        if pair is None:
            return
        index, item = pair
        answer = (index, func(item))
        with lock:
            out.send(answer)


def produce_consume(func, items, n_consumers=2, maxsize=4):
    """Apply func to the items in consumer processes."""
    items = list(items)
    queue = mp.SimpleQueue()
    room = mp.BoundedSemaphore(maxsize)
    values_in, values_out = mp.Pipe(duplex=False)
    lock = mp.Lock()
    consumers = [
        mp.Process(target=work, args=(func, queue, room, values_out, lock))
        for _ in range(n_consumers)
    ]
    for each in consumers:
        each.start()
    values_out.close()

    def put_all():
        for pair in [*enumerate(items), *[None] * n_consumers]:
            room.acquire()
            queue.put(pair)

    producer = threading.Thread(target=put_all)
    producer.start()
    values = {}
    for _ in items:
        index, value = values_in.recv()
        values[index] = value
    producer.join()
    for each in consumers:
        each.join()
        each.close()
    values_in.close()
    queue.close()
    return [values[index] for index in sorted(values)]
