"""Puts as many items as fit, takes as many values, and so on; waits until all items are done."""

import multiprocessing as mp


def square_server(conn):
    """Answer each number with its square until None; the with statement closes the connection."""
    with conn:
        for x in iter(conn.recv, None):
            conn.send(x * x)


def pipe_squares(values):
    """Return the squares of the values, computed in one child."""
    parent_conn, child_conn = mp.Pipe(duplex=True)
    worker = mp.Process(target=square_server, args=(child_conn,), daemon=True)
    worker.start()
    result = []
    for value in values:
        parent_conn.send(value)
        result.append(parent_conn.recv())
    parent_conn.send(None)
    worker.join()
    return result


def consumer(func, item_queue, value_queue):
    """Process: apply func to items until 'STOP'."""
    for index, item in iter(item_queue.get, "STOP"):
        value_queue.put((index, func(item)))
        item_queue.task_done()
    item_queue.task_done()


def produce_consume(func, items, n_consumers=2, maxsize=4):
    """Apply func to the items in consumer processes."""
    item_queue = mp.JoinableQueue(maxsize)
    value_queue = mp.Queue()
    workers = []
    for _ in range(n_consumers):
        worker = mp.Process(target=consumer, args=(func, item_queue, value_queue))
        worker.start()
        workers.append(worker)
    pairs = list(enumerate(items))
    wave = maxsize + n_consumers
    values = [None] * len(pairs)
    for start in range(0, len(pairs), wave):
        for pair in pairs[start : start + wave]:
            item_queue.put(pair)
        for _ in pairs[start : start + wave]:
            index, value = value_queue.get()
            values[index] = value
    for _ in workers:
        item_queue.put("STOP")
    item_queue.join()
    for worker in workers:
        worker.join()
    return values
