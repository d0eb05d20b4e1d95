"""What student code may read: the interpreter, its libraries and the system's; nothing of the
grader but `inside`.

An allow-list: what is not named is not there. What lies below a named folder and must not be seen
(the tests and the reference of an installed package, an assignment inside a virtual environment) is
named as hidden.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

PACKAGE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
_OWN_PARTS = ("__init__.py", "inside")
_SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/nix/store", "/gnu/store")
_ETC = (
    "alternatives",
    "ca-certificates",
    "default/locale",
    "fonts",
    "group",
    "host.conf",
    "hosts",
    "ld.so.cache",
    "ld.so.conf",
    "ld.so.conf.d",
    "locale.alias",
    "localtime",
    "mime.types",
    "nsswitch.conf",
    "os-release",
    "passwd",
    "protocols",
    "services",
    "ssl",
    "timezone",
)
_ASK = (
    "import json, sys; print(json.dumps([sys.prefix, sys.base_prefix, sys.exec_prefix, *sys.path]))"
)


@dataclass(frozen=True, kw_only=True)
class View:
    """What is shown of the file system, whichever layer shows it: absolute paths of files and
    folders.
    """

    read: tuple[str, ...] = ()  # with all that lies below
    hidden: tuple[str, ...] = ()  # folders below those that are not shown
    # shown all the same: the parts of this package that run beside student code
    own: tuple[str, ...] = ()

    def allowed(self) -> list[str]:
        """Return the view as a list of what may be read, for a layer that cannot hide a part of a
        folder.
        """
        return [*(path for root in self.read for path in without(root, self.hidden)), *self.own]

    def listed(self) -> list[str]:
        """Return the folders that imports have to list, where a layer does not show the whole of
        them: names only.
        """
        ways = {os.path.dirname(path) for path in self.own}
        for root in self.read:
            for path in self.hidden:
                while path.startswith(root + "/"):
                    path = os.path.dirname(path)
                    ways.add(path)
        return sorted(ways | {os.path.dirname(way) for way in ways if way == PACKAGE})


def view(hidden: Iterable[str] = (), python: str = "") -> View:
    """Return what the interpreter in use needs, without *hidden* folders; starts it once to ask for
    its path.

    *python*: another interpreter that student code runs in.
    """
    programs = [sys.executable, *([python] if python else [])]
    told = [path for program in programs for path in _asked(program)]
    # A source tree on the path (an editable installation) is not shown: tests and reference lie in
    # it.
    source_tree = os.path.dirname(PACKAGE)
    told = [path for path in told if not os.path.samefile(path, source_tree) or _is_library(path)]
    found = [*_SYSTEM, *(f"/etc/{name}" for name in _ETC), *_with_targets(told)]
    found += [hop for program in programs for hop in _hops(program)]
    return View(
        read=tuple(_outermost(path for path in found if os.path.lexists(path))),
        hidden=tuple(_outermost(_with_targets([PACKAGE, *hidden]))),
        own=tuple(os.path.join(PACKAGE, part) for part in _OWN_PARTS),
    )


def _asked(program: str) -> list[str]:
    """Return the folders that an interpreter needs, by its own word."""
    asked = subprocess.run(
        [program, "-B", "-c", _ASK],
        cwd="/",
        env={name: value for name, value in os.environ.items() if not name.startswith("PYTHON")},
        capture_output=True,
        timeout=60,
        check=True,
    )
    return [path for path in json.loads(asked.stdout) if path and os.path.isdir(path)]


def _is_library(path: str) -> bool:
    return os.path.basename(path) in ("site-packages", "dist-packages")


def _with_targets(paths: Iterable[str]) -> list[str]:
    """Return paths with what they are links to: both names are used."""
    return [name for path in paths for name in (os.path.abspath(path), os.path.realpath(path))]


def _hops(program: str) -> list[str]:
    """Return a program and every link on the way to it: a virtual environment's python is a chain
    of them.
    """
    found: list[str] = []
    while os.path.islink(program) and len(found) < 20:
        found.append(program)
        program = os.path.join(os.path.dirname(program), os.readlink(program))
    return [os.path.normpath(name) for name in (*found, program)]


def _outermost(paths: Iterable[str]) -> list[str]:
    """Leave out what lies below another one."""
    kept: list[str] = []
    for path in sorted(set(paths)):
        if not any(path == other or path.startswith(other + "/") for other in kept):
            kept.append(path)
    return kept


def without(root: str, hidden: Sequence[str]) -> list[str]:
    """Return *root*, or where something hidden lies in it the entries beside the way to that."""
    # To allow a link is to allow what it leads to: lib64 of a virtual environment leads to lib, and
    # all in it.
    real = os.path.realpath(root) if os.path.islink(root) else root
    if any(real == path or real.startswith(path + "/") for path in hidden):
        return []
    if not any(path.startswith(real + "/") for path in hidden):
        return [root]
    if real != root:
        return []  # what is shown of it has another name
    try:
        names = sorted(os.listdir(root))
    except OSError:
        return []
    return [path for name in names for path in without(os.path.join(root, name), hidden)]
