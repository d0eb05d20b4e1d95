"""A few numbers are under way at a time; producer and consumers wait at a condition for room."""

import multiprocessing as mp
from collections import deque


def square_server(conn):
    """Answer each number with its square until None."""
    for number in iter(conn.recv, None):
        conn.send(number**2)
    conn.close()


def pipe_squares(values):
    """Return the squares; the next number is sent before the last answer is read, if both are small."""
    ours, theirs = mp.Pipe()
    with ours:
        child = mp.Process(target=square_server, args=(theirs,))
        child.start()
        theirs.close()
        squares, waiting = [], deque(values)
        under_way = 0
        while waiting or under_way:
            if waiting and (under_way == 0 or (under_way < 8 and small(waiting[0]))):
                ours.send(waiting.popleft())
                under_way += 1
            else:
                squares.append(ours.recv())
                under_way -= 1
        ours.send(None)
        child.join()
        child.close()
    return squares


def small(number):
    """Tell whether a pipe has room for eight such numbers and their squares."""
    return isinstance(number, (int, float)) and abs(number) < 1 << 60


def consume(func, task_queue, done_queue):
    """Process: apply func to tasks until 'STOP'; tell the queue of each that is done."""
    for index, item in iter(task_queue.get, "STOP"):
        try:
            done_queue.put((index, func(item)))
        finally:
            task_queue.task_done()
    task_queue.task_done()


def produce(items, task_queue, n_consumers):
    """Process: put the items, and then one sentinel for each consumer."""
    for pair in enumerate(items):
        task_queue.put(pair)
    for _ in range(n_consumers):
        task_queue.put("STOP")
    task_queue.join()


def produce_consume(func, items, n_consumers=2, maxsize=4):
    """Apply func to the items in consumer processes; a producer process puts them."""
    items = list(items)
    task_queue, done_queue = mp.JoinableQueue(maxsize), mp.SimpleQueue()
    processes = [
        mp.Process(target=consume, args=(func, task_queue, done_queue))
        for _ in range(n_consumers)
    ]
    processes.append(mp.Process(target=produce, args=(items, task_queue, n_consumers)))
    for p in processes:
        p.start()
    results = [None] * len(items)
    for _ in items:
        index, value = done_queue.get()
        results[index] = value
    for p in processes:
        p.join()
    done_queue.close()
    return results
