"""Joins the workers before it takes the results from the queue: large or many results deadlock."""

import multiprocessing as mp
import pickle
from multiprocessing.connection import wait


def calculate(func, args):
    """Return func(*args)."""
    return func(*args)


def worker(input, output):
    """Compute tasks from `input` until 'STOP', put the results on `output`."""
    while True:
        task = input.get()
        if task == "STOP":
            return
        output.put(calculate(task[0], task[1]))


def run_worker(tasks, position, done_queue):
    """Process: take the next task from the list until there is none."""
    while True:
        with position.get_lock():
            i = position.value
            position.value += 1
        if i >= len(tasks):
            return
        try:
            answer = pickle.dumps((True, calculate(*tasks[i])))
        except BaseException as err:
            position.value = len(tasks)  # nobody takes another task
            answer = pickle.dumps((False, f"{type(err).__name__}: {err}"))
        done_queue.put(answer)


def mp_apply(tasks, n_processes=2):
    """Compute tasks in parallel; returns the unordered results."""
    tasks = list(tasks)
    position = mp.Value("q", 0)
    done_queue = mp.Queue()
    processes = {}
    for _ in range(min(n_processes, len(tasks))):
        p = mp.Process(target=run_worker, args=(tasks, position, done_queue))
        p.start()
        processes[p.sentinel] = p

    # wrong: a worker cannot end before its results are taken from the queue, which is done below
    # wait until all have ended
    running = dict(processes)
    died = False
    while running:
        ended = wait(list(running), timeout=2 if died else None)
        if not ended:
            for p in running.values():
                p.kill()
        for sentinel in ended:
            p = running.pop(sentinel)
            p.join()
            if p.exitcode != 0 or position.value < len(tasks):
                died = True
                position.value = len(tasks)
    for p in processes.values():
        p.close()

    # get the results
    results = []
    while not died and not done_queue.empty():
        ok, value = pickle.loads(done_queue.get())
        if not ok:
            raise RuntimeError(value)
        results.append(value)
    done_queue.close()
    if len(results) < len(tasks):
        raise RuntimeError("a worker died")
    return results
