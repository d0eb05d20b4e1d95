"""The pytest plugin: markers, options, fixtures.

It only forwards; state lives in `session.GradingSession`.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from pytest_mpgrade.records import Assignment
    from pytest_mpgrade.session.session import GradingSession
    from pytest_mpgrade.student.calls import Student
    from pytest_mpgrade.student.notebook import StudentNotebook

_SESSION = "mpgrade-session"


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add our options."""
    group = parser.getgroup("mpgrade", "grading of assignments on process-based parallelism")
    group.addoption(
        "--mpgrade", metavar="ASSIGNMENT", help="grade this assignment: its name, or its folder"
    )
    group.addoption(
        "--mpgrade-submission",
        metavar="PATH",
        help="what was handed in: a folder or a file (default: here)",
    )
    group.addoption(
        "--mpgrade-id",
        metavar="ID",
        help="name of the submission in results (default: of its folder)",
    )
    group.addoption("--mpgrade-live", metavar="FILE", help=argparse.SUPPRESS)  # by mpgrade check
    group.addoption("--mpgrade-out", metavar="FOLDER", help="write FOLDER/result.json")
    drawn = "draw what each process did and when, for each failure about processes"
    group.addoption("--mpgrade-timeline", action="store_true", help=drawn)
    _add_run_options(group)
    parser.addini(
        "mpgrade_assignment", "grade this assignment when pytest is called without --mpgrade"
    )


def _add_run_options(group: pytest.OptionGroup) -> None:
    """Add the options that say how student code is run."""
    group.addoption(
        "--mpgrade-observer",
        choices=("auto", "ptrace", "proc", "psutil"),
        default="auto",
        help="how processes are observed; psutil: practice mode, as on macOS and Windows",
    )
    group.addoption(
        "--mpgrade-isolation",
        choices=("auto", "uid", "bwrap", "landlock", "none"),
        default="auto",
        help="what keeps student code apart; auto: the strongest that works here",
    )
    group.addoption(
        "--mpgrade-require-isolation",
        action="store_true",
        help="award no points where there is no isolation",
    )
    group.addoption(
        "--mpgrade-limit",
        metavar="NAME=VALUE",
        action="append",
        default=[],
        help="another limit than the assignment's, e.g. memory_bytes=1GB, processes=64",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Register markers, and the session's object if an assignment is graded."""
    config.addinivalue_line(
        "markers",
        "criterion(name, weight=1): the test is a question of this criterion; its questions share"
        " the points by weight",
    )
    config.addinivalue_line(
        "markers",
        "start_methods(*names): run the test under these start methods; 'any': under one, whichever"
        " the platform has; 'default': under its default",
    )
    config.addinivalue_line(
        "markers",
        "rehearsed: the test does nothing but play and check; it is called once before, for its"
        " plays to be made ahead",
    )
    name = config.getoption("--mpgrade") or config.getini("mpgrade_assignment")
    if name:
        from pytest_mpgrade.session.failures import FailureSummary
        from pytest_mpgrade.session.rehearsal import Rehearsals
        from pytest_mpgrade.session.selection import Selection
        from pytest_mpgrade.session.session import GradingSession

        session = GradingSession.from_config(config, str(name))
        config.pluginmanager.register(session, _SESSION)
        config.pluginmanager.register(Selection(session.assignment, config), "mpgrade-selection")
        config.pluginmanager.register(FailureSummary(), "mpgrade-failures")
        _register_progress(config, session)
        if not hasattr(config, "workerinput"):  # the tests that come next may be another worker's
            config.pluginmanager.register(Rehearsals(), "mpgrade-rehearsals")
    else:
        _hold_folder(config)


def _hold_folder(config: pytest.Config) -> None:
    """Raise UsageError where the tests of an assignment are asked for without a submission.

    Each of them would end with a traceback, and so would its wrong solutions.
    """
    for argument in config.args:
        path = config.invocation_params.dir / argument.partition("::")[0]
        folder = path if path.is_dir() else path.parent
        if (folder / "assignment.toml").is_file():
            raise pytest.UsageError(
                f"{folder} is an assignment, and its tests need a submission: mpgrade verify"
                f" {folder}, or pytest --mpgrade {folder} --mpgrade-submission PATH"
            )


def _register_progress(config: pytest.Config, session: GradingSession) -> None:
    """Register what shows users what happens while it does."""
    from pytest_mpgrade.session.live_progress import InterruptedRuns, LiveProgress, TimeAhead
    from pytest_mpgrade.session.printed_output import PrintedOutput

    config.pluginmanager.register(PrintedOutput(session.covered), "mpgrade-printed")
    if hasattr(config, "workerinput"):
        return
    live = config.getoption("--mpgrade-live")
    hidden = frozenset(each.name for each in session.assignment.criteria if each.hidden)
    shown = LiveProgress(Path(live), hidden) if live else TimeAhead()
    config.pluginmanager.register(shown, "mpgrade-progress")
    if not live:
        config.pluginmanager.register(InterruptedRuns(), "mpgrade-interrupted")


def _session(config: pytest.Config) -> GradingSession:
    session: GradingSession | None = config.pluginmanager.get_plugin(_SESSION)
    if session is None:
        raise pytest.UsageError(
            "no assignment: use --mpgrade NAME, or mpgrade_assignment = NAME in pytest.ini"
        )
    return session


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test of a submission once for each start method."""
    if "start_method" in metafunc.fixturenames and metafunc.config.pluginmanager.has_plugin(
        _SESSION
    ):
        marker = metafunc.definition.get_closest_marker("start_methods")
        metafunc.parametrize(
            "start_method", _session(metafunc.config).start_methods(marker.args if marker else ())
        )


@pytest.fixture
def start_method() -> str:
    """Return the start method of multiprocessing under which this test runs."""
    raise pytest.UsageError("start_method is given by the plugin; use --mpgrade NAME")


@pytest.fixture
def assignment(request: pytest.FixtureRequest) -> Assignment:
    """Return the assignment that is graded."""
    return _session(request.config).assignment


@pytest.fixture
def student(request: pytest.FixtureRequest, start_method: str) -> Student:
    """Return the submission that is graded."""
    return _session(request.config).student(request.node, start_method)


@pytest.fixture
def notebook(request: pytest.FixtureRequest, start_method: str) -> StudentNotebook:
    """Return the notebook that is graded; nothing collects or executes notebooks but this."""
    return _session(request.config).notebook(request.node, start_method)


@pytest.fixture
def reference(request: pytest.FixtureRequest, start_method: str) -> Student:
    """Return the trusted solution as an object of the same kind; skip where there is none."""
    found = _session(request.config).reference(start_method)
    if found is None:
        pytest.skip("the reference solution is not installed here")
    return found
