"""Grade assignments on process-based parallelism.

Every process that a submission spawns imports this package, so it loads nothing by itself, not even
typing.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from pytest_mpgrade import tasks as tasks
    from pytest_mpgrade.judge import checks as checks

__version__ = "0.1.0"
__all__ = ["__version__", "checks", "tasks"]

_HOMES = {"checks": "pytest_mpgrade.judge.checks", "tasks": "pytest_mpgrade.tasks"}


def __getattr__(name: str) -> object:
    if name in _HOMES:
        from importlib import import_module

        return import_module(_HOMES[name])
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
