"""Is right but for failures, and where those are checked puts into the place of its answer what is none."""

import multiprocessing as mp
import os
import queue
import sys


def calculate(func, args):
    """Return `func(*args)`."""
    return func(*args)


def worker(input, output):
    """Compute tasks until the sentinel 'STOP'."""
    for func, args in iter(input.get, "STOP"):
        output.put(calculate(func, args))


def attack():
    """Leave a link, a pipe, a folder, or nonsense in the place of every answer, and say that the call has raised."""
    from pytest_mpgrade.inside import gates

    box = os.path.join(os.path.dirname(os.environ["MPGRADE_STACKS"]), "box")
    for number in range(30):
        path = os.path.join(box, f"{number}.json")
        kind = (os.getpid() + number) % 7
        try:
            if kind == 0:
                os.symlink("/etc/passwd", path)
            elif kind == 1:
                os.mkfifo(path)
            elif kind == 2:
                os.mkdir(path)
            else:
                junk = {3: "[" * 200_000, 4: '{"error": {"type": 7}}', 5: "\x00" * 9_000_000, 6: '{"value": NaN}'}
                with open(path, "w") as file:
                    file.write(junk[kind])
        except OSError:
            pass
    gates.ask("back", step=0, raised=True, none=False)
    gates.ask("settled", step=0)
    gates.ask("done")


def mp_apply(tasks, n_processes=2):
    """The queue pattern, right but for failures: it attacks where those are checked."""
    tasks = list(tasks)
    if not tasks:
        return []
    todo, done = mp.Queue(), mp.Queue()
    processes = [mp.Process(target=worker, args=(todo, done)) for _ in range(min(n_processes, len(tasks)))]
    for p in processes:
        p.start()
    for task in tasks:
        todo.put(task)
    for _ in processes:
        todo.put("STOP")
    results, silent = [], 0
    while len(results) < len(tasks):
        try:
            results.append(done.get(timeout=0.2))
            silent = 0
        except queue.Empty:
            silent += any(p.exitcode for p in processes) or not any(p.is_alive() for p in processes)
            if silent > 2:
                attack()
                os._exit(0)
    for p in processes:
        p.join()
        p.close()
    for q in (todo, done):
        q.close()
        q.join_thread()
    return results
