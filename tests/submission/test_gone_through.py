"""Functions that go through a parameter twice, which leaves nothing of a generator: by syntax."""

from __future__ import annotations

import ast

import pytest

from pytest_mpgrade.submission.gone_through import gone_through_twice

TWICE = {
    "for task in tasks: put(task)\n    for _ in tasks: get()": "for _ in tasks:",
    "n = len(list(tasks))\n    return [f(x) for x in tasks]": "[f(x) for x in tasks]",
    "for task in tasks: put(task)\n    return [get() for i in range(len(tasks))]": "len(tasks)",
    "a = sum(tasks)\n    return list(map(str, tasks))": "map(str, tasks)",
}
ONCE = [
    "tasks = list(tasks)\n    for task in tasks: put(task)\n    for _ in tasks: get()",
    "for task in tasks: put(task)\n    return n",
    "todo = iter(tasks)\n    for x in todo: put(x)\n    for x in todo: put(x)",
    "for x in others: put(x)\n    for x in others: put(x)",
]


@pytest.mark.parametrize(("body", "code"), TWICE.items())
def test_the_second_place_is_found(body: str, code: str) -> None:
    """The place that finds nothing left is named, with its function and line."""
    (use,) = gone_through_twice(ast.parse(f"def mp_apply(tasks, n=2):\n    {body}\n"))
    assert (use.name, use.line, use.code) == ("mp_apply() again", 3, code)


@pytest.mark.parametrize("body", ONCE)
def test_a_list_of_it_can_be_gone_through_again(body: str) -> None:
    """Who makes a list first, goes through it once, or goes on with one iterator is not named."""
    assert not [*gone_through_twice(ast.parse(f"def mp_apply(tasks, n=2):\n    {body}\n"))]
