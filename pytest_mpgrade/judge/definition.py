"""The decorator that makes a check of one plain function.

The function takes a run, and then the parameters of the check, and returns a verdict::

    @check(title="at most {n} tasks are run", concern=Concern.RESULTS, hint="run each task once")
    def at_most(run: Run, n: int) -> Verdict:
        ran = len(run.trace.events)
        return PASSED if ran <= n else failed(f"{ran} tasks were run; {n} were asked for")

A test gives the parameters, and not the run: ``student.check(run, at_most(3))``.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable, Mapping
from string import Formatter
from typing import Any, Concatenate, ParamSpec, Protocol, TypeAlias, TypeVar, overload

from pytest_mpgrade.judge.check import MAKES_CHECK, Check
from pytest_mpgrade.judge.verdict import Verdict
from pytest_mpgrade.records import Concern, Run

P = ParamSpec("P")
RunT = TypeVar("RunT", bound=Run)
RunT_co = TypeVar("RunT_co", bound=Run, covariant=True)

Text: TypeAlias = str | Callable[..., str]
"""The type of titles and hints.

It is a format string over the parameters of the check, or a function that names some of them.
"""


class UnfitRunError(TypeError):
    """A test gives a check a run of another kind than it can judge: a mistake of the author's."""


class Decorator(Protocol[RunT_co]):
    """A function that turns a judge into a function that makes a `Check`.

    The judge takes a run and parameters. The function that makes the check takes the parameters
    alone.
    """

    def __call__(
        self, function: Callable[Concatenate[RunT_co, P], Verdict], /
    ) -> Callable[P, Check]:
        """Make a check of *function*."""


@overload
def check(
    *,
    title: Text,
    concern: Concern = Concern.RESULTS,
    hint: Text = "",
    name: str = "",
    of_tasks: bool = False,
) -> Decorator[Run]: ...


@overload
def check(
    *,
    title: Text,
    concern: Concern = Concern.RESULTS,
    hint: Text = "",
    name: str = "",
    judges: type[RunT],
) -> Decorator[RunT]: ...


def check(
    *,
    title: Text,
    concern: Concern = Concern.RESULTS,
    hint: Text = "",
    name: str = "",
    judges: type[Run] = Run,
    of_tasks: bool = False,
) -> Decorator[Any]:
    """Make a check of a function that takes a run and parameters, and returns a `Verdict`.

    *title* says what is asked, as reports show it. *hint* tells a student what to do about a
    failure whose verdict has no hint of its own. Both may depend on the parameters; see `Text`. A
    parameter that is called ``concern`` takes the place of *concern*. *name* is the name of the
    function, unless it is given. *judges* is the only kind of run that the check accepts: for
    another kind it raises `UnfitRunError`. A check *of_tasks* does the same for a call that was
    given no task of `pytest_mpgrade.tasks`: only these tell the grader which process runs them.
    """

    def decorate(function: Callable[Concatenate[Any, P], Verdict]) -> Callable[P, Check]:
        called = name or function.__name__
        signature = _without_run(function)
        _known(called, (title, hint), signature)

        @functools.wraps(function)
        def make(*args: P.args, **kwargs: P.kwargs) -> Check:
            parameters = _bound(called, signature, *args, **kwargs)

            @functools.wraps(function)
            def judge(run: Run) -> Verdict:
                if of_tasks and not run.tasked:
                    raise UnfitRunError(_no_tasks(called, run))
                return function(_of_kind(run, judges), *args, **kwargs)

            said = _worded(title, parameters), _worded(hint, parameters)
            own = parameters.get("concern", concern)
            return Check(name=called, title=said[0], concern=own, judge=judge, hint=said[1])

        vars(make)["__signature__"] = signature  # help() and editors show it
        vars(make)[MAKES_CHECK] = True
        return make

    return decorate


def _without_run(function: Callable[..., Verdict]) -> inspect.Signature:
    """Return the signature of the function that makes the check: without the run."""
    _, *parameters = inspect.signature(function).parameters.values()
    return inspect.Signature(parameters, return_annotation=Check.__name__)


def _known(name: str, texts: Iterable[Text], signature: inspect.Signature) -> None:
    """Raise TypeError where a title or a hint names a parameter that the check does not have."""
    for unknown in sorted(
        {word for text in texts for word in _names(text)} - set(signature.parameters)
    ):
        raise TypeError(
            f"{name}(): its title or hint names {unknown!r}, and it has no such parameter"
        )


def _names(text: Text) -> list[str]:
    """Return the parameters that a title or a hint names."""
    if not isinstance(text, str):
        return list(inspect.signature(text).parameters)
    return [field for _, field, _, _ in Formatter().parse(text) if field is not None]


def _bound(
    name: str, signature: inspect.Signature, *args: object, **kwargs: object
) -> dict[str, Any]:
    """Return all parameters by name, with their defaults.

    For wrong parameters it raises TypeError, with the name of the check in the message.
    """
    try:
        bound = signature.bind(*args, **kwargs)
    except TypeError as wrong:
        raise TypeError(f"{name}(): {wrong}") from None
    bound.apply_defaults()
    return bound.arguments


def _worded(text: Text, parameters: Mapping[str, Any]) -> str:
    if isinstance(text, str):
        return text.format_map(parameters)
    return text(**{name: parameters[name] for name in _names(text)})


def _no_tasks(name: str, run: Run) -> str:
    return (
        f"checks.{name} follows tasks of pytest_mpgrade.tasks, and {run.call} was given none;"
        " checks.started, ended_by_sentinel and no_leftovers judge any call, by its processes"
    )


_GIVEN_BY = {
    "Exploration": "student.explore()",
    "Notebook": "notebook.run()",
    "Scaling": "student.scale()",
    "Timing": "student.time()",
}
"""What a test calls to get each kind of run that has a class of its own."""


def _of_kind(run: Run, kind: type[Run]) -> Run:
    if not isinstance(run, kind):
        given_by = _GIVEN_BY.get(kind.__name__, f"what gives a {kind.__name__}")
        raise UnfitRunError(
            f"this check is for what {given_by} returns, not for {type(run).__name__}"
        )
    return run
