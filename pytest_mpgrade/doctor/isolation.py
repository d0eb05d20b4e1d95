"""The isolation of student code on this machine."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from pytest_mpgrade.doctor.facility import Facility
from pytest_mpgrade.isolation import choose, description


def isolation_facilities() -> Iterator[Facility]:
    """Try the isolation layers with a module that every user can read.

    For a submission that only some users can read, fewer layers may work.
    """
    if sys.platform != "linux":
        yield Facility(
            name="isolation", consequence="Linux only", remedy="the official grade comes from Linux"
        )
        return
    with TemporaryDirectory(prefix="mpgrade-") as folder:
        os.chmod(folder, 0o755)  # noqa: S103 - read by a spare user
        module = Path(folder) / "module.py"
        module.write_text("")
        module.chmod(0o644)
        chosen = choose.choose_isolation("auto", module=str(module))
    parts = ", ".join(chosen.parts)
    lacks = {each.name: each for each in description.shortcomings(chosen)}
    level = f"{chosen.level} ({parts})"
    lack = lacks.pop("isolation", None)
    yield Facility(
        name="isolation",
        found=level,
        consequence=lack.consequence if lack else "",
        remedy=lack.remedy if lack else "",
    )
    for why in chosen.fell_through:
        yield Facility(
            name="stronger isolation", consequence=why, remedy=_REMEDIES.get(why.split(":")[0], "")
        )
    for each in lacks.values():
        yield Facility(name=each.name, consequence=each.consequence, remedy=each.remedy)
    yield _cgroups()


_REMEDIES = {
    "bwrap": "apt install bubblewrap",
    "spare uid with namespaces": "an interpreter that every user may run, e.g. not below /root",
    "spare uid with Landlock": "an interpreter that every user may run, e.g. not below /root",
}


def _cgroups() -> Facility:
    from pytest_mpgrade.system.linux.cgroups import Cgroup

    group = Cgroup.create("mpgrade-doctor", processes=100, memory=10**9)
    limits = ", ".join(sorted(group.limits)) if group else ""
    if group:
        group.remove()
    return Facility(
        name="cgroup",
        found=f"the kernel limits {limits} of a run" if limits else "",
        consequence=(
            "memory and processes are counted ten times a second, with the kernel's limits per"
            " process only"
        ),
        remedy=(
            "run as root outside a container, or: systemd-run --user --scope -p Delegate=yes"
            " mpgrade …"
        ),
    )
