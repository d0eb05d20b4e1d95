"""Take a lock away."""

from __future__ import annotations

import re
from collections.abc import Iterator

import libcst

from pytest_mpgrade.cli.mutants.source import MutableSource, Mutation

_LOCK = re.compile(r"lock|mutex|sem(aphore)?\b|cond(ition)?\b|limit", re.IGNORECASE)
"""How locks and the like are called."""


def without_locks(source: MutableSource) -> Iterator[Mutation]:
    """Run the block of each `with lock:` without the lock."""
    for block in source.all_of(libcst.With):
        (first, *more), code = block.items, source.code(block.items[0].item)
        if more or first.asname is not None or not _LOCK.search(code):
            continue
        always = libcst.If(
            test=libcst.Name("True"), body=block.body, leading_lines=block.leading_lines
        )
        yield source.mutation(f"without the lock {code}", block, always)
