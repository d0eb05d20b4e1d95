"""What a grading tells its user through pytest, besides the results of tests."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pytest

from pytest_mpgrade.errors import AssignmentError, MpgradeError


@contextlib.contextmanager
def ending_pytest() -> Iterator[None]:
    """Have an error of ours end pytest with one line."""
    try:
        yield
    except AssignmentError as error:
        raise pytest.UsageError("\n".join(error.lines)) from None
    except MpgradeError as error:
        raise pytest.UsageError(str(error)) from None


def show_text(config: pytest.Config, text: str) -> None:
    """Show whole lines between those of pytest, which need not be ours."""
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if reporter is not None:
        reporter.ensure_newline()
        reporter.write(text)


def show(config: pytest.Config, line: str) -> None:
    """Show a line in the middle of a test: why it takes so long."""
    capture, reporter = (
        config.pluginmanager.get_plugin(name) for name in ("capturemanager", "terminalreporter")
    )
    if capture is not None and reporter is not None:
        with capture.global_and_fixture_disabled():
            reporter.ensure_newline()
            reporter.write_line(f"mpgrade: {line}")
