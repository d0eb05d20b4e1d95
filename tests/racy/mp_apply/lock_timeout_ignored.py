"""Race: a worker goes on when it did not get the lock in time, and two number their results alike."""

import multiprocessing as mp


def calculate(func, args):
    return func(*args)


def worker(input, output, lock, number):
    for func, args in iter(input.get, "STOP"):
        result = calculate(func, args)
        got = lock.acquire(timeout=0.5)
        mine = number.value
        number.value = mine + 1
        if got:
            lock.release()
        output.put((mine, result))


def mp_apply(tasks, n_processes=2):
    tasks = list(tasks)
    todo, done = mp.Queue(), mp.Queue()
    lock, number = mp.Lock(), mp.Value("i", 0)
    processes = [
        mp.Process(target=worker, args=(todo, done, lock, number)) for _ in range(n_processes)
    ]
    for p in processes:
        p.start()
    for task in tasks:
        todo.put(task)
    results = dict(done.get() for _ in tasks)
    for p in processes:
        todo.put("STOP")
    for p in processes:
        p.join()
    return list(results.values())
