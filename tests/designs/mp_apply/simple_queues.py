"""Two SimpleQueues; a waiting task is put for each result, so that no more than n tasks are out."""

import multiprocessing as mp
import pickle
import time
from itertools import islice
from multiprocessing.connection import wait


def calculate(func, args):
    return func(*args)


def worker(input, output):
    while True:
        task = input.get()
        if task == "STOP":
            break
        output.put(calculate(*task))


def careful(func, args):
    """What the workers really calculate: ('ok', result) or ('error', exception), as bytes."""
    try:
        return pickle.dumps(("ok", calculate(func, args)))
    except BaseException as err:
        problem = err if isinstance(err, Exception) else RuntimeError(repr(err))
    try:
        answer = pickle.dumps(("error", problem))
        pickle.loads(answer)
        return answer
    except Exception:
        return pickle.dumps(("error", RuntimeError(f"{type(problem).__name__}: {problem}")))


class Crew:
    """The worker processes with their two queues."""

    def __init__(self, n):
        self.task_queue = mp.SimpleQueue()
        self.done_queue = mp.SimpleQueue()
        self.processes = []
        for _ in range(n):
            p = mp.Process(target=worker, args=(self.task_queue, self.done_queue))
            p.start()
            self.processes.append(p)

    def submit(self, task):
        self.task_queue.put((careful, task))

    def result(self):
        """Wait for the next result; raises what a task has raised, or if a process has ended."""
        reader = self.done_queue._reader
        ended = wait([reader] + [p.sentinel for p in self.processes])
        if reader not in ended:
            codes = []
            for p in self.processes:
                p.join(0)
                codes.append(p.exitcode)
            raise RuntimeError(f"a worker has died, exit codes {codes}")
        kind, value = pickle.loads(self.done_queue.get())
        if kind == "error":
            raise value
        return value

    def dismiss(self, patience=None):
        """Sentinel for everyone, wait (not longer than `patience` seconds without any event)."""
        for _ in self.processes:
            self.task_queue.put("STOP")
        running = list(self.processes)
        end = None if patience is None else time.monotonic() + patience
        while running:
            timeout = None if end is None else max(0, end - time.monotonic())
            ready = wait([self.done_queue._reader] + [p.sentinel for p in running], timeout)
            if not ready:
                break
            if self.done_queue._reader in ready:
                self.done_queue.get()
            running = [p for p in running if p.sentinel not in ready]
        for p in running:
            p.terminate()
        for p in self.processes:
            p.join()
            p.close()
        self.task_queue.close()
        self.done_queue.close()


def mp_apply(tasks, n_processes=2):
    """Compute tasks in parallel, return their results in any order."""
    tasks = iter(tasks)
    first = list(islice(tasks, n_processes))
    if not first:
        return []
    crew = Crew(len(first))
    try:
        for task in first:
            crew.submit(task)
        results = []
        missing = len(first)
        while missing:
            results.append(crew.result())
            missing -= 1
            for task in islice(tasks, 1):
                crew.submit(task)
                missing += 1
    except BaseException:
        crew.dismiss(patience=2)
        raise
    crew.dismiss()
    return results
