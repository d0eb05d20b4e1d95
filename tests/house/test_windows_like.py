"""What can be known on Linux of our code on Windows: it imports, and grades in practice mode,
without POSIX.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

import pytest

from support.running import ROOT

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="takes from Linux what Windows does not have"
)

LINUX_ONLY = (
    "system/linux/",
    "isolation/bwrap.py",
    "run/observe/linux.py",
    "package/autograder.py",
    "__main__.py",
    "_version.py",
)
EVERYTHING = """
import importlib, sys
for name in sys.argv[1:]:
    importlib.import_module(name)
import os, signal, sys
assert os.getpid()
"""


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an interpreter in which our modules find what they find on Windows; see its
    sitecustomize.py.
    """
    place = tmp_path_factory.mktemp("windows")
    venv.create(place, symlinks=True, with_pip=False)
    packages = (
        place / "lib" / f"python{sys.version_info[0]}.{sys.version_info[1]}" / "site-packages"
    )
    (packages / "ours.pth").write_text(f"{sysconfig.get_path('purelib')}\n{ROOT}\n")
    (packages / "sitecustomize.py").write_bytes(
        (ROOT / "tests" / "data" / "windows_like" / "sitecustomize.py").read_bytes()
    )
    return place / "bin" / "python"


def variables() -> dict[str, str]:
    """Return an environment in which only the virtual environment says what is imported."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PYTHON", "PYTEST"))
    }


def test_the_imitation_takes_something_away(python: Path) -> None:
    """Our modules do not see what Windows lacks; others of the same interpreter do."""
    code = "import sys; sys.modules[__name__].__dict__['__name__'] = 'pytest_mpgrade.x'\n"
    for line in (
        "import fcntl",
        "import os; os.fork",
        "import signal; signal.SIGKILL",
        "open('/proc/self/stat')",
    ):
        for before, fails in ((code, True), ("", False)):
            done = subprocess.run(
                [python, "-c", before + line], env=variables(), capture_output=True, text=True
            )
            assert bool(done.returncode) is fails, done.stderr
            assert not fails or "Windows" in done.stderr


def test_every_module_can_be_imported(python: Path) -> None:
    """All but those that Linux alone needs, and imports when it is Linux."""
    package = ROOT / "pytest_mpgrade"
    files = (path.relative_to(package).as_posix() for path in sorted(package.rglob("*.py")))
    names = [
        file for file in files if not file.startswith(LINUX_ONLY) and not file.endswith(LINUX_ONLY)
    ]
    modules = [
        f"pytest_mpgrade.{name.removesuffix('.py').replace('/', '.')}".removesuffix(".__init__")
        for name in names
    ]
    done = subprocess.run(
        [python, "-c", EVERYTHING, *modules],
        env=variables(),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_practice_mode_grades(python: Path, tmp_path: Path) -> None:
    """A right solution has all points under spawn, and everything else is said to be undecided
    here.
    """
    arguments = [
        "--mpgrade",
        "bg_task",
        f"--mpgrade-submission={ROOT / 'reference' / 'bg_task'}",
        "--mpgrade-out=out",
    ]
    chosen = "spawn and (result or die or block)"
    done = subprocess.run(
        [python, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments, "-k", chosen],
        cwd=tmp_path,
        env=variables(),
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    found = json.loads((tmp_path / "out" / "result.json").read_text())
    assert found["environment"]["platform"] == "win32"
    assert found["score"] == found["max_score"] > 0
    assert {each["outcome"] for each in found["checks"]} <= {"passed", "skipped"}
    assert sum(each["outcome"] == "passed" for each in found["checks"]) > 10
