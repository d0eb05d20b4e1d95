"""Notebook -> Run, as pytest sees it.

This lays out the files that a kernel finds, asks a supervisor, and reads its report. A kernel's
current folder is a copy of the submission that it may write in. The assignment's data lie there as
links to files that it may only read.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
from collections.abc import Sequence
from dataclasses import asdict

from pytest_mpgrade import inside
from pytest_mpgrade.isolation.run_folder import RunFolder
from pytest_mpgrade.records import Ending, Notebook, NotebookDocument, NotebookRules, Plain
from pytest_mpgrade.run.client import request
from pytest_mpgrade.run.client.answers import answer
from pytest_mpgrade.run.client.executed_cells import executed_cells
from pytest_mpgrade.run.client.request import Setting, workspace
from pytest_mpgrade.run.observe import deadline
from pytest_mpgrade.run.protocol import START_SECONDS, CellsReport, CellsRequest, Connection
from pytest_mpgrade.system.ignored_names import IGNORED

MOST_DOCUMENT = 200_000_000
"""Bytes of an executed notebook that is read into the grader's memory: four times what may be
handed in, with outputs.
"""
_END_SECONDS = 200.0
"""Seconds that a supervisor may take after the last cell: to interrupt it, to ask for values, and
to end the kernel.
"""
_INSIDE = os.path.dirname(os.path.abspath(inside.__file__))


def key_of(start_method: str) -> str:
    """Return a name for an execution; equal executions have equal names."""
    return f"notebook/{start_method}"


def run_notebook(
    document: NotebookDocument, start_method: str, setting: Setting, packages: Sequence[str] = ()
) -> Notebook:
    """Execute a notebook, in the form of nbformat 4, in a fresh kernel under a start method.

    *packages* are the ones like multiprocessing that the notebook uses besides it. Raises
    SupervisorError when the grader or the machine is to blame.
    """
    rules = setting.assignment.notebook or NotebookRules()
    with workspace() as (folder, prefix):
        asked = _request(document, start_method, setting, packages, folder, prefix)
        limits = setting.assignment.limits
        seconds = (1 + deadline.MOST) * (START_SECONDS + rules.seconds) + _END_SECONDS
        report = request.ask_supervisor(asked, seconds, CellsReport)
        executed = _executed(folder.executed) or document
        values = (
            answer(folder.box, "values", limits.answer_bytes, named=True).value
            if report.told
            else None
        )
        return _notebook(report, document, executed, values, start_method, setting)


def broken(start_method: str, setting: Setting, why: str) -> Notebook:
    """Return an execution of which nothing is known."""
    call = setting.submission.module
    return Notebook(
        key=key_of(start_method),
        call=call,
        function="notebook",
        start_method=start_method,
        ending=Ending.BROKEN,
        why=why,
    )


# --- what a kernel finds


def _request(
    document: NotebookDocument,
    method: str,
    setting: Setting,
    packages: Sequence[str],
    folder: RunFolder,
    prefix: str,
) -> CellsRequest:
    rules = setting.assignment.notebook or NotebookRules()
    here, shown = os.path.join(folder.scratch, "notebook"), os.path.join(folder.path, "shown")
    _lay_out(setting.submission.folder, here, shown, rules)
    connection = _connection(folder)
    kernel_request = _write_kernel_request(
        folder, here, connection, method, packages, setting, prefix
    )
    _write(os.path.join(folder.path, "submitted.json"), document)
    environment = request.environment(folder, prefix)
    environment["IPYTHONDIR"] = os.path.join(folder.scratch, ".ipython")
    if rules.python:
        environment["PYTHONPATH"] = _library(shown)
    return CellsRequest(
        run_folder=folder.path,
        isolation=setting.isolation,
        shown=shown,
        start_method=method,
        prefix=prefix,
        observer=setting.observer,
        limits=setting.assignment.limits,
        environment=environment,
        file="submitted.json",
        kernel_request=kernel_request,
        connection=connection,
        folder=here,
        python=rules.python,
        names=rules.variables,
        cell_seconds=rules.cell_seconds,
        seconds=rules.seconds,
        output_bytes=rules.output_bytes,
    )


def _connection(folder: RunFolder) -> Connection:
    """Return where a kernel listens: sockets in the box, under a key that nobody can guess."""
    return Connection(
        transport="ipc",
        ip=os.path.join(folder.box, "kernel"),
        key=secrets.token_hex(16),
        signature_scheme="hmac-sha256",
        shell_port=1,
        iopub_port=2,
        stdin_port=3,
        control_port=4,
        hb_port=5,
    )


def _write_kernel_request(
    folder: RunFolder,
    here: str,
    connection: Connection,
    method: str,
    packages: Sequence[str],
    setting: Setting,
    prefix: str,
) -> str:
    """Write what the kernel reads when it starts; return the path of its request."""
    connection_file = os.path.join(folder.box, "connection.json")
    _write(connection_file, asdict(connection))
    kernel_request = os.path.join(folder.box, "kernel_request.json")
    content = {
        "folder": here,
        "connection": connection_file,
        "answers": folder.box,
        "start_method": method,
        "packages": list(packages),
        "prefix": prefix,
        "most_processes": request.most_processes(setting),
    }
    _write(kernel_request, content)
    return kernel_request


def _lay_out(submission: str, here: str, shown: str, rules: NotebookRules) -> None:
    shutil.copytree(submission, here)
    os.mkdir(shown, 0o755)
    os.chmod(shown, 0o755)  # noqa: S103 - read by a spare user
    if not rules.files:
        return
    files = os.path.join(shown, "files")
    shutil.copytree(rules.files, files)
    for name in os.listdir(files):
        link = os.path.join(here, name)
        if os.path.isdir(link) and not os.path.islink(link):
            shutil.rmtree(link)
        elif os.path.lexists(link):
            os.unlink(link)  # the assignment's file takes the place of the submission's
        os.symlink(os.path.join(files, name), link)
    for place, folders, names in os.walk(files):
        for name in (".", *folders):
            os.chmod(os.path.join(place, name), 0o755)  # noqa: S103 - read by a spare user
        for name in names:
            os.chmod(os.path.join(place, name), 0o444)


def _library(shown: str) -> str:
    """Copy the code that runs beside student code for another Python; return the folder.

    That Python has no package of ours, and needs no other part of it.
    """
    library = os.path.join(shown, "library")
    package = os.path.join(library, "pytest_mpgrade")
    shutil.copytree(
        _INSIDE, os.path.join(package, "inside"), ignore=shutil.ignore_patterns(*IGNORED)
    )
    with open(os.path.join(package, "__init__.py"), "w", encoding="ascii"):
        pass
    return library


def _write(path: str, content: object) -> None:
    with open(path, "w", encoding="utf-8") as file:
        json.dump(content, file)


# --- what is reported


def _executed(path: str) -> NotebookDocument:
    if not os.path.exists(path) or os.path.getsize(path) > MOST_DOCUMENT:
        return {}
    with open(path, encoding="utf-8") as file:
        document: NotebookDocument = json.load(file)
    return document


def _notebook(
    report: CellsReport,
    document: NotebookDocument,
    executed: NotebookDocument,
    values: Plain,
    start_method: str,
    setting: Setting,
) -> Notebook:
    cells = tuple(executed_cells(report, document, executed))
    tried = [cell for cell in cells if cell.ending is not Ending.NOT_TRIED]
    last = tried[-1] if tried else None
    last_account = report.left or (report.cells[-1] if report.cells else report.kernel)
    kernel = report.kernel
    started = kernel.ending is Ending.RETURNED
    return Notebook(
        key=key_of(start_method),
        call=setting.submission.module,
        function="notebook",
        start_method=start_method,
        ending=(last.ending if last else Ending.RETURNED) if started else Ending.BROKEN,
        why=(
            (last.why if last else "")
            if started
            else f"{kernel.why}: {report.stderr.strip()[-300:]}".strip(": ")
        ),
        stopped=last.stopped if last else "",
        stderr=report.stderr,
        seconds=report.seconds,
        trace=last_account.trace(report.observer),
        pid=report.pid,
        cells=cells,
        values=values if isinstance(values, dict) else {},
        told=isinstance(values, dict),
        looked=report.left is not None,
        after=report.after.processes if report.after else (),
        document=executed,
    )
