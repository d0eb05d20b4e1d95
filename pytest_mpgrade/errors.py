"""Our exceptions. Each message is one clear line; `cli.py` and `plugin.py` print it as it is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager


class MpgradeError(Exception):
    """Base of all errors that a user can act on."""


class UsageError(MpgradeError):
    """Wrong usage: a path that is missing, an assignment that does not exist. Exit code 2.

    Its message is one mistake; it may carry others that were found at the same time.
    """

    def __init__(self, message: str = "", *, others: Iterable[str] = ()) -> None:
        super().__init__(message)
        self.others = tuple(others)

    @property
    def lines(self) -> tuple[str, ...]:
        """All mistakes, a line each."""
        return (str(self), *self.others)


class AssignmentError(UsageError):
    """A mistake in an `assignment.toml`, with its place, and the others in the same file."""


class Mistakes:
    """Collects the mistakes of several inputs, so that a user is told all of them at once."""

    def __init__(self) -> None:
        self._lines: list[str] = []

    def add(self, line: str) -> None:
        """Add one mistake."""
        self._lines.append(line)

    @contextmanager
    def collected(self) -> Iterator[None]:
        """Add the mistakes of a UsageError that ends the context."""
        try:
            yield
        except UsageError as error:
            self._lines += error.lines

    def tell(self) -> None:
        """Raise UsageError with all mistakes, if there are any."""
        if self._lines:
            first, *others = dict.fromkeys(self._lines)
            raise UsageError(first, others=others)


class UngradableError(MpgradeError):
    """A submission that cannot be graded, with the reason, a hint, and the student's own line.

    Exit code 3.
    """

    def __init__(
        self, message: str, *, hint: str = "", source: Mapping[str, object] | None = None
    ) -> None:
        super().__init__(message)
        self.hint = hint
        self.source = dict(source or {})  # file, line, code; empty where no line is at fault


class LackingError(UngradableError):
    """The grader lacks a package that the assignment allows and the submission imports.

    Nothing can be said of the submission.
    """


class SupervisorError(MpgradeError):
    """The supervisor of a run broke, or was ended: the grader or the machine is at fault."""


class SupervisorKilledError(SupervisorError):
    """Somebody killed the supervisor of a run by a signal.

    When that happens again, it is the submission's doing.
    """


class BrokenOffError(SupervisorError):
    """The grader itself has ended the supervisor in the middle of a run, as on Ctrl-C."""


def error_words(error: Exception) -> str:
    """Return an error's message; one that is not ours has the name of its class before it."""
    return str(error) if isinstance(error, MpgradeError) else f"{type(error).__name__}: {error}"
