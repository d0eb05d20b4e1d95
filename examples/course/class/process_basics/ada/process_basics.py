"""Stats 507, process basics. Ada."""
import multiprocessing as mp


def run_all(func, args_list):
    """Run func once per tuple of arguments, each in a process of its own; return the exit codes."""
    processes = [mp.Process(target=func, args=args) for args in args_list]
    for p in processes:
        p.start()
    codes = []
    for p in processes:
        p.join()
        codes.append(p.exitcode)
        p.close()
    return codes


if __name__ == "__main__":
    print(run_all(print, [("hello",)]))
