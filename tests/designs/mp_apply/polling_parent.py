"""The parent looks for results and, if 1.5 s pass without one, whether its workers are alive."""

import multiprocessing as mp
import pickle
import time


def calculate(func, args):
    """Return func(*args)."""
    return func(*args)


def worker(input, output):
    """Compute tasks from `input` until 'STOP', put the results on `output`."""
    for func, args in iter(input.get, "STOP"):
        output.put(calculate(func, args))


class DoneQueue:
    """Many may put, under a lock; one gets, and may ask whether there is something to get."""

    def __init__(self):
        self.reader, self.writer = mp.Pipe(duplex=False)
        self.lock = mp.Lock()

    def put(self, answer):
        with self.lock:
            self.writer.send_bytes(answer)

    def something(self, seconds):
        return self.reader.poll(seconds)

    def get(self):
        return self.reader.recv_bytes()

    def close(self):
        self.reader.close()
        self.writer.close()


def attempt(func, args):
    """Compute a task; returns (ok, result or message), pickled."""
    try:
        return pickle.dumps((True, calculate(func, args)))
    except BaseException as err:
        return pickle.dumps((False, f"{type(err).__name__}: {err}"))


def mp_apply(tasks, n_processes=2):
    """Compute tasks in parallel; returns the unordered results."""
    todo = list(reversed([(attempt, task) for task in tasks]))
    task_queue = mp.SimpleQueue()
    done_queue = DoneQueue()
    processes = []
    for _ in range(min(n_processes, len(todo))):
        p = mp.Process(target=worker, args=(task_queue, done_queue))
        p.start()
        processes.append(p)

    results = []
    error = None
    pending = 0
    while error is None and (todo or pending):
        while todo and pending < len(processes):
            task_queue.put(todo.pop())
            pending += 1
        if not all([p.is_alive() for p in processes]):
            error = "a worker died: exit codes " + str([p.exitcode for p in processes])
        elif done_queue.something(1.5):
            ok, value = pickle.loads(done_queue.get())
            pending -= 1
            if ok:
                results.append(value)
            else:
                error = value

    # end of work
    if error is None and not all([p.is_alive() for p in processes]):
        error = "a worker died when it had nothing to do"
    for _ in processes:
        task_queue.put("STOP")
    end = time.monotonic() + 2
    for p in processes:
        while p.is_alive():
            if done_queue.something(0):
                done_queue.get()
            p.join(0.05)
            if error is not None and time.monotonic() > end:
                p.kill()
        p.join()
        p.close()
    task_queue.close()
    done_queue.close()
    if error is not None:
        raise RuntimeError(error)
    return results
