"""Check the criteria that require others, when an assignment is loaded."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from pytest_mpgrade.system.did_you_mean import nearest


def requirement_faults(
    required: Mapping[str, Sequence[str]],
) -> Iterator[tuple[tuple[int, str, int], str]]:
    """Yield mistakes with their places: unknown criteria, and those that require themselves.

    *required* has the criteria that each one requires, in the order of the rubric.
    """
    for index, (criterion, others) in enumerate(required.items()):
        for place, name in enumerate(others):
            if name not in required:
                yield (
                    (
                        index,
                        "requires",
                        place,
                    ),
                    f"there is no criterion {name!r}{nearest(name, required)}",
                )
            elif criterion in _all(name, required):
                yield (
                    (
                        index,
                        "requires",
                        place,
                    ),
                    f"in the end {name!r} requires {criterion!r} itself",
                )


def _all(name: str, required: Mapping[str, Sequence[str]]) -> set[str]:
    """Return a criterion, and all that it requires directly or indirectly."""
    required_ones: set[str] = set()
    todo = [name]
    while todo:
        if (one := todo.pop()) not in required_ones:
            required_ones.add(one)
            todo += required.get(one, ())
    return required_ones
