"""Waits for whichever child ends first; a table by sentinel puts the exit codes in order."""

from multiprocessing import Process
from multiprocessing.connection import wait


def run_all(func, args_list):
    """Run func in a child process for each tuple of arguments; return their exit codes."""
    processes = [Process(target=func, args=tuple(args)) for args in args_list]
    running = {}
    for place, p in enumerate(processes):
        p.start()
        running[p.sentinel] = place
    codes = [None] * len(processes)
    while running:
        for sentinel in wait(list(running)):
            place = running.pop(sentinel)
            p = processes[place]
            p.join()
            codes[place] = p.exitcode
            p.close()
    return codes


if __name__ == "__main__":
    # the interpreter joins this one at its end
    Process(target=print, args=("hello from a child",)).start()
