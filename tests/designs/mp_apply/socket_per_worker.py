"""A pair of sockets for each worker, a selector, and pickles sent by hand."""

import multiprocessing as mp
import pickle
import selectors
import socket
import struct


def calculate(func, args):
    return func(*args)


def worker(input, output):
    for func, args in iter(input.get, "STOP"):
        output.put(calculate(func, args))


def send(sock, obj):
    data = pickle.dumps(obj)
    sock.sendall(struct.pack("!Q", len(data)) + data)


def receive(sock):
    def exactly(n):
        parts = []
        while n:
            part = sock.recv(min(n, 1 << 20))
            if not part:
                raise EOFError
            parts.append(part)
            n -= len(part)
        return b"".join(parts)

    return pickle.loads(exactly(struct.unpack("!Q", exactly(8))[0]))


def serve(sock):
    while (task := receive(sock)) != "STOP":
        try:
            send(sock, (True, calculate(*task)))
        except BaseException as e:
            send(sock, (False, f"{type(e).__name__}: {e}"))
            if not isinstance(e, Exception):
                raise


def mp_apply(tasks, n_processes=2):
    tasks = list(tasks)[::-1]
    sel, procs, results, error = selectors.DefaultSelector(), [], [], None
    for _ in range(min(n_processes, len(tasks))):
        a, b = socket.socketpair()
        p = mp.Process(target=serve, args=(b,))
        p.start()
        b.close()
        procs.append((p, a))
        send(a, tasks.pop())
        sel.register(a, selectors.EVENT_READ)
    while sel.get_map():
        for key, _ in sel.select():
            sock = key.fileobj
            try:
                ok, value = receive(sock)
            except (EOFError, ConnectionError):
                ok, value = False, "worker died"
            if ok:
                results.append(value)
            else:
                error = error or RuntimeError(value)
            if tasks and not error:
                send(sock, tasks.pop())
            else:
                sel.unregister(sock)
                try:
                    send(sock, "STOP")
                except OSError:
                    pass
    sel.close()
    for p, a in procs:
        p.join()
        a.close()
        p.close()
    if error:
        raise error
    return results
