"""Where hostile submissions are graded: by whom, in which layer, and what that layer has to be
called in the result.
"""

from __future__ import annotations

import compileall
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
USER = 61000 + os.getpid() % 180
"""No account, none of the grader's spare ones, and below systemd's; what he does stays in his
cell.
"""


@dataclass(frozen=True, kw_only=True)
class Place:
    """Who grades, and in which layer."""

    user: str  # "root", "user"; "docker-root", "docker-user": where namespaces are forbidden
    layer: str  # as asked for
    level: str  # as the result has to say
    mpgrade: str
    uid: int = 0
    celled: bool = True  # in a cell of its own, which only root can make

    @property
    def name(self) -> str:
        """As the table names it."""
        return f"{self.user}/{self.layer}"

    @property
    def docker(self) -> bool:
        """Tell whether namespaces are forbidden."""
        return self.user.startswith("docker")

    def shortfall(self, containment: dict[str, object]) -> str:
        """Return what a result says wrongly of the isolation; "" when it is right."""
        if containment["level"] != self.level:
            return (
                f"isolation is {containment['level']}, not {self.level}:"
                f" {containment.get('fell_through')}"
            )
        told = str(containment.get("fell_through"))
        if self.docker and ("namespace" not in told or "bwrap" not in told):
            return f"does not say why there are no namespaces: {told}"
        return ""


def places(temp: Path, *, celled: bool) -> Iterator[Place]:
    """Yield all places; *temp*: where an interpreter for everybody is put.

    Without cells no place without isolation.
    """
    # or the first grading would write what it compiles
    compileall.compile_dir(ROOT / "pytest_mpgrade", quiet=1)
    own = str(Path(sys.executable).with_name("mpgrade"))
    if not celled:
        # Nothing would keep a submission from all the other processes of who runs this.
        for layer, level in (("bwrap", "namespace"), ("landlock", "landlock")):
            yield Place(user=_name(), layer=layer, level=level, mpgrade=own, celled=False)
        return
    for layer, level in (("uid", "uid"), ("bwrap", "namespace"), ("landlock", "landlock")):
        yield Place(user="root", layer=layer, level=level, mpgrade=own)
    everybodys = _environment_for_all(temp)
    for layer, level in (("bwrap", "namespace"), ("landlock", "landlock"), ("none", "none")):
        yield Place(user="user", layer=layer, level=level, mpgrade=everybodys, uid=USER)
    yield Place(user="docker-root", layer="auto", level="uid", mpgrade=everybodys)
    yield Place(user="docker-user", layer="auto", level="landlock", mpgrade=everybodys, uid=USER)


def _name() -> str:
    return "root" if os.geteuid() == 0 else "user"


def _environment_for_all(temp: Path) -> str:
    """Install the package where every user can run it: /root, where an interpreter often is, is
    closed to them.
    """
    made = os.environ.get("MPGRADE_HOSTILE_VENV", "")
    place = Path(made) if made else temp / "venv"
    if not (place / "bin" / "mpgrade").exists():
        quiet = ["--quiet", "--disable-pip-version-check"]
        subprocess.run(["/usr/bin/python3", "-m", "venv", str(place)], check=True)
        subprocess.run(
            [f"{place}/bin/python", "-m", "pip", "install", *quiet, str(ROOT)], check=True
        )
    return f"{place}/bin/mpgrade"
