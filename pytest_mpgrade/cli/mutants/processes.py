"""Use one process, or thread, where the caller says how many."""

from __future__ import annotations

from collections.abc import Iterator

import libcst

from pytest_mpgrade.cli.mutants.source import MutableSource, Mutation

_NUMBERS = frozenset(("n_processes", "n_consumers", "n_jobs", "max_workers", "processes", "limit"))
"""Parameters that say how many work."""


def one_process(source: MutableSource) -> Iterator[Mutation]:
    """Give 1 in place of such a parameter wherever a call is given it."""
    for call in source.all_of(libcst.Call):
        for arg in call.args:
            if isinstance(arg.value, libcst.Name) and arg.value.value in _NUMBERS:
                what = f"1 for {arg.value.value} in {source.code(call)}"
                yield source.mutation(what, arg, arg.with_changes(value=libcst.Integer("1")))
