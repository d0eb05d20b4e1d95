"""A Process subclass and two pipes; the task queue is no queue but has its put()."""

import multiprocessing as mp


class Background(mp.Process):
    def __init__(self, tasks, done):
        super().__init__()
        self.tasks, self.done = tasks, done

    def run(self):
        for func, args in iter(self.tasks.recv, "STOP"):
            self.done.send(func(*args))


class Sender:
    """A queue of one process for another."""

    def __init__(self, conn):
        self.conn = conn

    def put(self, obj):
        self.conn.send(obj)


def bg_task(task):
    task_in, task_out = mp.Pipe(False)
    done_in, done_out = mp.Pipe(False)
    p = Background(task_in, done_out)
    p.start()
    task_in.close()
    done_out.close()
    p.tasks = p.done = None
    task_out.send(task)
    return p, Sender(task_out), done_in


def bg_get(p, task_queue, done_queue, block=False):
    try:
        if not block and not done_queue.poll():
            print("Task still running.")
            return None
        result = done_queue.recv()
    except (EOFError, ConnectionResetError):
        p.join()
        print("Child process inactive.")
        return None
    task_queue.put("STOP")
    p.join()
    return result
