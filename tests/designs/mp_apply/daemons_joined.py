"""Workers are daemons, in case the parent is interrupted, but they get their sentinels and are joined."""

import multiprocessing as mp
import pickle
from collections import deque
from multiprocessing import connection


def calculate(func, args):
    """Return func(*args)."""
    return func(*args)


def worker(input, output):
    """Compute tasks from `input` until 'STOP', put the results on `output`."""
    for func, args in iter(input.get, "STOP"):
        output.put(calculate(func, args))


def loop(conn):
    """Answer tasks until 'STOP'."""
    while (task := conn.recv()) != "STOP":
        try:
            reply = pickle.dumps({"result": calculate(*task)})
        except BaseException as err:
            reply = pickle.dumps({"error": f"{type(err).__name__}: {err}"})
        conn.send_bytes(reply)


def read(conn):
    """Return the reply of a worker, None if it is dead."""
    try:
        return pickle.loads(conn.recv_bytes())
    except (EOFError, OSError):
        return None


def mp_apply(tasks, n_processes=2):
    """Compute tasks in parallel; returns the unordered results."""
    waiting = deque(tasks)
    daemons = {}
    for _ in range(min(n_processes, len(waiting))):
        here, there = mp.Pipe()
        process = mp.Process(target=loop, args=(there,), daemon=True)
        process.start()
        there.close()
        daemons[here] = process
    for conn in daemons:
        conn.send(waiting.popleft())
    busy = set(daemons)
    results = []
    error = None
    while busy and error is None:
        for conn in connection.wait(list(busy)):
            reply = read(conn)
            if reply is None:
                error = "a daemon died"
            elif "error" in reply:
                error = reply["error"]
            else:
                results.append(reply["result"])
            if waiting and error is None:
                conn.send(waiting.popleft())
            else:
                busy.discard(conn)

    for conn in daemons:
        try:
            conn.send("STOP")
        except BrokenPipeError:
            pass
    for conn, process in daemons.items():
        # after an error: whatever is still sent, but not for more than two quiet seconds
        while conn.poll(None if error is None else 2):
            if read(conn) is None:
                break
        else:
            process.kill()
        process.join()
        process.close()
        conn.close()
    if error is not None:
        raise RuntimeError(error)
    return results
