"""Runs the function in a Pool of two, and makes the exit codes up."""

import multiprocessing as mp


def run_all(func, args_list):
    """Run func in a pool for each tuple of arguments; return exit codes."""
    codes = []
    # wrong: two processes share the calls, and their exit codes are made up
    pool = mp.Pool(2)
    calls = [pool.apply_async(func, args) for args in args_list]
    pool.close()
    for call in calls:
        try:
            call.get()
            codes.append(0)
        except Exception:
            codes.append(1)
    pool.join()
    return codes


def hello():
    """What the child of the script does."""
    print("hello")


if __name__ == "__main__":
    p = mp.Process(target=hello)
    p.start()
    p.join()
    p.close()
