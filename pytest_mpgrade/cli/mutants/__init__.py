"""Mutants: wrong solutions that are made from a right one by one small change of its syntax each.

A mutator is a function that finds the places for one idea, such as a `join()` that is left out, and
makes that change at each of them. The ideas are the faults that matter in programs of several
processes. Mutation testing is the usual name for the whole.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from pytest_mpgrade.cli.mutants.arguments import without_arguments
from pytest_mpgrade.cli.mutants.awaits import without_await
from pytest_mpgrade.cli.mutants.doubled import put_twice
from pytest_mpgrade.cli.mutants.dropped import without_calls
from pytest_mpgrade.cli.mutants.exchanged import joined_too_early
from pytest_mpgrade.cli.mutants.handlers import hidden_exceptions, widened_handlers
from pytest_mpgrade.cli.mutants.locks import without_locks
from pytest_mpgrade.cli.mutants.processes import one_process
from pytest_mpgrade.cli.mutants.source import MutableSource, Mutation

MUTATORS: tuple[Callable[[MutableSource], Iterator[Mutation]], ...] = (
    without_calls,
    joined_too_early,
    one_process,
    without_arguments,
    put_twice,
    without_locks,
    widened_handlers,
    hidden_exceptions,
    without_await,
)
"""All ideas. Of two that make the same text, the first one names it."""


@dataclass(frozen=True, kw_only=True)
class Mutant:
    """A solution with one change."""

    name: str  # "shut_down: without pool.join()": the same until the code of that place changes
    line: int  # of the change, in the right solution
    text: str


def mutants_of(text: str) -> list[Mutant]:
    """Return all mutants of a module, in the order of their lines."""
    source = MutableSource(text)
    found: dict[str, Mutation] = {}
    for mutator in MUTATORS:
        for mutation in mutator(source):
            if mutation.text != text:
                found.setdefault(mutation.text, mutation)
    times: Counter[str] = Counter()
    mutants = []
    for each in sorted(found.values(), key=lambda mutation: mutation.line):
        times[each.name] += 1
        number = f" ({times[each.name]})" if times[each.name] > 1 else ""
        mutants.append(Mutant(name=each.name + number, line=each.line, text=each.text))
    return mutants
