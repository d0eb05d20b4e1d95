"""The choice of the isolation: the first layer that works on this machine.

Each layer is tried, not guessed, in this order:

    uid             a user id of its own (needs root), with one of the next two if possible
    namespace       bubblewrap: own file system, processes and network
    landlock        files, TCP, signals and abstract sockets (Landlock ABI 6 or newer)
    landlock-files  files only
    none            the user's own rights

A seccomp filter is added to each layer where the architecture is known. `confine` puts a run into
the chosen layer.
"""

from __future__ import annotations

import dataclasses
import functools
import json
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator

from pytest_mpgrade.isolation.layer import Isolation, Level
from pytest_mpgrade.isolation.readable import View, view
from pytest_mpgrade.isolation.run_folder import RunFolder
from pytest_mpgrade.records import Limits
from pytest_mpgrade.system import rmtree

LAYERS = ("uid", "bwrap", "landlock", "none")
"""The layers that can be asked for; "auto" takes the first that works."""
SIGNALS_ABI = 6
"""Landlock's first ABI that restricts signals (landlock(7))."""
_PROBE_SECONDS = 30.0
"""A probe is one start of an interpreter. One that takes longer hangs, and its layer counts as
missing.
"""


def choose_isolation(
    wanted: str, *, module: str, hidden: Iterable[str] = (), python: str = ""
) -> Isolation:
    """Return the first layer, from *wanted* on, in which *module* can be read and run.

    "auto" begins with the strongest layer. *module* is the submission's file. *hidden* are folders
    that student code must not read. *python* is the interpreter that student code runs in, where
    that is another one than ours. Each layer that is tried costs one start of the interpreter.
    """
    if not sys.platform.startswith("linux"):
        return Isolation(fell_through=(f"{sys.platform} has no isolation that mpgrade knows",))
    _sweep()
    tried: list[str] = []
    for candidate in _candidates(wanted, view([*hidden], python)):
        if isinstance(candidate, str):
            tried.append(candidate)
            continue
        why = probe(candidate, module)
        if not why:
            return dataclasses.replace(candidate, fell_through=tuple(tried))
        tried.append(f"{_name(candidate)}: {why}")
    raise AssertionError("the last candidate always works")


def _sweep() -> None:
    """Remove the control groups of supervisors that were killed.

    The processes in them have died with their supervisors.
    """
    from pytest_mpgrade.isolation.confine import CGROUP
    from pytest_mpgrade.system.linux import cgroups

    for stale in cgroups.leftovers(CGROUP):
        stale.remove(0.0)


def _candidates(wanted: str, shown: View) -> Iterator[Isolation | str]:
    """Yield the layers to try, strongest first; a text says why a layer cannot even be tried."""
    from pytest_mpgrade.system.linux import landlock, seccomp

    base = Isolation(seccomp=bool(seccomp.program()), view=shown)
    program, abi = shutil.which("bwrap") or "", landlock.abi()
    first = LAYERS.index(wanted) if wanted in LAYERS else 0
    if first <= 0 and os.geteuid() == 0:
        if program and shutil.which("setpriv"):
            yield dataclasses.replace(base, level="uid", spare_uid=True, bwrap=program)
        yield dataclasses.replace(base, level="uid", spare_uid=True, landlock=abi)
    elif first <= 0 and wanted == "uid":
        yield "spare uid: only root can become another user"
    if first <= 1:
        yield (
            dataclasses.replace(base, level="namespace", bwrap=program)
            if program
            else "bwrap: not installed"
        )
    if first <= 2:
        level: Level = "landlock" if abi >= SIGNALS_ABI else "landlock-files"
        yield (
            dataclasses.replace(base, level=level, landlock=abi)
            if abi
            else "Landlock: this kernel has none"
        )
    yield base


def _name(isolation: Isolation) -> str:
    return " with ".join(isolation.parts[:2]) if isolation.spare_uid else isolation.level


def probe(isolation: Isolation, module: str) -> str:
    """Return why a run cannot use this layer, or "" where it can.

    The probe starts the interpreter as a run would, lets it read *module*, and lets it try to read
    what must be hidden.
    """
    if isolation.level == "none":
        return ""
    from pytest_mpgrade.isolation.confine import Confinement

    with tempfile.TemporaryDirectory(prefix=rmtree.MARK, ignore_cleanup_errors=True) as path:
        folder = RunFolder.make(path)
        with open(os.path.join(path, "canary"), "w", encoding="ascii") as file:
            file.write("must not be read in a layer that keeps files apart")
        try:
            confinement = Confinement(isolation, folder, os.path.dirname(module), Limits())
        except OSError as error:
            return str(error)
        try:
            how = confinement.start(
                [sys.executable, "-B", "-m", "pytest_mpgrade.inside.isolation_probe", module, path],
                {},
            )
            return _tried(
                subprocess.run(
                    list(how.argv),
                    env=dict(how.env),
                    cwd="/",
                    preexec_fn=how.enter,
                    pass_fds=how.keep,
                    stdin=subprocess.DEVNULL,
                    capture_output=True,
                    timeout=_PROBE_SECONDS,
                    check=False,
                )
            )
        except (OSError, subprocess.SubprocessError) as error:
            return str(error)
        finally:
            confinement.close()


def _tried(done: subprocess.CompletedProcess[bytes]) -> str:
    if done.returncode != 0:
        said = done.stderr.decode(errors="replace").strip().splitlines() or [
            f"exit status {done.returncode}"
        ]
        return f"the interpreter cannot be started in it ({said[-1][:200]})"
    try:
        not_apart = json.loads(done.stdout)
        return f"it does not keep {not_apart[0]} apart" if not_apart else ""
    except (ValueError, TypeError, LookupError):
        return "the interpreter started in it says nothing"


@functools.cache
def kernel_note() -> str:
    """Return why namespaces may be forbidden on this machine, where the kernel says so."""
    for path, value, words in (
        (
            "/proc/sys/kernel/apparmor_restrict_unprivileged_userns",
            "1",
            "Ubuntu blocks user namespaces (AppArmor)",
        ),
        ("/proc/sys/kernel/unprivileged_userns_clone", "0", "this kernel blocks user namespaces"),
        ("/proc/sys/user/max_user_namespaces", "0", "this kernel allows no user namespaces"),
    ):
        try:
            with open(path, encoding="ascii") as file:
                if file.read().strip() == value:
                    return words
        except OSError:
            continue
    return ""
