"""The kernel of a notebook: IPython's own, prepared like the child of a module's calls.

The supervisor starts it as ``python -m pytest_mpgrade.inside.notebook_kernel REQUEST`` with an
empty current folder. The Python may be another one than the grader's. The process reports that it
is ready before Python can find any file of the submission, and waits for the supervisor's answer.
From then on it is an ordinary kernel that a Jupyter client talks to.
"""

from __future__ import annotations

import json
import os
import sys

from pytest_mpgrade.inside import bootstrap, gates, notebook_values

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pytest_mpgrade.inside.wire import KernelRequest


def main() -> None:
    """Read the request from the file named on the command line, and run the kernel."""
    bootstrap.dump_stacks_on_request()
    with open(sys.argv[1], encoding="utf-8") as file:
        request: KernelRequest = json.load(file)
    os.unlink(sys.argv[1])
    bootstrap.set_up(request["packages"], request["start_method"], request["prefix"])
    bootstrap.limit(request["most_processes"])
    from ipykernel.kernelapp import IPKernelApp

    notebook_values.ANSWERS = request["answers"]
    gates.ask("ready")
    bootstrap.go_to(request["folder"])
    sys.argv = ["ipykernel"]
    app = IPKernelApp.instance()
    # A configuration file of the submission would run before the supervisor watches anything.
    own = ["--HistoryManager.hist_file=:memory:", "--IPKernelApp.config_file_paths=[]"]
    app.initialize(["-f", request["connection"], *own])
    app.start()


if __name__ == "__main__":
    main()
