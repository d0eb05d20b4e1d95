"""Begin an assignment outside of this project: all of its files, ready to be verified and changed.

Called by `mpgrade new`. The files are made of `templates/`, which are `string.Template`s; a name
there is the file's name, with NAME for the assignment's, and `.tmpl` behind it.
"""

from __future__ import annotations

import json
import keyword
import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from string import Template

from pytest_mpgrade.author.asked import FunctionAsked
from pytest_mpgrade.author.body import Body
from pytest_mpgrade.course import catalogue
from pytest_mpgrade.errors import UsageError

_SUFFIX = ".tmpl"


def check_name(name: str) -> None:
    """Raise UsageError where an assignment cannot have this name, which its module has too."""
    if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", name) or keyword.iskeyword(name):
        raise UsageError(
            f"{name!r} cannot be the name of an assignment and of its module: take letters, digits"
            " and _, with a letter first"
        )
    if name in sys.stdlib_module_names or name in ("pytest", "pytest_mpgrade"):
        raise UsageError(f"{name}.py would hide a module of that name: choose another name")
    if others := catalogue.listed_as(name):
        raise UsageError(
            f"there is an assignment {name!r} already, from {others[0].origin}: choose another name"
        )


def write_assignment(
    name: str, asked: FunctionAsked, body: Body, folder: Path, schema: str
) -> list[Path]:
    """Write all files of an assignment into a folder that is new or empty; return their names.

    *schema* is the JSON Schema of `assignment.toml`, from which editors know its keys. Raises
    UsageError where something is there already.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UsageError(f"{folder} is there already and is not empty: nothing was written")
    values = {**_values(name, asked, body), "schema": schema}
    texts = {
        Path(*(part.replace("NAME", name) for part in place.parts)): text.substitute(values)
        for place, text in _templates()
    }
    for place, text in texts.items():
        file = folder / place
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("x", encoding="utf-8", newline="\n") as new:
            new.write(text)
    return sorted(texts)


def _templates() -> Iterator[tuple[Path, Template]]:
    """Yield the templates with the places of their files in an assignment."""
    home = Path(__file__).with_name("templates")
    for path in sorted(home.rglob(f"*{_SUFFIX}")):
        place = path.relative_to(home)
        yield place.with_name(path.name.removesuffix(_SUFFIX)), Template(path.read_text("utf-8"))


def _values(name: str, asked: FunctionAsked, body: Body) -> Mapping[str, str]:
    """Return what stands in the templates for each of their names."""
    plain = body.words.replace("`", "")
    many = f"`{asked.count}`" if asked.count else str(asked.processes)
    return {
        "name": name,
        "title": f"{asked.name.replace('_', ' ').capitalize()}, by child processes",
        "function": asked.name,
        "signature": asked.signature,
        "quoted": json.dumps(asked.signature, ensure_ascii=False),
        "items": asked.items,
        "count": asked.count or str(asked.processes),
        "n": str(asked.processes),
        "processes": f"{many} child processes",
        "arguments": repr(asked.given),
        "by_name": f", {asked.count}=PROCESSES" if asked.by_name else "",
        "example": asked.call,
        "expected": repr(body.expected),
        "compute": body.compute,
        "combine": body.combine,
        "does": f"returns {body.words}",
        "summary": f"Return {plain}, computed by child processes.",
        "parameters": "\n".join(_documented(asked)),
        "kind": type(body.expected).__name__,
        "what": plain[0].upper() + plain[1:],
    }


def _documented(asked: FunctionAsked) -> list[str]:
    """Return the lines of a docstring about the parameters."""
    lines = []
    for parameter in asked.parameters:
        name, given, default = parameter.partition("=")
        what = "To be described."
        if name == asked.items:
            what = "The items, which are split over the child processes."
        elif name == asked.count:
            what = "The number of child processes."
        kind = {asked.items: "list", asked.count: "int"}.get(name, "object")
        lines.append(f"    {name} : {kind}{', optional' if given else ''}")
        lines.append(f"        {what}{f' The default is {default}.' if given else ''}")
    return lines
