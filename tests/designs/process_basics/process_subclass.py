"""A subclass of Process that knows its place, and a script that chooses a start method."""

import multiprocessing as mp
import sys


class Child(mp.Process):
    """A child process that applies a function to its arguments."""

    def __init__(self, func, arguments):
        super().__init__(name=f"child for {arguments!r:.40}")
        self.func = func
        self.arguments = arguments

    def run(self):
        """Call the function; what it raises ends the process."""
        self.func(*self.arguments)


def run_all(func, args_list):
    """Run func in a child process for each tuple of arguments; return their exit codes."""
    children = []
    for arguments in args_list:
        child = Child(func, arguments)
        child.start()
        children.append(child)
    return [end(child) for child in children]


def end(child):
    """Wait for a child process, close it, and return its exit code."""
    child.join()
    code = child.exitcode
    child.close()
    return code


def main():
    """Show the exit code of one child."""
    mp.set_start_method("spawn")
    print(run_all(print, [("hello", "from a child")]))


if __name__ == "__main__":
    sys.exit(main())
