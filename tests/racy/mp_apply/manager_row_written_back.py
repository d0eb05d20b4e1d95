"""Race: two workers read a row of a manager, change it and write it back."""

import multiprocessing as mp
import os
import time
from queue import Empty


def calculate(func, args):
    """Apply func to the positional arguments args."""
    return func(*args)


def worker(input, output):
    """Handle tasks from input until the sentinel 'STOP' comes."""
    for func, args in iter(input.get, "STOP"):
        output.put(calculate(func, args))


def _answer(func, args):
    """(True, value), or (False, text of the exception)."""
    try:
        return True, calculate(func, args)
    except Exception as err:
        return False, f"{type(err).__name__}: {err}"


def _sign_in(board):
    """Add this process to the list of workers."""
    present = board["workers"]
    present = present + [os.getpid()]
    board["workers"] = present


def _work(number, board, stop, input, output):
    time.sleep(0.1 * number)  # not all at once: spares the manager
    _sign_in(board)
    for func, args in iter(input.get, "STOP"):
        if not stop.is_set():
            output.put(_answer(func, args))


def _give_up(procs, stop, task_queue, done_queue):
    """After a failure: skip what still waits, force who does not obey."""
    stop.set()
    deadline = time.monotonic() + 6
    while any(p.is_alive() for p in procs):
        try:
            done_queue.get(timeout=0.05)  # keeps the pipe moving
        except Empty:
            pass
        if time.monotonic() > deadline:
            for p in procs:
                p.terminate()
    try:
        while True:
            task_queue.get(timeout=0.1)
    except Empty:
        pass


def _tidy(procs, *queues):
    for p in procs:
        p.join()
        p.close()
    for q in queues:
        q.close()
        q.join_thread()


def _wait_for_all(board, procs):
    while len(board["workers"]) < len(procs):
        if any(p.exitcode is not None for p in procs):
            return
        time.sleep(0.02)


def mp_apply(tasks, n_processes=2):
    tasks = list(tasks)
    if not tasks:
        return []
    stop = mp.Event()
    task_queue, done_queue = mp.Queue(), mp.Queue()
    with mp.Manager() as manager:
        board = manager.dict(workers=[])
        procs = [
            mp.Process(target=_work, args=(k, board, stop, task_queue, done_queue))
            for k in range(min(n_processes, len(tasks)))
        ]
        for p in procs:
            p.start()
        _wait_for_all(board, procs)
        for task in tasks:
            task_queue.put(task)
        for _ in procs:
            task_queue.put("STOP")
        results, error = [], None
        while len(results) < len(tasks) and error is None:
            gone = all(p.exitcode is not None for p in procs)
            try:
                ok, value = done_queue.get(timeout=0.1)
            except Empty:
                if gone or any(p.exitcode not in (None, 0) for p in procs):
                    error = "a worker ended before its work was done"
                continue
            if ok:
                results.append(value)
            else:
                error = value
        if error is not None:
            _give_up(procs, stop, task_queue, done_queue)
        _tidy(procs, task_queue, done_queue)
    if error is not None:
        raise RuntimeError(error)
    return results
