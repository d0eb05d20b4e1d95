"""The reference page of all checks, made of their definitions, their docstrings and their examples.

`mpgrade checks` prints it; docs/checks.md is a copy.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator
from enum import Enum

from pytest_mpgrade.inside import plain_data
from pytest_mpgrade.judge import checks
from pytest_mpgrade.judge.check import Check
from pytest_mpgrade.judge.examples import EXAMPLES, Example
from pytest_mpgrade.records import Concern, Ending, Notebook, Run
from pytest_mpgrade.system.text import first_paragraph

CHECKS: dict[str, Callable[..., Check]] = {
    name: getattr(checks, name)
    for name in checks.__all__
    if hasattr(getattr(checks, name), "__wrapped__")
}
"""All checks, by the names under which tests call them: what the decorator `check` has made."""

_INTRODUCTION = """# The checks

<!-- Made by `mpgrade checks` of the docstrings in pytest_mpgrade/judge/checks. -->

A test makes a run, and gives it to checks: `student.check(run, checks.met(), checks.workers(3))`.
For a notebook that is `notebook.check(notebook.run(), checks.draws())`. Each check says here which
run it needs, how it may end, and whom it blames. Titles, hints and messages are those of an example
where they depend on parameters or on what was seen. A check that has no hint here gives one that
depends on what was seen.

## How a check ends

- It *passes*, or it *fails*: the submission is at fault, in the concern of the check.
- It is *absent*: the submission did nothing that could be judged. That earns no points, and accuses
  nobody.
- It is *skipped*: the platform does not show what is asked.
- It *blames* another check: that one fails for the same fault, and this one is skipped. Where the
  other check has not failed, or was not asked, this one fails in the other's concern, so that no
  fault goes unnoticed.
- It is *inconclusive*: this machine could not decide. That counts neither way.

## What every check says

- A run that the grader could not make is an `error`, and so is one without a package that the
  assignment allows.
- Every check blames `imports_cleanly` when the module could not be imported. Nearly every check
  blames it also when the module starts processes as it is imported, so that every worker that
  imports it does so too.
- Nearly every check blames `works_under_start_method` when the same call comes back under another
  start method.
- A call that was not made, since an earlier one had ended badly, is left to the check that the
  earlier one belongs to. It is absent when a task had ended the calling process.
- A failure that comes of an import which is not there is a matter of the concern `import`.
- A call that was not back when the time limit came is inconclusive when the grader's own processes
  were starved too.
- A call that did not come back belongs to `workers_are_told_to_stop` when the parent waits for the
  end of workers that wait for a task. It belongs to `comes_back` when a process waits for a lock,
  for room in a pipe, or for an event that nobody sets. Else it belongs to `values_in_any_order`,
  and so does a call that raised.
"""


def page() -> str:
    """Return the page as Markdown."""
    modules = {inspect.unwrap(each).__module__ for each in CHECKS.values()}
    table = "\n".join(["| check | concern | asks |", "|---|---|---|", *map(_row, CHECKS)])
    sections = "\n\n".join(map(_section, sorted(modules)))
    return f"{_INTRODUCTION}\n## All checks\n\n{table}\n\n{sections}"


def parts_about(names: Iterable[str]) -> str:
    """Return what the page says of some checks, by their names or those of their concerns."""
    asked = {*names}
    chosen = [name for name in CHECKS if not asked.isdisjoint((name, str(_concern(name)[0])))]
    return "\n\n".join("\n".join(_lines(name)) for name in chosen)


def check_names() -> set[str]:
    """Return the names of all checks and of their concerns."""
    return {*CHECKS, *(str(_concern(name)[0]) for name in CHECKS)}


def _row(name: str) -> str:
    return f"| [`{name}`](#{name}) | {_concern(name)[0]} | {_escaped(_example(name).check.title)} |"


def _section(module: str) -> str:
    """Return what there is to say of the checks of one module."""
    names = [name for name, each in CHECKS.items() if inspect.unwrap(each).__module__ == module]
    title = inspect.getdoc(inspect.getmodule(CHECKS[names[0]])) or ""
    heading = first_paragraph(title).partition(";")[0].rstrip(".")
    return "\n\n".join([f"## {heading}", *("\n".join(_lines(name)) for name in names)])


def _lines(name: str) -> Iterator[str]:
    """Yield what there is to say of one check."""
    example = _example(name)
    check, finding = example.check, example.check(example.failing)
    yield f"### {name}\n"
    yield f"`checks.{name}({_parameters(CHECKS[name])})`\n"
    yield f"{inspect.getdoc(CHECKS[name])}\n"
    shown_as = "" if check.name == name else f", shown as `{check.name}`"
    yield f"- title: {_escaped(check.title)}{shown_as}"
    concern, given = _concern(name)
    yield f"- concern: `{concern}`{', unless the parameter says another one' if given else ''}"
    if check.hint:
        yield f"- hint: {_escaped(check.hint)}"
    yield f"- a run that passes: {_escaped(_seen(example.passing))}"
    advice = f"; hint: {finding.hint}" if finding.hint != check.hint else ""
    yield f"- what is said of one that fails: {_escaped(finding.message + advice)}"


def _example(name: str) -> Example:
    """Return the first example of a check."""
    function = inspect.unwrap(CHECKS[name])
    return next(each for each in EXAMPLES if inspect.unwrap(each.check.judge) is function)


def _parameters(check: Callable[..., Check]) -> str:
    """Return the parameters as a test gives them, without types: ``n, started=()``."""
    words, bare = [], False
    for each in inspect.signature(check).parameters.values():
        if each.kind is each.KEYWORD_ONLY and not bare:
            words.append("*")
        bare = bare or each.kind in (each.KEYWORD_ONLY, each.VAR_POSITIONAL)
        star = "*" if each.kind is each.VAR_POSITIONAL else ""
        words.append(
            f"{star}{each.name}{'' if each.default is each.empty else f'={_default(each.default)}'}"
        )
    return ", ".join(words)


def _default(value: object) -> str:
    if isinstance(value, Enum):
        return str(value.__class__.__name__) + "." + value.name
    return "…" if type(value) is object else repr(value)


def _concern(name: str) -> tuple[Concern, bool]:
    """Return the concern of a check, and whether a test can say another one."""
    parameter = inspect.signature(CHECKS[name]).parameters.get("concern")
    return (_example(name).check.concern, False) if parameter is None else (parameter.default, True)


def _seen(run: Run) -> str:
    """Say in a few words what a run that passes was."""
    if isinstance(run, Notebook):
        return f"{run.at} with {len(run.cells)} code cell{'s' * (len(run.cells) != 1)}"
    if run.ending is Ending.RAISED and run.error is not None:
        return f"{run.at} raised {run.error.type}: {run.error.message}"
    returned = plain_data.shown(run.encoded)
    return run.at if returned.endswith(("…", "?")) else f"{run.at} returned {returned}"


def _escaped(text: str) -> str:
    """Return a text in which Markdown sees no tags and no columns."""
    return text.replace("<", "&lt;").replace("|", "\\|")
