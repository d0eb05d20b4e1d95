"""Calls that share a process, because each start of an interpreter costs more than a call.

No verdict depends on sharing. A call in a shared process counts where it, and all before it, came
back and left nothing behind; whatever a check finds fault with is made again in a process of its
own, and judged by that (`calls.Student.check`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from pytest_mpgrade.records import Ending, Run, Scenario


@dataclass(frozen=True, kw_only=True)
class Share:
    """The place of one call in a play of several."""

    whole: Scenario
    place: int

    def runs(self, played: Sequence[Run]) -> tuple[Run, ...]:
        """Return the runs of the import and of the call; () where they prove nothing.

        *played* are the runs of the whole play.
        """
        imported, *calls = played
        if not all(map(is_clean, calls[: self.place])) or not _came_back(calls[self.place]):
            return ()
        return imported, _alone(calls[self.place])


class SharedPlays:
    """The plays that calls share, by the scenarios of those calls."""

    def __init__(self) -> None:
        self._shares: dict[str, Share] = {}
        self._known: set[str] = set()
        self._members: dict[str, tuple[Scenario, ...]] = {}  # by the scenario of their play

    def add(self, members: Sequence[Scenario]) -> None:
        """Have *members*, of one call each, share a play; those that are known stay as they are."""
        new = [each for each in members if each.key not in self._known]
        self._known |= {each.key for each in members}
        if len(new) < 2:
            return
        steps = tuple(step for each in new for step in each.steps)
        whole = Scenario(steps=steps, start_method=new[0].start_method)
        self._members[whole.key] = tuple(new)
        self._shares |= {
            each.key: Share(whole=whole, place=place) for place, each in enumerate(new)
        }

    def of(self, scenario: Scenario) -> Share | None:
        """Return the place of a scenario's call in a shared play; None where it has none."""
        return self._shares.get(scenario.key)

    def unproven(self, whole: Scenario, played: Sequence[Run]) -> list[Scenario]:
        """Return those of a play's members about which its runs, *played*, prove nothing."""
        members = self._members.get(whole.key, ())
        shares = [(each, self._shares.get(each.key)) for each in members]
        return [each for each, share in shares if share is not None and not share.runs(played)]

    def leave(self, scenario: Scenario) -> None:
        """Have the call of a scenario made in a process of its own from now on."""
        self._shares.pop(scenario.key, None)


def _came_back(run: Run) -> bool:
    return run.ending in (Ending.RETURNED, Ending.RAISED)


def _alone(run: Run) -> Run:
    """Return the run of a call without the processes of the calls before it: they have ended."""
    mine = tuple(each for each in run.trace.processes if each.helper or each.first >= 0)
    return replace(run, trace=replace(run.trace, processes=mine))


def is_clean(run: Run) -> bool:
    """Tell whether a call came back, and left nothing for the next to find."""
    processes = [each for each in run.trace.processes if not each.helper]
    gone = all(each.at_return == each.later == "gone" for each in processes)
    return _came_back(run) and gone and not run.trace.leftovers
