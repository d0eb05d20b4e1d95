"""What student code may read: the interpreter, its libraries, the system's, and our `inside`.

The view is an allow-list: student code cannot see what it does not name. A folder that lies below a
named one and must stay invisible is named as hidden. Examples are the tests and the reference of an
installed package, and an assignment inside a virtual environment.
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
    """The part of the file system that student code can see, as absolute paths.

    Every layer of isolation takes the same view.
    """

    read: tuple[str, ...] = ()  # files, and folders with all that lies below them
    hidden: tuple[str, ...] = ()  # folders below those in `read` that student code cannot see
    # parts of this package that run beside student code; visible although the package is hidden
    own: tuple[str, ...] = ()

    def allowed(self) -> list[str]:
        """Return the view as a list of readable paths.

        This is for a layer that cannot hide a part of a folder.
        """
        return [*(path for root in self.read for path in without(root, self.hidden)), *self.own]

    def listed(self) -> list[str]:
        """Return the folders that imports have to list.

        This is for a layer that does not show the whole of these folders, but their names.
        """
        ways = {os.path.dirname(path) for path in self.own}
        for root in self.read:
            for path in self.hidden:
                while path.startswith(root + "/"):
                    path = os.path.dirname(path)
                    ways.add(path)
        return sorted(ways | {os.path.dirname(way) for way in ways if way == PACKAGE})


def view(hidden: Iterable[str] = (), python: str = "") -> View:
    """Return the view that the interpreter in use needs, without the *hidden* folders.

    *python* is another interpreter that student code runs in. Each interpreter is started once, to
    ask it for its path.
    """
    programs = [sys.executable, *([python] if python else [])]
    folders = [path for program in programs for path in _asked(program)]
    # An editable installation puts a source tree on the path. Tests and the reference lie in it, so
    # it stays invisible.
    source_tree = os.path.dirname(PACKAGE)
    folders = [
        path for path in folders if not os.path.samefile(path, source_tree) or _is_library(path)
    ]
    paths = [*_SYSTEM, *(f"/etc/{name}" for name in _ETC), *_with_targets(folders)]
    paths += [hop for program in programs for hop in _hops(program)]
    return View(
        read=tuple(_outermost(path for path in paths if os.path.lexists(path))),
        hidden=tuple(_outermost(_with_targets([PACKAGE, *hidden]))),
        own=tuple(os.path.join(PACKAGE, part) for part in _OWN_PARTS),
    )


def _asked(program: str) -> list[str]:
    """Return the folders that an interpreter itself says it needs."""
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
    """Return each path and the path that it links to, because programs use both."""
    return [name for path in paths for name in (os.path.abspath(path), os.path.realpath(path))]


def _hops(program: str) -> list[str]:
    """Return a program and every symbolic link on the way to it.

    The python of a virtual environment is a chain of such links.
    """
    links: list[str] = []
    while os.path.islink(program) and len(links) < 20:
        links.append(program)
        program = os.path.join(os.path.dirname(program), os.readlink(program))
    return [os.path.normpath(name) for name in (*links, program)]


def _outermost(paths: Iterable[str]) -> list[str]:
    """Return the paths without those that lie below another one."""
    kept: list[str] = []
    for path in sorted(set(paths)):
        if not any(path == other or path.startswith(other + "/") for other in kept):
            kept.append(path)
    return kept


def without(root: str, hidden: Sequence[str]) -> list[str]:
    """Return *root*, or its parts where something hidden lies in it.

    The parts are the entries beside each way that leads down to a hidden folder.
    """
    # A layer that allows a link allows its target. In a virtual environment lib64 is a link to lib,
    # so it would show everything in lib.
    real = os.path.realpath(root) if os.path.islink(root) else root
    if any(real == path or real.startswith(path + "/") for path in hidden):
        return []
    if not any(path.startswith(real + "/") for path in hidden):
        return [root]
    if real != root:
        return []  # its target has another name, under which its visible parts are listed
    try:
        names = sorted(os.listdir(root))
    except OSError:
        return []
    return [path for name in names for path in without(os.path.join(root, name), hidden)]
