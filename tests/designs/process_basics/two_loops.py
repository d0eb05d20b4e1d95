"""Two loops, as in the lecture: start all, then join all."""

import multiprocessing as mp


def run_all(func, args_list):
    """Run func in a child process for each tuple of arguments; return their exit codes."""
    processes = [mp.Process(target=func, args=args) for args in args_list]
    for p in processes:
        p.start()
    for p in processes:
        p.join()
    codes = [p.exitcode for p in processes]
    for p in processes:
        p.close()
    return codes


def double(x):
    """Print twice x."""
    print(2 * x)


if __name__ == "__main__":
    p = mp.Process(target=double, args=(21,))
    p.start()
    p.join()
    p.close()
