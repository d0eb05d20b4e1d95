"""A program with main() that leaves by sys.exit(), reads its arguments, and chooses a start method."""

import argparse
import multiprocessing
import sys


def run_all(func, args_list):
    """Run func in a child process for each tuple of arguments; return their exit codes."""
    context = multiprocessing.get_context(multiprocessing.get_start_method())
    children = {}
    for number, args in enumerate(args_list):
        children[number] = context.Process(target=func, args=tuple(args), name=f"child {number}")
        children[number].start()
    codes = dict.fromkeys(children)
    for number in reversed(children):  # any order will do: all of them are waited for
        with_code = children[number]
        with_code.join()
        codes[number] = with_code.exitcode
    while children:
        children.popitem()[1].close()
    return list(codes.values())


def greet(name):
    """Print a greeting."""
    print("Hello", name)


def main(argv=None):
    """Start one child process; return the exit code of the program."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--name", default="world")
    parser.add_argument("--method", default="spawn")
    options = parser.parse_args(argv)
    multiprocessing.set_start_method(options.method)
    return max(run_all(greet, [(options.name,)]))


if __name__ == "__main__":
    multiprocessing.freeze_support()
    sys.exit(main())
