"""Notebooks in real kernels, right and wrong: how each cell ends, what is seen of its processes,
what it leaves behind.

That nothing is left after a run is proven after every test (conftest.py).
"""

from __future__ import annotations

import dataclasses
import gc
import os
import re
import sys
import weakref
from collections.abc import Sequence
from concurrent.futures import Future
from pathlib import Path
from threading import Event
from types import SimpleNamespace
from typing import Any, Protocol, cast

import nbformat
import pytest

from pytest_mpgrade import checks
from pytest_mpgrade.inside import plain_data
from pytest_mpgrade.records import Cell, Ending, Limits, Notebook, NotebookRules, Outcome
from pytest_mpgrade.run.client import notebook_run
from pytest_mpgrade.run.protocol import Connection
from pytest_mpgrade.run.supervisor import jupyter
from pytest_mpgrade.run.supervisor.cells import Cells
from support.running import code_cell, setting

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="observes with ptrace and /proc"
)

METHODS = pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
LAYERS = pytest.mark.parametrize("isolation", ["none", "uid", "bwrap", "landlock"])
FUNCS = """
import multiprocessing as mp
import time

def square(x):
    return x * x

def worker(todo, done):
    for func, args in iter(todo.get, "STOP"):
        done.put(func(*args))

def mp_apply(tasks, n=2):
    todo, done = mp.Queue(), mp.Queue()
    workers = [mp.Process(target=worker, args=(todo, done)) for _ in range(n)]
    for each in workers:
        each.start()
    for task in tasks:
        todo.put(task)
    results = [done.get() for _ in tasks]
    for each in workers:
        todo.put("STOP")
    for each in workers:
        each.join()
    return results
"""
APPLY = (
    "import cv_funcs as cvf",
    "results = sorted(cvf.mp_apply([(cvf.square, (i,)) for i in range(5)]))\nresults",
)
FAILED, PASSED, SKIPPED = Outcome.FAILED, Outcome.PASSED, Outcome.SKIPPED


class Execute(Protocol):
    """What the fixture `execute` gives; see there."""

    def __call__(self, *cells: str, method: str = "fork", **options: Any) -> Notebook:
        """Execute a notebook with these code cells."""


@pytest.fixture
def execute(tmp_path: Path) -> Execute:
    """Return a function that executes code cells; *rules*: fields of NotebookRules, *files*: what
    lies beside it.

    A cell may begin with a line ``# tags: a b``. Other options are those of `setting`.
    """

    def run(
        *cells: str,
        method: str = "fork",
        rules: dict[str, Any] | None = None,
        files: dict[str, str] | None = None,
        **options: Any,
    ) -> Notebook:
        folder = tmp_path / "submission"
        folder.mkdir()
        folder.chmod(0o755)
        for name, text in {"cv_funcs.py": FUNCS, **(files or {})}.items():
            (folder / name).write_text(text)
        document = nbformat.v4.new_notebook(cells=[code_cell(text) for text in cells])
        found = setting(folder, **options)
        asked = NotebookRules(**{"variables": ("results",), "cell_seconds": 30.0, **(rules or {})})
        return notebook_run.run_notebook(
            document,
            method,
            dataclasses.replace(
                found,
                assignment=dataclasses.replace(
                    found.assignment, notebook=asked, module="small.ipynb"
                ),
                submission=dataclasses.replace(found.submission, module="small.ipynb"),
            ),
        )

    return run


def told(run: Notebook) -> list[tuple[Ending, str]]:
    """Return how each cell ended, and what it showed."""
    return [(cell.ending, cell.text) for cell in run.cells]


def message(run: Notebook) -> str:
    """Return what is said of a notebook that does not run to its end."""
    finding = checks.runs_top_to_bottom()(run)
    assert finding.outcome is FAILED
    return f"{finding.message} | {finding.hint}"


def children(cell: Cell) -> list[str]:
    """Return the states of the child processes at the end of a cell, without Python's helpers."""
    return [process.at_return for process in cell.trace.processes if not process.helper]


# --- what works


@METHODS
def test_companion_module_is_found_by_children(execute: Execute, method: str) -> None:
    """A module beside the notebook can be imported, by child processes too; values and outputs are
    told.
    """
    run = execute(*APPLY, method=method)
    assert told(run) == [(Ending.RETURNED, ""), (Ending.RETURNED, "[0, 1, 4, 9, 16]\n")]
    assert run.ending is Ending.RETURNED
    assert run.values == {"results": plain_data.encode([0, 1, 4, 9, 16])}
    assert children(run.cells[-1]) == ["gone", "gone"]
    assert checks.no_process_left()(run).outcome is PASSED


@LAYERS
def test_every_layer_of_isolation(execute: Execute, isolation: str) -> None:
    """A kernel works in every layer that this machine has; its pid is known as it sees it
    itself.
    """
    run = execute(*APPLY, "import os\nresults = os.getpid()", method="spawn", isolation=isolation)
    assert run.ending is Ending.RETURNED, run.why
    assert run.values == {"results": plain_data.encode(run.pid)}


def test_practice_mode(execute: Execute) -> None:
    """Without ptrace and attested gates it is executed all the same."""
    assert execute(*APPLY, observer="psutil").ending is Ending.RETURNED


def test_a_client_is_never_collected(tmp_path: Path) -> None:
    """What a client holds of ZeroMQ stays: to collect it, in any thread, would wait for sockets of
    another thread.
    """
    connection = Connection(
        transport="ipc",
        ip=str(tmp_path / "kernel"),
        key="",
        signature_scheme="hmac-sha256",
        shell_port=1,
        iopub_port=2,
        stdin_port=3,
        control_port=4,
        hb_port=5,
    )
    notebook = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": []}
    client = jupyter.Jupyter(notebook, connection, lambda: True, 1_000)
    context = weakref.ref(client._kernel.context)
    assert client._kernel.client().context is context()
    client.close()
    del client
    gc.collect()
    assert context() is not None


def test_what_jupyter_has(execute: Execute) -> None:
    """Magics, shell lines, plots, top-level await and displayed HTML are as in Jupyter; history
    stays in scratch.
    """
    run = execute(
        "%matplotlib inline\nimport matplotlib.pyplot as plt\nplt.plot([1, 2]);",
        "%%time\nresults = 1",
        "!echo shell",
        "import asyncio\nawait asyncio.sleep(0.01)\nresults = 2",
        "from IPython.display import HTML\nHTML('<table></table>')",
        "import os\nprint(get_ipython().ipython_dir.startswith(os.environ['HOME']))",
    )
    assert run.ending is Ending.RETURNED, message(run)
    assert run.values == {"results": plain_data.encode(2)}
    assert len(run.cells[0].images) == 1
    assert "Wall time" in run.cells[1].printed
    assert run.cells[2].printed.strip() == "shell"
    assert run.cells[4].html == ("<table></table>",)
    assert run.cells[5].printed == "True\n"
    assert checks.draws()(run).outcome is PASSED


def test_data_is_read_only(execute: Execute, tmp_path: Path) -> None:
    """Data of the assignment is in the current folder and cannot be changed; files of the
    submission's own can.
    """
    data = tmp_path / "data"
    data.mkdir()
    (data / "points.csv").write_text("1,2\n")
    run = execute(
        "print(open('points.csv').read(), open('mine.txt').read())",
        "open('mine.txt', 'w').write('changed')",
        "# tags: raises-exception\nopen('points.csv', 'w')",
        isolation="uid",
        rules={"files": str(data)},
        files={"mine.txt": "own", "points.csv": "forged"},
    )
    assert run.ending is Ending.RETURNED, message(run)
    assert run.cells[0].printed == "1,2\n own\n"
    # it is a read-only file system, or file
    assert run.cells[2].error_type in ("PermissionError", "OSError")
    assert (data / "points.csv").read_text() == "1,2\n"
    assert (tmp_path / "submission" / "mine.txt").read_text() == "own"


def test_slow_cells_are_no_hang(execute: Execute) -> None:
    """A cell that prints now and then, one that computes and one that waits for a slow child come
    to their end.
    """
    run = execute(
        "import time\nfor i in range(10):\n    time.sleep(0.25)\n    print(i)",
        "results = 0\nfor i in range(10**7):\n    results += i",
        "import multiprocessing as mp\np = mp.Process(target=time.sleep,"
        " args=(3,))\np.start()\np.join()",
        patience=1.0,
    )
    assert run.ending is Ending.RETURNED, message(run)


def test_kernel_of_another_python(execute: Execute) -> None:
    """A kernel that needs nothing of ours installed can be used: what runs inside is given to
    it.
    """
    run = execute(
        *APPLY, "import sys\nresults = sys.path", method="spawn", rules={"python": sys.executable}
    )
    assert run.ending is Ending.RETURNED, message(run)
    assert "/shown/library" in str(run.values["results"])


# --- errors


def test_error_names_cell_and_line(execute: Execute) -> None:
    """What a cell raises is told with its number, its tag, the line, and a traceback without
    colours.
    """
    run = execute("x = 0", "# tags: division\ny = 1\n1 / x", "z = 3")
    assert [cell.ending for cell in run.cells] == [Ending.RETURNED, Ending.RAISED, Ending.NOT_TRIED]
    assert (
        "code cell 2 (division), line 2 raised ZeroDivisionError: division by zero: 1 / x"
        in message(run)
    )
    assert "\x1b" not in run.cells[1].traceback
    assert "ZeroDivisionError" in run.cells[1].traceback
    assert checks.has_list("results")(run).outcome is SKIPPED


def test_allowed_error(execute: Execute) -> None:
    """A cell that is tagged so may raise."""
    run = execute("# tags: raises-exception\n1 / 0", "results = [1]")
    assert run.ending is Ending.RETURNED
    assert run.cells[0].error_type == "ZeroDivisionError"
    assert checks.has_list("results")(run).outcome is PASSED


def test_input_is_an_error_at_once(execute: Execute) -> None:
    """Nobody types anything."""
    assert "StdinNotImplementedError" in message(execute("input('name? ')"))


def test_kernel_that_exits(execute: Execute) -> None:
    """A kernel that ends by itself is told with its exit status, and what was put out before is
    kept.
    """
    run = execute("print('before')", "import os\nos._exit(3)")
    assert run.ending is Ending.DIED
    assert "the kernel died in code cell 2 (exit status 3)" in message(run)
    assert run.cells[0].printed == "before\n"


def test_kernel_out_of_memory(execute: Execute) -> None:
    """Running out of memory is told apart from dying."""
    run = execute(
        "hoard = []\nwhile True:\n    hoard.append(bytearray(10**7))", memory_bytes=300_000_000
    )
    assert run.ending is Ending.STOPPED
    assert "out of memory: the limit is 300 MB" in message(run)


def test_flood_of_output_is_cut(execute: Execute) -> None:
    """More output than is kept is no fault, and the notebook goes on."""
    run = execute(
        "for i in range(100_000):\n    print(i)", "results = 1", rules={"output_bytes": 10_000}
    )
    assert run.ending is Ending.RETURNED, message(run)
    assert len(run.cells[0].printed) <= 10_000
    assert "the rest is left out" in run.cells[0].stderr
    assert run.values == {"results": plain_data.encode(1)}


WIDGETS = """
import ipywidgets
from IPython.display import display
slider, output = ipywidgets.IntSlider(value=3), ipywidgets.Output()
display(slider, output)
with output:
    print("into the widget")
"""


def test_widgets_are_kept_as_jupyter_keeps_them(execute: Execute) -> None:
    """A widget is displayed, what is printed in an Output widget is part of its state, and the
    notebook has both.
    """
    run = execute(WIDGETS, "slider.value = 7\nresults = slider.value")
    assert run.ending is Ending.RETURNED, message(run)
    shown = [
        each["data"]["application/vnd.jupyter.widget-view+json"]["model_id"]
        for each in run.cells[0].outputs
    ]
    kept = run.document["metadata"]["widgets"]["application/vnd.jupyter.widget-state+json"]["state"]
    slider, output = (kept[model_id]["state"] for model_id in shown)
    assert slider["value"] == 7
    assert [each["text"] for each in output["outputs"]] == ["into the widget\n"]
    assert run.values == {"results": plain_data.encode(7)}


def test_flood_of_widgets_is_cut(execute: Execute) -> None:
    """Of widgets no more is kept than of output."""
    flood = "import ipywidgets\nfor i in range(200):\n    ipywidgets.Text(value='x' * 1000)"
    run = execute(flood, "results = 1", rules={"output_bytes": 10_000})
    assert (run.ending, run.values) == (
        Ending.RETURNED,
        {"results": plain_data.encode(1)},
    ), message(run)
    assert len(str(run.document["metadata"]["widgets"])) < 30_000


# --- hangs


@METHODS
def test_proven_hang(execute: Execute, method: str) -> None:
    """A cell that waits for what never comes is explained, with the line, in the cell or in the
    module it calls.
    """
    run = execute("import multiprocessing as mp\nq = mp.Queue()", "x = 1\nq.get()", method=method)
    assert (run.ending, run.why) == (Ending.HUNG, "proof")
    assert "code cell 2 hangs: the parent" in message(run)
    assert "at code cell 2:2: q.get()" in message(run)


@pytest.mark.parametrize(
    "endless",
    [
        "mp.Queue().get()",
        "while 1:\n    pass",
        "mp.Pool(2).map(time.sleep, [99])",
        "while 1:\n    time.sleep(0.05)",
    ],
)
def test_what_was_made_before_a_hang_counts(execute: Execute, endless: str) -> None:
    """A cell that does not come to its end is interrupted, and takes nothing from earlier ones; so
    in Jupyter.
    """
    run = execute(
        "import multiprocessing as mp, time\nresults = [1]",
        f"print('so far')\n{endless}",
        "results = []",
        rules={"cell_seconds": 6.0},
    )
    assert run.ending in (Ending.HUNG, Ending.TIMED_OUT)
    assert run.values == {"results": plain_data.encode([1])}
    assert checks.has_list("results")(run).outcome is PASSED
    assert checks.has_list("results2")(run).outcome is SKIPPED
    # nothing of the interruption
    assert (run.cells[1].error_type, run.cells[1].text) == ("", "so far\n")


def test_cell_that_cannot_be_interrupted(execute: Execute) -> None:
    """What earlier cells have made is not known then, and left undecided."""
    run = execute(
        "import multiprocessing as mp\nresults, q = [1], mp.Queue()",
        "while True:\n    try:\n        q.get()\n    except KeyboardInterrupt:\n        pass",
    )
    assert (run.ending, run.told) == (Ending.HUNG, False)
    assert checks.has_list("results")(run).outcome is SKIPPED


def test_cells_with_the_same_code(execute: Execute) -> None:
    """Of two cells with the same code the one that was executed is named."""
    run = execute(
        "import multiprocessing as mp\nq = mp.Queue()\nq.put(1)", "q.get()", "q.get()", "q.get()"
    )
    assert "code cell 3 hangs" in message(run)
    assert "at code cell 3:1: q.get()" in message(run)


def test_variable_that_is_too_large(execute: Execute) -> None:
    """The first items of a list stand for all; anything else is named, and keeps no other from
    being read.
    """
    names = ("results", "other", "huge")
    run = execute(
        "results = list(range(2_000_000))",
        "other = [1]",
        "huge = dict.fromkeys(range(1_000_000))",
        rules={"variables": names},
    )
    assert run.values["other"] == plain_data.encode([1])
    assert run.values["results"] == plain_data.encode(list(range(1000)))
    assert run.values["huge"] == ["object", "a dict too large to read"]
    assert checks.no_process_left()(run).outcome is Outcome.ABSENT


def test_hang_in_a_module(execute: Execute) -> None:
    """The line of a companion module is named."""
    run = execute("import cv_funcs as cvf", "cvf.worker(cvf.mp.Queue(), None)")
    assert "at cv_funcs.py:" in message(run)


def test_napping_hang(execute: Execute) -> None:
    """A cell that sleeps and looks again and again is called inactive after the assignment's
    patience.
    """
    run = execute("import time\nwhile True:\n    time.sleep(0.05)", patience=1.5)
    assert (run.ending, run.why) == (Ending.HUNG, "steady")
    assert "sleeps again and again, at code cell 1:3" in message(run)


@pytest.mark.parametrize("rules", [{"cell_seconds": 2.0}, {"seconds": 2.0}])
def test_time_limits(execute: Execute, rules: dict[str, float]) -> None:
    """A cell that computes for ever is ended by its own limit, or by that of all cells together."""
    run = execute("while True:\n    pass", rules=rules)
    assert run.ending is Ending.TIMED_OUT
    together = ", when the time for all cells together was over" if "seconds" in rules else ""
    assert re.search(
        rf"code cell 1 was not done after \d+ s{together}: the parent .* is busy", message(run)
    )


@pytest.mark.usefixtures("others_have_the_cores")
def test_time_limit_of_all_cells_stands_still_while_others_have_the_cores(execute: Execute) -> None:
    """Four cells that need 1.2 s of CPU are done within 2 s that are the notebook's own."""
    cell = (
        "import time\nend = time.process_time() + 0.3\nwhile time.process_time() < end:\n    pass"
    )
    run = execute(cell, cell, cell, cell, rules={"seconds": 2.0}, import_seconds=60.0)
    assert told(run) == [(Ending.RETURNED, "")] * 4
    assert sum(each.seconds for each in run.cells) > 2.0


# --- functions of the notebook


@pytest.mark.parametrize("method", ["spawn", "forkserver"])
@pytest.mark.parametrize("items", [4, 100_000])
def test_pool_that_cannot_find_its_function(execute: Execute, method: str, items: int) -> None:
    """Workers that die for want of a function, few or without end, are explained."""
    run = execute(
        "import multiprocessing as mp\ndef f(x):\n    return x",
        f"with mp.Pool(2) as pool:\n    pool.map(f, range({items}), chunksize=1)",
        method=method,
    )
    assert (
        "child processes could not find f(), which the notebook defines | move f() into a module"
        in message(run)
    )


def test_pool_finds_its_function_under_fork(execute: Execute) -> None:
    """Forked workers have the notebook's functions."""
    run = execute(
        "import multiprocessing as mp\ndef f(x):\n    return x",
        "with mp.Pool(2) as p:\n    p.map(f, [1])",
    )
    assert run.ending is Ending.RETURNED, message(run)


# --- what is left behind


def left(run: Notebook) -> str:
    """Return what is said of processes that were left."""
    finding = checks.no_process_left()(run)
    assert finding.outcome is FAILED
    return finding.message


def test_pool_left_open(execute: Execute) -> None:
    """Its workers are still running."""
    run = execute("import cv_funcs as cvf", "pool = cvf.mp.Pool(2)\npool.map(cvf.square, [1])", "1")
    assert children(run.cells[1]) == ["alive", "alive"]
    assert "when the last cell was done, 2 processes were still running" in left(run)


def test_process_that_is_never_joined(execute: Execute) -> None:
    """One that has ended is a zombie."""
    run = execute(
        "import cv_funcs as cvf", "p = cvf.mp.Process(target=cvf.square, args=(2,))\np.start()"
    )
    assert "1 had ended but was never joined (zombie)" in left(run)


def test_detached_program(execute: Execute) -> None:
    """One in a session of its own outlives the kernel, not the run."""
    run = execute("import subprocess\nsubprocess.Popen(['sleep', '1000'], start_new_session=True);")
    assert "1 process was still running; 1 of them also when the kernel had ended" in left(run)


def test_workers_that_joblib_keeps(execute: Execute) -> None:
    """Joblib keeps its workers for the next call, and ends them with the kernel: nothing is left by
    that.
    """
    pytest.importorskip("joblib")
    run = execute(
        "from joblib import Parallel, delayed\nresults = Parallel(n_jobs=2)(delayed(abs)(i) for i"
        " in (1, 2))"
    )
    assert run.ending is Ending.RETURNED, message(run)
    assert "alive" in children(run.cells[0])
    assert not [name for name in os.listdir("/dev/shm") if f"loky-{run.trace.caller}-" in name]
    assert not [name for name in os.listdir("/dev/shm") if f"folder_{run.trace.caller}_" in name]
    assert checks.no_process_left()(run).outcome is PASSED


# --- what a kernel may not do


def test_kernel_does_not_see_the_grader(execute: Execute) -> None:
    """The environment holds no secrets, and start methods cannot be changed."""
    os.environ["MPGRADE_TEST_SECRET"] = "4711"
    try:
        run = execute(
            "import os, multiprocessing as mp\nprint('MPGRADE_TEST_SECRET' in os.environ)",
            "mp.set_start_method('fork', force=True)\nprint(mp.get_start_method())",
            method="spawn",
        )
    finally:
        del os.environ["MPGRADE_TEST_SECRET"]
    assert [cell.printed for cell in run.cells] == ["False\n", "spawn\n"]


def test_configuration_of_the_submission(execute: Execute) -> None:
    """A file that would configure IPython does not run before the first cell, where nothing would
    be seen of it.
    """
    files = dict.fromkeys(
        ("ipython_config.py", "ipython_kernel_config.py"), "import os\nos.environ['LOADED'] = '1'\n"
    )
    run = execute("import os\nprint('LOADED' in os.environ)", files=files)
    assert run.cells[0].printed == "False\n"


def test_kernel_that_talks_nonsense(execute: Execute) -> None:
    """A notebook that has its kernel send what no kernel sends is stopped, and the grader goes
    on.
    """
    send = """
ip = get_ipython().kernel
parent = ip.get_parent("shell")
ip.session.send(ip.iopub_socket, "stream", content={"text": 1}, parent=parent, ident=b"stream")
"""
    run = execute("results = [1]", send, "2")
    assert run.ending in (Ending.STOPPED, Ending.RETURNED)
    assert run.cells[0].ending is Ending.RETURNED


def results(items: Sequence[object]) -> dict[str, object]:
    """Return values as they are told."""
    return {"results": plain_data.encode(list(items))}


def test_who_did_the_work(execute: Execute) -> None:
    """Tasks that name the kernel's own pid, or one that never was, did not run in child
    processes.
    """
    wait = "import os, time\ndef wait(i):\n    return i, os.getpid(), 0.0, 1.0\n"
    apply = "results = cvf.mp_apply([(cvf.wait, (i,)) for i in range(4)])"
    files = {"cv_funcs.py": FUNCS + wait}
    run = execute("import cv_funcs as cvf", apply, isolation="auto", files=files)
    check = checks.made_by_children("results")
    assert check(run).outcome is PASSED
    own = dataclasses.replace(run, values=results([(0, run.pid, 0.0, 1.0)]))
    assert "ran in the notebook's own process" in check(own).message
    forged = dataclasses.replace(run, values=results([(0, 999_999, 0.0, 1.0)]))
    assert "never started" in check(forged).message


def test_answer_that_arrives_late() -> None:
    """The kernel has done everything, and its answer is taken in while the client is asked: the
    cell does not hang.
    """
    ways, arrived = iter(("quiet", "yes")), Event()

    def arrives_and_is_idle_again() -> bool:
        arrived.set()
        return False

    run = SimpleNamespace(
        watch=SimpleNamespace(until=lambda met, window: next(ways)),
        limits=Limits(patience=1.0),
        jupyter=SimpleNamespace(busy=arrives_and_is_idle_again),
    )
    assert Cells._until(cast("Cells", run), Future(), arrived.is_set) == "yes"
