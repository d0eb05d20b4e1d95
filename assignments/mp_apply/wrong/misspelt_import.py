"""Imports nunpy in its workers: which module is missing is told by its line, and numpy is proposed."""

import multiprocessing as mp

def calculate(func, args):
    return func(*args)


def worker(input, output):
    # wrong: there is no such module
    import nunpy as np
    for func, args in iter(input.get, "STOP"):
        output.put(np.asarray(calculate(func, args)).tolist())


def mp_apply(tasks, n_processes=2):
    tasks = list(tasks)
    a, b = mp.Queue(), mp.Queue()
    ps = [mp.Process(target=worker, args=(a, b)) for _ in range(n_processes)]
    for p in ps:
        p.start()
    for t in tasks:
        a.put(t)
    out = [b.get() for _ in tasks]
    for p in ps:
        a.put("STOP")
    for p in ps:
        p.join()
    return out
