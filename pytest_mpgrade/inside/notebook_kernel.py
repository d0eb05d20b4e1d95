"""The kernel of a notebook: IPython's own, in a process that has been prepared as the child of a
module's calls is.

Started by the supervisor as ``python -m pytest_mpgrade.inside.notebook_kernel REQUEST`` with an
empty current folder; the Python may be another one than the grader's. It tells that it is ready
before any file of the submission can be found, waits for the supervisor's word, and is from then on
an ordinary kernel that a Jupyter client talks to.
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
    """Read the request from the file named on the command line; be a kernel until it is told to
    end.
    """
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
    # A configuration of the submission's own would run before anything of it is watched.
    own = ["--HistoryManager.hist_file=:memory:", "--IPKernelApp.config_file_paths=[]"]
    app.initialize(["-f", request["connection"], *own])
    app.start()


if __name__ == "__main__":
    main()
