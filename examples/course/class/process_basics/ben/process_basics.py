"""Stats 507 - Ben"""
import multiprocessing as mp


def run_all(func, args_list):
    codes = []
    for args in args_list:
        p = mp.Process(target=func, args=args)
        p.start()
        p.join()
        codes.append(p.exitcode)
    return codes


if __name__ == "__main__":
    run_all(print, [("test",)])
