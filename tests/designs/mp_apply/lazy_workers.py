"""A worker is started only when a task is there and none is idle; the tasks are taken one by one."""

from multiprocessing import Pipe, Process
from multiprocessing.connection import wait


def calculate(func, args):
    return func(*args)


def worker(input, output):
    for func, args in iter(input.get, "STOP"):
        output.put(calculate(func, args))


def serve(conn):
    for func, args in iter(conn.recv, "STOP"):
        try:
            conn.send((None, calculate(func, args)))
        except Exception as e:
            conn.send((f"{type(e).__name__}: {e}", None))


class Crew:
    def __init__(self, n):
        self.n, self.procs, self.idle, self.busy = n, {}, [], set()

    def free(self):
        if self.idle:
            return self.idle.pop()
        if len(self.procs) < self.n:
            mine, its = Pipe()
            p = Process(target=serve, args=(its,))
            p.start()
            its.close()
            self.procs[mine] = p
            return mine
        return None

    def stop(self):
        for conn, p in self.procs.items():
            try:
                while conn in self.busy:
                    conn.recv()
                    self.busy.discard(conn)
                conn.send("STOP")
            except (OSError, EOFError):
                pass
            p.join()
            conn.close()
            p.close()


def mp_apply(tasks, n_processes=2):
    crew, results = Crew(n_processes), []
    tasks = iter(tasks)
    more = True
    try:
        while True:
            while more:
                conn = crew.free()
                if conn is None:
                    break
                try:
                    task = next(tasks)
                except StopIteration:
                    more = False
                    crew.idle.append(conn)
                    break
                conn.send(task)
                crew.busy.add(conn)
            if not crew.busy:
                return results
            for conn in wait(list(crew.busy)):
                try:
                    err, value = conn.recv()
                except EOFError:
                    crew.busy.discard(conn)
                    raise RuntimeError("a worker died") from None
                crew.busy.discard(conn)
                if err:
                    raise RuntimeError(err)
                results.append(value)
                crew.idle.append(conn)
    finally:
        crew.stop()
