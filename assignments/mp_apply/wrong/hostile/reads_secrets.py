"""Looks for secrets in the environment, also of the processes above, and in home folders."""

import glob
import os
import pwd


def calculate(func, args):
    """Return `func(*args)`."""
    return func(*args)


def worker(input, output):
    """Compute tasks until the sentinel 'STOP'."""
    for func, args in iter(input.get, "STOP"):
        output.put(calculate(func, args))


def mp_apply(tasks, n_processes=2):
    """Compute in this very process, and count on the attack."""
    tasks = list(tasks)
    found = []
    for path in glob.glob("/proc/[0-9]*/environ"):
        try:
            with open(path, "rb") as file:
                if b"SECRET=4711" in file.read():
                    found.append(path)
        except OSError:
            pass
    if "SECRET" in os.environ:
        found.append("my own environment")
    homes = {each.pw_dir for each in pwd.getpwall()} | {os.path.dirname(os.path.dirname(__file__)) + "/cell/home"}
    for home in sorted(homes):
        for name in (".secret", ".ssh/id_rsa", ".netrc", ".bash_history", ".config/pip/pip.conf"):
            try:
                with open(os.path.join(home, name)) as file:
                    file.read()
                found.append(os.path.join(home, name))
            except OSError:
                pass
    if found:
        raise RuntimeError(f"GOT A SECRET: {found[:3]}")
    return [calculate(func, args) for func, args in tasks]
