"""Closes both queues and the process with the result; asked again, says that it has gone."""

import sys
from multiprocessing import Process, Queue
from queue import Empty


def worker(input, output):
    for func, args in iter(input.get, "STOP"):
        output.put(func(*args))


def bg_task(task):
    q_in, q_out = Queue(1), Queue(1)
    child = Process(target=worker, args=(q_in, q_out))
    child.start()
    q_in.put(task)
    return child, q_in, q_out


def _say(text):
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def bg_get(p, task_queue, done_queue, block=False):
    try:
        dead = p.exitcode is not None
    except ValueError:
        _say("Child process inactive.")
        return None
    while True:
        dead = p.exitcode is not None
        try:
            result = done_queue.get(block=block, timeout=0.1) if block else done_queue.get_nowait()
            break
        except Empty:
            if dead:
                p.join()
                p.close()
                _say("Child process inactive.")
                return None
            if not block:
                _say("Task still running.")
                return None
    task_queue.put("STOP")
    task_queue.close()
    task_queue.join_thread()
    p.join()
    p.close()
    done_queue.close()
    return result
