"""Polls the exit codes until all are there, then joins and closes."""

import multiprocessing as mp
import time


def run_all(func, args_list):
    """Run func in a child process for each tuple of arguments; return their exit codes."""
    processes = []
    for args in args_list:
        process = mp.Process(target=func, args=args)
        process.start()
        processes.append(process)
    while any(process.is_alive() for process in processes):
        time.sleep(0.02)
    codes = []
    for process in processes:
        process.join()
        codes.append(process.exitcode)
        process.close()
    return tuple(codes)


def show(*words):
    """Print the words."""
    print(*words)


if __name__ == "__main__":
    mp.freeze_support()
    print(run_all(show, [("one", "child"), ("and", "another", "one")]))
