"""Waits for an exit code that each child sends through a queue; one that is killed sends none."""

import multiprocessing as mp


def run_all(func, args_list):
    """Run func in a child process for each tuple of arguments; return their exit codes."""
    codes = mp.Queue()
    processes = []
    for number, args in enumerate(args_list):
        p = mp.Process(target=child, args=(func, args, codes, number))
        p.start()
        processes.append(p)
    # wrong: a child that is killed sends nothing, and is waited for in vain
    found = dict(codes.get() for _ in processes)
    for p in processes:
        p.join()
        p.close()
    codes.close()
    codes.join_thread()
    return [found[number] for number in range(len(processes))]


def child(func, args, codes, number):
    """Process: call the function and send the exit code."""
    code = 1
    try:
        func(*args)
        code = 0
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 1
        raise
    finally:
        codes.put((number, code))


def hello():
    """What the child of the script does."""
    print("hello")


if __name__ == "__main__":
    print(run_all(hello, [()]))
