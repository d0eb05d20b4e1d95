"""The examples of the README and of `docs/` run, and give what the pages show of them."""

from __future__ import annotations

import argparse
import re
import sys
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from sybil import Document, Example
from sybil.parsers.markdown import CodeBlockParser, PythonCodeBlockParser

from pytest_mpgrade.cli.arguments import Command, parser
from pytest_mpgrade.cli.schemas import schema
from pytest_mpgrade.errors import UsageError
from support.console_blocks import ONLY_PARSED, Shell, check_that_it_parses, commands, fits
from support.running import ROOT

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
LANGUAGES = ("console", "python", "toml")
"""What is run or held against something; blocks of text, of CSV and of Docker are only shown."""


def _console(example: Example) -> None:
    shell: Shell = example.namespace["shell"]
    before = example.document.text[: example.region.start]
    for typed in commands(example.parsed):
        if ONLY_PARSED.search(before):
            check_that_it_parses(typed.command)
        else:
            shell.type(typed)


def _toml(example: Example) -> None:
    """Read a table, and hold what is of an assignment against the schema of these."""
    table = tomllib.loads(example.parsed)
    known = schema("assignment")
    if table.keys() <= _keys(known):
        jsonschema.validate(_as_json(table), _any_part(known))


def _keys(known: dict[str, Any]) -> set[str]:
    return set(known["$defs"]["Document"]["properties"])


def _any_part(known: Any) -> Any:
    """Return a schema that asks for no key, since a page shows a part of a file."""
    if isinstance(known, dict):
        return {key: _any_part(value) for key, value in known.items() if key != "required"}
    return known


def _as_json(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _as_json(each) for key, each in value.items()}
    if isinstance(value, list):
        return [*map(_as_json, value)]
    return value if isinstance(value, (str, int, float)) else value.isoformat()


def parsed(path: Path) -> Document:
    """Return a page with its examples."""
    return Document.parse(
        str(path),
        PythonCodeBlockParser(),
        CodeBlockParser("console", _console),
        CodeBlockParser("toml", _toml),
    )


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.skipif(sys.platform == "win32", reason="the commands are those of a Unix shell")
@pytest.mark.parametrize("path", PAGES, ids=_name)
def test_examples(
    path: Path, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, worker_id: str
) -> None:
    """Each example of a page can be typed, one after another, and gives what is shown."""
    base = tmp_path_factory.getbasetemp()
    shared = (base if worker_id == "master" else base.parent) / "gradings-of-pages"
    document = parsed(path)
    document.namespace["shell"] = Shell(tmp_path, shared)
    for example in document.examples():
        example.evaluate()


@pytest.mark.parametrize("path", PAGES, ids=_name)
def test_no_example_is_overlooked(path: Path) -> None:
    """As many examples are run as the page has blocks in these languages."""
    opened = rf"^\s*```(?:{'|'.join(LANGUAGES)})$"
    blocks = re.findall(opened, path.read_text("utf-8"), flags=re.MULTILINE)
    assert len(blocks) == len([*parsed(path).examples()])


SPAN = re.compile(r"`mpgrade (?P<command>[a-z]+)(?P<rest>[^`]*)`")


def _commands() -> dict[str, argparse.ArgumentParser]:
    unused: Mapping[str, Command] = defaultdict(lambda: lambda _: 0)
    for action in parser(unused)._actions:
        if isinstance(action, argparse._SubParsersAction):
            return dict(action.choices)
    raise AssertionError("mpgrade has no commands")


def unknown(text: str) -> Iterator[str]:
    """Yield each command or option of `mpgrade` that a text names and that is not there."""
    known = _commands()
    for span in SPAN.finditer(text):
        command = known.get(span["command"])
        if command is None:
            yield span[0]
            continue
        for option in re.findall(r"(?<!\S)--[a-z][a-z-]*", span["rest"]):
            if option not in command._option_string_actions:
                yield span[0]


@pytest.mark.parametrize("path", PAGES, ids=_name)
def test_commands_in_sentences_are_there(path: Path) -> None:
    """A command or option that a sentence names is one that `mpgrade` has."""
    assert [*unknown(path.read_text("utf-8"))] == []


# --- the tests would see what is wrong


@pytest.mark.parametrize(
    ("shown", "output", "same"),
    [
        ("a pid 7 b", "a pid 123\n   b\n", True),
        ("took 3 s", "took 12.5 s", True),
        ("one\n...\nfour", "one\ntwo\nthree\nfour", True),
        ("...\nfour", "one\nfour", True),
        ("one\n...", "one", True),
        ("one", "one\ntwo", False),
        ("9 / 10", "9.5 / 10", False),
        ("one\n...\nfive", "one\ntwo", False),
    ],
)
def test_outputs_are_told_apart(shown: str, output: str, same: bool) -> None:
    """What differs each time may differ, and nothing else."""
    assert fits(shown, output) is same


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("type `mpgrade batch DIR --resume`", False),
        ("type `mpgrade bach DIR`", True),
        ("type `mpgrade batch DIR --resum`", True),
    ],
)
def test_unknown_commands_are_seen(text: str, wrong: bool) -> None:
    """A command or option that is not there is told from one that is."""
    assert bool([*unknown(text)]) is wrong


def test_wrong_command_lines_are_seen() -> None:
    """A block that is only parsed still has to be understood."""
    check_that_it_parses("mpgrade batch in --assignment pool --out results  # a remark")
    with pytest.raises(UsageError):
        check_that_it_parses("mpgrade batch in --assignment pool --ou results --in x")


@pytest.mark.skipif(sys.platform == "win32", reason="the commands are those of a Unix shell")
def test_changed_output_fails(tmp_path: Path) -> None:
    """A page whose output has changed does not pass, nor does a command that fails unseen."""
    shell = Shell(tmp_path, tmp_path / "shared")
    shell.type(next(commands("$ mkdir -p a && cd a\n")))
    shell.type(next(commands("$ basename $PWD; false\na\n")))
    shell.type(next(commands("$ echo $?\n1\n")))
    with pytest.raises(AssertionError, match="--- came"):
        shell.type(next(commands("$ echo one\ntwo\n")))
    with pytest.raises(AssertionError, match="ended with 3"):
        shell.type(next(commands("$ exit 3\n")))
