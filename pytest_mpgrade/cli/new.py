"""`mpgrade new`: begin an assignment, and say what belongs where and what comes next."""

from __future__ import annotations

import argparse
import ast
import shlex
import textwrap
from collections.abc import Iterator
from pathlib import Path

from pytest_mpgrade.author import check_name, write_assignment
from pytest_mpgrade.author.asked import FunctionAsked, asked_function
from pytest_mpgrade.author.body import Body, body
from pytest_mpgrade.cli import schemas
from pytest_mpgrade.cli.exit_codes import RIGHT
from pytest_mpgrade.course.catalogue import GROUP, VARIABLE
from pytest_mpgrade.errors import UsageError
from pytest_mpgrade.system import console

_COLUMNS = 80
"""The width of a terminal, as everywhere."""


def main(arguments: argparse.Namespace) -> int:
    """Run `mpgrade new`.

    Raises UsageError for a name, signature or example that cannot be, and where files are already.
    """
    name = arguments.name
    check_name(name)
    asked = asked_function(
        arguments.function or f"{name}(values, n_processes=2)", arguments.example
    )
    computed = body(asked, _expected(arguments.expected))
    folder = arguments.out or Path(name)
    write_assignment(name, asked, computed, folder, schemas.text("assignment"))
    for line in _made(folder, asked, computed):
        console.say(line)
    console.say(_what_is_what(name))
    console.say(_next(name, folder))
    return RIGHT


def _made(folder: Path, asked: FunctionAsked, computed: Body) -> Iterator[str]:
    yield f"{folder}: an assignment that asks for {asked.signature}"
    says = [
        f"For now it returns {computed.words.replace('`', '')}:",
        f"{asked.call} is {computed.expected!r}",
    ]
    if not asked.count:
        says.append(f"No parameter says how many processes: {asked.processes} are asked for.")
    for each in says:
        yield from textwrap.wrap(
            each, _COLUMNS, initial_indent="  ", subsequent_indent="      ", break_on_hyphens=False
        )


def _expected(text: str) -> object:
    if not text:
        return None
    try:
        return ast.literal_eval(text.strip())
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        raise UsageError(
            f"--expected has to be a plain value, such as 6 or [1, 4, 9], got {text!r}"
        ) from None


def _what_is_what(name: str) -> str:
    rows = {
        f"reference/{name}.py": "your solution: change _compute() and _combine() first",
        f"test_{name}.py": "the questions: ARGUMENTS, EXPECTED, what is checked",
        "assignment.toml": "module, functions, points, packages, the late rule",
        "wrong/expected.toml": "wrong solutions, and what each of them must fail",
        "README.md": "the handout",
        "assignment.schema.json": "tells editors the keys; from mpgrade schema assignment",
        "starter/": "what students begin with",
    }
    width = max(map(len, rows))
    lines = [f"  {file:{width}}  {what}" for file, what in rows.items()]
    return "\n".join(["", "What belongs where (reference/ and wrong/ stay with you)", *lines])


def _next(name: str, folder: Path) -> str:
    """Return the next commands, each as it can be typed."""
    # a bare name may mean an assignment that has a name
    place = shlex.quote(
        str(folder) if folder.parent.name or folder.is_absolute() else f"./{folder}"
    )
    above = shlex.quote(str(folder.resolve().parent))
    return f"""
Next
  mpgrade verify {place}
      are right and wrong solutions told apart? Ask again after each change
  mpgrade rubric {place} --markdown
      the table of points in README.md
  mpgrade batch SUBMISSIONS --assignment {place} --out results

How students get it
  cd {place} && python -m zipfile -c ../{name}.zip README.md \\
      assignment.toml test_{name}.py starter/
      the tests go with it: in starter/ students type mpgrade check ..
      or copy starter/ into the template of GitHub Classroom, .github too
  mpgrade package gradescope {place}
      or classroom50: an autograder with the tests, to upload
  export {VARIABLE}={above}
      lets pytest, and mpgrade check {name}, find the tests on your machine, and
      so does an installed package with an entry point {GROUP}"""
