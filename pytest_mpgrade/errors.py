"""Our exceptions. Each message is one clear line; `cli.py` and `plugin.py` print it as it is."""

from __future__ import annotations


class MpgradeError(Exception):
    """Base of all errors that a user can act on."""


class UsageError(MpgradeError):
    """Wrong usage: a path that is missing, an assignment that does not exist. Exit code 2."""


class AssignmentError(UsageError):
    """A mistake in an `assignment.toml`, with its place."""


class UngradableError(MpgradeError):
    """A submission that cannot be graded, with the reason. Exit code 3."""


class SupervisorError(MpgradeError):
    """The supervisor of a run broke, or was ended: the grader or the machine is at fault."""


class SupervisorKilledError(SupervisorError):
    """Somebody killed the supervisor of a run by a signal; when that happens again, it is the submission's doing."""
