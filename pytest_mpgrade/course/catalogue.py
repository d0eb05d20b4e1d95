"""Which assignments there are besides those given by path, where they lie, and who brought them.

A name is looked for in this order, and the first place that has it is taken:

1. the folders of the environment variable MPGRADE_ASSIGNMENTS, in its order,
2. the assignments that come with mpgrade,
3. installed packages with an entry point in the group ``mpgrade.assignments``, by their names.

A package comes last, so that no installation changes what the name of an assignment means.
"""

from __future__ import annotations

import importlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib import metadata, resources
from pathlib import Path
from types import ModuleType

from pytest_mpgrade.course.document import FILE
from pytest_mpgrade.course.toml_text import TomlText
from pytest_mpgrade.errors import UsageError
from pytest_mpgrade.system.text import one_line

VARIABLE = "MPGRADE_ASSIGNMENTS"
"""Names folders that hold folders of assignments, as PATH names folders of programs."""
GROUP = "mpgrade.assignments"
"""The group of entry points by which packages bring assignments."""
OURS = "mpgrade itself"
"""Who brought the assignments that come with this package."""


@dataclass(frozen=True, kw_only=True)
class Listed:
    """An assignment that can be called by its name."""

    name: str
    folder: Path
    origin: str  # who brought it, in words


@dataclass(frozen=True, kw_only=True)
class Source:
    """A place where assignments were looked for, what was found, and why nothing could be."""

    origin: str
    found: tuple[Listed, ...] = ()
    fault: str = ""


def all_sources() -> Iterator[Source]:
    """Yield all places, in the order in which a name is looked for.

    A package is imported when it is its turn.
    """
    yield from _of_variable()
    yield _source(OURS, [_home()])
    yield from _of_packages()


def listed_as(name: str) -> tuple[Listed, ...]:
    """Return the assignments of this name; the first is the one that is taken."""
    return tuple(one for source in all_sources() for one in source.found if one.name == name)


def shipped_folders() -> tuple[Path, ...]:
    """Return the folders of the assignments that come with mpgrade, by their names."""
    return tuple(one.folder for one in _source(OURS, [_home()]).found)


def _home() -> Path:
    """Return the folder of the shipped assignments.

    It is inside of an installed package, and beside the package in a checkout.
    """
    package = Path(__file__).resolve().parent.parent
    inside = package / "assignments"
    return inside if inside.is_dir() else package.parent / "assignments"


def _source(origin: str, holders: Sequence[Path], fault: str = "") -> Source:
    """Return the assignments in some folders; a folder may be one itself."""
    folders = [
        file.parent
        for holder in holders
        for file in (holder / FILE, *sorted(holder.glob(f"*/{FILE}")))
        if file.is_file()
    ]
    found = tuple(Listed(name=_name(each), folder=each, origin=origin) for each in folders)
    return Source(origin=origin, found=found, fault=fault)


def _name(folder: Path) -> str:
    """Return the name that an assignment has; its folder's where the file does not say it."""
    try:
        given = TomlText.of(folder / FILE).tables().get("name")
    except UsageError:  # whoever loads it is told
        given = None
    return given if isinstance(given, str) and given else folder.name


def _of_variable() -> Iterator[Source]:
    for entry in filter(None, os.environ.get(VARIABLE, "").split(os.pathsep)):
        folder = Path(os.path.abspath(os.path.expanduser(entry)))
        fault = "" if folder.is_dir() else "there is no such folder"
        yield _source(f"{VARIABLE}: {folder}", [folder], fault)


def _of_packages() -> Iterator[Source]:
    points = {
        (point.dist.name if point.dist else "", point.value): point
        for point in metadata.entry_points(group=GROUP)
    }
    for (distribution, value), point in sorted(points.items()):
        origin = f"the package {distribution or value}"
        try:
            holders = list(_holders(importlib.import_module(point.module)))
        except (Exception, SystemExit) as error:  # whatever the package of others raises
            fault = one_line(f"{value} cannot be imported: {type(error).__name__}: {error}")
            yield Source(origin=origin, fault=fault)
        else:
            yield _source(origin, holders)


def _holders(module: ModuleType) -> Iterator[Path]:
    """Yield the folder of a package, each folder of a namespace, or that of a plain module."""
    if not hasattr(module, "__path__"):
        yield Path(str(module.__file__)).parent
        return
    root = resources.files(module)
    if isinstance(root, Path):
        yield root
    else:  # a namespace: its folders are not public, and what is in them is
        yield from dict.fromkeys(each.parent for each in root.iterdir() if isinstance(each, Path))
