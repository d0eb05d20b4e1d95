"""A thread waits for each child process."""

import multiprocessing
import threading


def run_all(func, args_list):
    """Run func in a child process for each tuple of arguments; return their exit codes."""
    codes = {}
    processes = []
    threads = []
    for args in args_list:
        processes.append(multiprocessing.Process(target=func, args=args))
        processes[-1].start()
    for number, process in enumerate(processes):
        threads.append(threading.Thread(target=reap, args=(process, number, codes)))
        threads[-1].start()
    for thread in threads:
        thread.join()
    return [codes[number] for number in range(len(processes))]


def reap(process, number, codes):
    """Thread: wait for one process."""
    process.join()
    codes[number] = process.exitcode
    process.close()


def hello():
    """What the child of the script does."""
    print("hello from", multiprocessing.current_process().name)


def main():
    """Start one child process and wait for it."""
    run_all(hello, [()])


if __name__ == "__main__":
    main()
