"""What an example of a cause is: a run in which a pattern is seen."""

from __future__ import annotations

from dataclasses import dataclass

from pytest_mpgrade.records import Run


@dataclass(frozen=True, kw_only=True)
class Shown:
    """The symptom of a check, its run, and the name of the pattern that has to fit."""

    name: str
    symptom: str
    run: Run
