"""Do not await a coroutine."""

from __future__ import annotations

from collections.abc import Iterator

import libcst

from pytest_mpgrade.cli.mutants.source import MutableSource, Mutation


def without_await(source: MutableSource) -> Iterator[Mutation]:
    """Take each `await` away."""
    for awaiting in source.all_of(libcst.Await):
        what = f"{source.code(awaiting.expression)} without await"
        yield source.mutation(what, awaiting, awaiting.expression)
