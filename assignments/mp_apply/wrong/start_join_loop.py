"""Starts a worker, waits for its end, starts the next one: they never run at the same time."""

import multiprocessing as mp
import pickle


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


def run_worker(tasks, position, conn):
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
            answer = pickle.dumps((False, f"{type(err).__name__}: {err}"))
            position.value = len(tasks)  # nobody takes another task
        conn.send_bytes(answer)


def results_until_end(conn):
    """Yield what a worker sends, until it has ended."""
    while True:
        try:
            answer = conn.recv_bytes()
        except (EOFError, OSError):
            return
        yield pickle.loads(answer)


def mp_apply(tasks, n_processes=2):
    """Compute tasks in parallel; returns the unordered results."""
    tasks = list(tasks)
    position = mp.Value("q", 0)
    results = []
    error = None
    for _ in range(min(n_processes, len(tasks))):
        conn, far_end = mp.Pipe(duplex=False)
        p = mp.Process(target=run_worker, args=(tasks, position, far_end))
        p.start()
        far_end.close()
        # wrong: waits for the end of this worker before the next one is started
        for ok, value in results_until_end(conn):
            if ok:
                results.append(value)
            else:
                error = value
        p.join()
        died = p.exitcode != 0 or (error is None and len(results) < len(tasks))
        p.close()
        conn.close()
        if error is not None:
            raise RuntimeError(error)
        if died:
            raise RuntimeError("a worker died")
    return results
