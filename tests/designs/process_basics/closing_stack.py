"""An ExitStack joins and closes all processes, the last one first; an own context starts daemons."""

import multiprocessing as mp
from contextlib import ExitStack


def run_all(func, args_list):
    """Run func in a child process for each tuple of arguments; return their exit codes."""
    context = mp.get_context()
    codes = [0] * len(args_list)
    with ExitStack() as stack:
        for place, args in enumerate(args_list):
            p = context.Process(target=func, args=args, daemon=True)
            p.start()
            stack.callback(finish, p, codes, place)
    return codes


def finish(p, codes, place):
    """Wait for a process, note its exit code, close it."""
    p.join()
    codes[place] = p.exitcode
    p.close()


def fail():
    """End like a program with an error."""
    raise SystemExit(3)


if __name__ == "__main__":
    assert run_all(fail, [()]) == [3]
