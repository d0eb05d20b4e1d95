"""The command line as users meet it: wrong usage, what cannot be graded, and what it says of a
machine.
"""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from pytest_mpgrade import __version__, cli
from pytest_mpgrade.batch.layouts import plain
from pytest_mpgrade.errors import UsageError
from pytest_mpgrade.grade.grading import folder_name
from support import small_class
from support.running import ROOT

LINUX = pytest.mark.skipif(sys.platform == "win32", reason="POSIX signals and pipes")
SOLUTION = (
    "def calculate(func, args): ...\ndef worker(input, output): ...\ndef mp_apply(tasks,"
    " n_processes=2): ...\n"
)

SMALL_SOLUTION = small_class.SOLUTIONS["ben"]


def command(*arguments: str) -> list[str]:
    """Return the command line of one call."""
    return [sys.executable, "-m", "pytest_mpgrade", *arguments]


def variables(**others: str) -> dict[str, str]:
    """Return an environment in which the source tree is importable and nothing is coloured."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PYTEST", "COLUMNS"))
    }
    return {**kept, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8", **others}


def mpgrade(cwd: Path, *arguments: str, **others: str) -> subprocess.CompletedProcess[str]:
    """Run one command to its end."""
    return subprocess.run(
        command(*arguments),
        cwd=cwd,
        env=variables(**others),
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        check=False,
        stdin=subprocess.DEVNULL,
    )


def hand_in(path: Path, text: str = SOLUTION) -> Path:
    """Write a submission's module."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    return path.parent


def result(path: Path) -> Any:
    """Return a result file's content."""
    return json.loads(path.read_text("utf-8"))


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Return a folder with one submission `ada`, one `eve` without the module, an empty folder and
    a file.
    """
    hand_in(tmp_path / "subs" / "ada" / "cv_funcs.py")
    hand_in(tmp_path / "subs" / "eve" / "other.py", "x = 1\n")
    (tmp_path / "empty").mkdir()
    (tmp_path / "file").write_text("")
    return tmp_path


@pytest.fixture
def small(tmp_path: Path) -> Path:
    """Return a folder with a small assignment, one wrong submission `ada`, and one `eve` without
    the module.
    """
    hand_in(tmp_path / "double" / "assignment.toml", small_class.TOML)
    hand_in(tmp_path / "double" / "test_double.py", small_class.TESTS)
    hand_in(tmp_path / "subs" / "ada" / "double.py", SMALL_SOLUTION)
    hand_in(tmp_path / "subs" / "eve" / "other.py", "x = 1\n")
    return tmp_path


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ("", "the following arguments are required: COMMAND (see mpgrade --help)"),
        ("frob", "there is no 'frob'"),
        (
            "grade",
            (
                "the following arguments are required: PATH, --assignment, --out (see mpgrade grade"
                " --help)"
            ),
        ),
        ("grade subs/ada --assignment mp_aply --out out", "did you mean 'mp_apply'?"),
        (
            "batch subs --assignmnt double",
            "there is no option --assignmnt; did you mean '--assignment'? (see mpgrade batch",
        ),
        ("grade subs/bob --assignment mp_apply --out out", "there is no submission at subs/bob"),
        ("grade subs/ada --assignment mp_apply --out file", "cannot write file/ada/result.json: "),
        (
            "grade subs/ada --assignment mp_apply --out subs/ada/out",
            "written into the submission subs/ada; name",
        ),
        (
            "grade subs/ada --assignment mp_apply --out subs",
            "written into the submission subs/ada; name",
        ),
        (
            "grade subs/ada --assignment mp_apply --out out --time-limit never",
            "'never' is not a number of seconds",
        ),
        (
            "grade subs/ada --assignment mp_apply --out out --observer eyes",
            "there is no 'eyes'",
        ),
        ("check", "the following arguments are required: ASSIGNMENT (see mpgrade check --help)"),
        ("check mp_apply nowhere", "there is no submission at nowhere"),
        ("batch nowhere --assignment mp_apply --out out", "there is no folder or archive nowhere"),
        ("batch file --assignment mp_apply --out out", "there is no folder or archive file"),
        (
            "batch empty --assignment mp_apply --out out",
            "no submissions in empty: each one is a folder or a .py file",
        ),
        (
            "batch subs --assignment mp_apply --out subs",
            "mixed with the submissions in subs; name another folder",
        ),
        ("batch subs --assignment mp_apply --out file", "cannot write file/mapping.csv: "),
        (
            "batch subs --assignment nothing/here --out out",
            "there is no assignment at nothing/here",
        ),
        (
            "verify mp_apply --repeat often",
            "'often' is not a number of times (see mpgrade verify --help)",
        ),
    ],
)
def test_wrong_usage_is_one_helpful_line(place: Path, arguments: str, said: str) -> None:
    """Every mistake ends with exit code 2 and one line on standard error, and writes nothing."""
    before = sorted(place.rglob("*"))
    done = mpgrade(place, *arguments.split())
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("mpgrade: ")
    assert done.stderr.count("\n") == 1
    assert said in done.stderr
    assert sorted(place.rglob("*")) == before


def test_ungradable_is_a_result(place: Path) -> None:
    """A submission without its module has 0 of all points, a reason and exit code 3; it is left as
    it was.
    """
    done = mpgrade(place, "grade", "subs/eve", "--assignment", "mp_apply", "--out", "deep/er/out")
    assert (done.returncode, done.stderr) == (3, "")
    found = result(place / "deep" / "er" / "out" / "eve" / "result.json")
    assert found["status"] == "ungradable"
    assert "other.py" in found["reason"]
    assert found["reason"] in " ".join(done.stdout.split())
    assert (found["score"], found["max_score"]) == (0.0, 20.0)
    (check,) = found["checks"]
    assert (check["concern"], check["outcome"], check["message"]) == (
        "import",
        "failed",
        found["reason"],
    )
    assert check["hint"] == "hand in a file named cv_funcs.py"
    assert found["submission"] == {"id": "eve", "path": "subs/eve", "module": "", "sha256": ""}
    assert os.listdir(place / "subs" / "eve") == ["other.py"]


def test_batch_lists_what_cannot_be_graded(tmp_path: Path) -> None:
    """Each child is a submission of its own, told apart by its name, in one table and one
    gradebook.
    """
    names = ["=1+1", "-rf", "Ada", "ada", "new\nline", "gradebook.csv", "x" * 200, "Zoë"]
    for name in [*names, ".hidden", "__pycache__"]:
        hand_in(tmp_path / "subs" / name / "other.py", "")
    (tmp_path / "subs" / "ada.py").write_text("")
    (tmp_path / "subs" / "notes.txt").write_text("")
    done = mpgrade(
        tmp_path, "batch", "subs", "--assignment", "mp_apply", "--out", "subs/out", "--rubric"
    )
    assert done.returncode == 3
    assert done.stderr == "left out: notes.txt: neither a folder nor a module\n"
    with (tmp_path / "subs" / "out" / "gradebook.csv").open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    assert [row["submission"] for row in rows] == sorted([*names, "ada.py"])
    assert {(row["status"], row["score"], row["max_score"]) for row in rows} == {
        ("ungradable", "0", "20")
    }
    results = [result(path) for path in (tmp_path / "subs" / "out").glob("*/result.json")]
    assert sorted(found["submission"]["id"] for found in results) == sorted([*names, "ada.py"])
    assert "[9/9] " in done.stdout
    assert "9 submissions: 9 ungradable" in done.stdout
    assert "\n-rf: ungradable: " in done.stdout.partition("not graded:")[2]


def test_grading_that_takes_too_long_is_ended(place: Path) -> None:
    """The time limit ends a grading; the result of the first moment stays, as an error with its
    reason.
    """
    done = mpgrade(
        place,
        "grade",
        "subs/ada",
        "--assignment",
        "mp_apply",
        "--out",
        "out",
        "--time-limit",
        "0.01",
    )
    found = result(place / "out" / "ada" / "result.json")
    assert done.returncode == 3
    assert (found["status"], found["score"], found["max_score"]) == ("error", 0.0, 20.0)
    assert found["reason"] == "the grading took longer than 0.01 s, its time limit, and was ended"
    assert sorted(os.listdir(place / "out" / "ada")) == ["pytest.log", "result.json"]


@LINUX
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_signals_end_the_grading_too(small: Path, number: signal.Signals) -> None:
    """Whoever ends mpgrade ends its grading: no process is left, and the result that exists is
    whole.
    """
    file = small / "out" / "ada" / "result.json"
    arguments = ("grade", "subs/ada", "--assignment", "double", "--out", "out")
    with subprocess.Popen(
        command(*arguments),
        cwd=small,
        env=variables(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as running:
        deadline = time.monotonic() + 60
        while not (small / "out" / "ada" / "pytest.log").exists() and time.monotonic() < deadline:
            time.sleep(0.01)
        running.send_signal(number)
        _, said = running.communicate(timeout=60)
    assert running.returncode == 128 + number
    assert said == b"mpgrade: interrupted\n"
    assert result(file)["status"] == "error"
    assert not [line for line in processes() if str(small) in line]


@LINUX
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGHUP])
def test_what_is_ignored_at_the_start_stays_ignored(small: Path, number: signal.Signals) -> None:
    """Below nohup(1), or in a script's background job, a grading goes on; SIGTERM ends it all the
    same.
    """
    arguments = ("grade", "subs/ada", "--assignment", "double", "--out", "out")
    starts = (
        f"import os, signal, sys; signal.signal({int(number)}, signal.SIG_IGN);"
        " os.execv(sys.argv[1], sys.argv[1:])"
    )
    for ending, code, status in (
        (signal.SIGTERM, 128 + signal.SIGTERM, "error"),
        (None, 1, "graded"),
    ):
        (small / "out" / "ada" / "pytest.log").unlink(missing_ok=True)
        with subprocess.Popen(
            [sys.executable, "-c", starts, *command(*arguments)],
            cwd=small,
            env=variables(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        ) as running:
            log = small / "out" / "ada" / "pytest.log"
            deadline = time.monotonic() + 60
            while not log.exists() and time.monotonic() < deadline:
                time.sleep(0.01)
            for each in (number, ending):
                if each is not None:
                    running.send_signal(each)
            running.communicate(timeout=120)
        assert (running.returncode, result(log.with_name("result.json"))["status"]) == (
            code,
            status,
        )


@LINUX
def test_a_batch_goes_on_where_its_terminal_goes_away(small: Path) -> None:
    """A lost connection hangs the terminal up: SIGHUP comes, no line can be written any more, and
    all are graded.
    """
    hand_in(small / "subs" / "ben" / "double.py", SMALL_SOLUTION)
    leader, follower = os.openpty()
    arguments = (
        "batch",
        "subs",
        "--assignment",
        "double",
        "--out",
        "out",
        "--no-require-isolation",
        "-j",
        "1",
    )
    with subprocess.Popen(
        command(*arguments),
        cwd=small,
        env=variables(),
        stdin=follower,
        stdout=follower,
        stderr=follower,
    ) as running:
        os.close(follower)
        deadline = time.monotonic() + 60
        while not (small / "out" / "ada" / "pytest.log").exists() and time.monotonic() < deadline:
            time.sleep(0.01)
        os.close(leader)
        running.send_signal(signal.SIGHUP)
        assert running.wait(timeout=120) == 3  # one of them cannot be graded
    assert {
        name: result(small / "out" / name / "result.json")["status"] for name in ("ada", "ben")
    } == {
        "ada": "graded",
        "ben": "graded",
    }


@LINUX
@pytest.mark.parametrize("command_", ["batch", "grade"])
def test_a_reader_that_leaves_costs_nobody_a_result(small: Path, command_: str) -> None:
    """`mpgrade batch ... | head` goes on to its end, in silence, and its exit code is that of the
    grading.
    """
    reader, writer = os.pipe()
    os.close(reader)
    handed_in = {"batch": "subs", "grade": "subs/ada"}[command_]
    arguments = (
        command_,
        handed_in,
        "--assignment",
        "double",
        "--out",
        "out",
        "--no-require-isolation",
    )
    done = subprocess.run(
        command(*arguments),
        cwd=small,
        env=variables(),
        stdout=writer,
        stderr=writer,
        check=False,
        timeout=120,
    )
    os.close(writer)
    assert done.returncode == {"batch": 3, "grade": 1}[command_]
    assert result(small / "out" / "ada" / "result.json")["status"] == "graded"


@pytest.mark.skipif(sys.platform != "linux", reason="needs a mount namespace")
def test_a_full_disk_below_the_log_costs_nobody_a_result(small: Path) -> None:
    """What a grading prints is lost where its log cannot grow; its result is not."""
    full = small / "full"
    full.mkdir()
    (small / "out" / "ada").mkdir(parents=True)
    (small / "out" / "ada" / "pytest.log").touch()
    script = f"""
mount -t tmpfs -o size=4k none {full} || exit 99
touch {full}/log
head -c 4096 /dev/zero > {full}/rest
mount --bind {full}/log {small}/out/ada/pytest.log || exit 99
exec "$@"
"""
    arguments = command("grade", "subs/ada", "--assignment", "double", "--out", "out")
    unshare = [
        "unshare",
        "--mount",
        *(["--map-root-user"] if os.geteuid() else []),
        "sh",
        "-c",
        script,
        "sh",
    ]
    done = subprocess.run(
        [*unshare, *arguments],
        cwd=small,
        env=variables(),
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    if done.returncode == 99 or "unshare" in done.stderr:
        pytest.skip(f"no mount namespace here: {done.stderr.strip()}")
    assert done.returncode == 1, done.stderr
    found = result(small / "out" / "ada" / "result.json")
    assert (found["status"], found.get("reason")) == ("graded", None)


@pytest.mark.skipif(
    sys.platform != "linux", reason="only Linux can tell a process that its parent was killed"
)
def test_killed_mpgrade_leaves_no_grading(small: Path) -> None:
    """Where mpgrade itself is killed, the grading that it started ends by itself."""
    arguments = ("grade", "subs/ada", "--assignment", "double", "--out", "out")
    with subprocess.Popen(
        command(*arguments), cwd=small, env=variables(), stdout=subprocess.DEVNULL
    ) as running:
        deadline = time.monotonic() + 60
        while not (small / "out" / "ada" / "pytest.log").exists() and time.monotonic() < deadline:
            time.sleep(0.01)
        running.kill()
    while (
        left := [line for line in processes() if str(small) in line]
    ) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not left
    assert result(small / "out" / "ada" / "result.json")["status"] == "error"


def processes() -> list[str]:
    """Return the command lines of all processes."""
    return subprocess.run(
        ["ps", "-eo", "args"], capture_output=True, text=True, check=True
    ).stdout.splitlines()


@LINUX
def test_reader_that_leaves_is_no_error(tmp_path: Path) -> None:
    """`mpgrade list | head` is quiet."""
    reader, writer = os.pipe()
    os.close(reader)
    done = subprocess.run(
        command("list"),
        cwd=tmp_path,
        env=variables(),
        stdout=writer,
        stderr=subprocess.PIPE,
        check=False,
        timeout=60,
    )
    os.close(writer)
    assert (done.returncode, done.stderr) == (141, b"")


def test_list_names_the_assignments(tmp_path: Path) -> None:
    """Each assignment that comes along is on one line with its points and title."""
    done = mpgrade(tmp_path, "list")
    assert (done.returncode, done.stderr) == (0, "")
    assert any(
        line.split()[:3] == ["mp_apply", "20", "points"] for line in done.stdout.splitlines()
    )


def test_tasks_are_listed_with_what_they_do(tmp_path: Path) -> None:
    """Each function that makes tasks is there with its parameters and a sentence."""
    done = mpgrade(tmp_path, "tasks")
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert "tasks.held(count, *, seed=507)" in lines
    assert "tasks.mixed()" in lines
    assert all(line.startswith("    Return ") and line.endswith(".") for line in lines[1::2])


def test_checks_are_chosen_by_name_or_concern(tmp_path: Path) -> None:
    """An author who knows what he looks for need not read 1,000 lines."""
    done = mpgrade(tmp_path, "checks", "returns_value", "sentinel")
    assert (done.returncode, done.stderr) == (0, "")
    headings = [line[4:] for line in done.stdout.splitlines() if line.startswith("### ")]
    assert {"returns_value", "ended_by_sentinel"} <= {*headings}
    assert "met" not in headings
    done = mpgrade(tmp_path, "checks", "return_value")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        "mpgrade: there is no check or concern 'return_value'; did you mean 'returns_value'?\n"
    )


def test_fixtures_are_listed_with_what_they_do(tmp_path: Path) -> None:
    """Each method of a fixture, and each step, is there with its parameters and a sentence."""
    done = mpgrade(tmp_path, "fixtures")
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    for begin in ("student.call(", "student.explore(", "notebook.run(", "steps.script("):
        assert any(line.startswith(begin) for line in lines[::2]), begin
    assert all(line.startswith("    ") and line.endswith(".") for line in lines[1::2])


def test_doctor_tells_what_is_there_and_what_helps(tmp_path: Path) -> None:
    """Every row says ok or missing; what is missing has a consequence; nothing is left behind."""
    done = mpgrade(tmp_path, "doctor")
    assert (done.returncode, done.stderr) == (0, "")
    rows = [line for line in done.stdout.splitlines() if not line.startswith(" ")]
    assert all(row.startswith(("ok       ", "missing  ")) for row in rows)
    assert f"ok       Python: {'.'.join(map(str, sys.version_info[:3]))}" in rows[0]
    for name in ("start methods", "cores", "ptrace", "subreaper", "numpy", "py-spy", "assignments"):
        assert any(row[9:].startswith(name) for row in rows), name
    assert max(len(line) for line in done.stdout.splitlines()) <= 80
    assert not os.listdir(tmp_path)


def test_version_and_help(tmp_path: Path) -> None:
    """Both are told with exit code 0; the help of each command names its options."""
    assert mpgrade(tmp_path, "--version").stdout == f"mpgrade {__version__}\n"
    for name in ("check", "grade", "batch", "list", "doctor", "verify", "wrong"):
        done = mpgrade(tmp_path, name, "--help")
        assert (done.returncode, done.stderr) == (0, "")
        assert f"usage: mpgrade {name}" in done.stdout


def test_command_is_run_in_any_thread(capsys: pytest.CaptureFixture[str]) -> None:
    """A program may call it in a thread, which can handle no signal."""
    codes: list[int] = []
    thread = threading.Thread(target=lambda: codes.append(cli.main(["rubric", "pool"])))
    thread.start()
    thread.join()
    assert codes == [0]
    assert "pool_finish" in capsys.readouterr().out


def test_start_is_light(tmp_path: Path) -> None:
    """What only a grading needs is not loaded to print a help text."""
    code = (
        "import sys; from pytest_mpgrade.cli import main; main(['--help']);"
        " print(sorted(sys.modules), file=sys.stderr)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env=variables(),
        capture_output=True,
        text=True,
        check=True,
    )
    for name in ("rich", "msgspec", "numpy", "psutil", "pytest", "multiprocessing", "subprocess"):
        assert f"'{name}'" not in done.stderr


def test_batch_draws_nothing_that_nobody_asked_for() -> None:
    """What draws and colours pages is not loaded before pages are asked for."""
    code = "import sys, pytest_mpgrade.cli.batch; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    for name in ("leather", "pygments", "pytest_mpgrade.report.pages.student"):
        assert name not in done.stdout.split()


def test_students_files_are_not_imported(place: Path) -> None:
    """Files with a library's name in the current folder, a conftest.py or a pytest.ini there reach
    no grader.
    """
    for name in ("rich", "csv", "tempfile", "conftest", "sitecustomize", "pytest"):
        hand_in(place / "subs" / "eve" / f"{name}.py", f"raise SystemExit('{name} was imported')\n")
    (place / "subs" / "eve" / "pytest.ini").write_text("[pytest]\naddopts = --nonsense\n")
    done = mpgrade(place / "subs" / "eve", "check", "mp_apply")
    assert (done.returncode, done.stderr) == (3, "")
    assert "mp_apply: eve" in done.stdout


def test_other_encodings_can_be_printed(place: Path) -> None:
    """A terminal that has only ASCII gets look-alikes, not an error."""
    done = mpgrade(place, "check", "mp_apply", "subs/eve", PYTHONIOENCODING="ascii")
    assert (done.returncode, done.stderr) == (3, "")
    assert "criteria were not reached" in done.stdout
    assert done.stdout.isascii()


@pytest.mark.parametrize(
    ("id", "start"),
    [
        ("ada", "ada"),
        ("Zoë Ån_1.2@x+y=z-", "Zoë Ån_1.2@x+y=z-"),
        ("../../etc", "__.._etc-"),
        (".hidden", "_hidden-"),
        ("-rf", "_rf-"),
        ("a/b", "a_b-"),
        ("a\nb\x1b\udc80", "a_b__-"),
        ("", "-"),
        ("x" * 300, "x" * 60 + "-"),
        ("gradebook.csv", "gradebook.csv-"),
        ("feedback", "feedback-"),
        ("dots...", "dots_-"),
    ],
)
def test_ids_become_folder_names(id: str, start: str) -> None:
    """A harmless name is kept; any other one is made harmless and gets a hash, so that no two are
    the same.
    """
    name = folder_name(id)
    assert name == id if start == id else name.startswith(start)
    assert Path(name).name == name
    assert name not in ("", ".", "..")
    assert len(name.encode()) < 255


def test_no_two_submissions_share_a_folder(tmp_path: Path) -> None:
    """A folder and files of one name, and names that some file systems take for one, are kept
    apart.
    """
    names = [
        "ada",
        "Ada",
        "ada.py",
        "ada.ipynb",
        "bob.py",
        "bob.py.py",
        "bob",
        "e\u0301",
        "\u00e9",
        "eve.py",
    ]
    for name in names:
        child = tmp_path / name
        hand_in(child / "m.py") if "." not in name else child.write_text("")
    jobs, left_out = plain.jobs(tmp_path, tmp_path / "out")
    assert left_out == []
    assert {job.path.name for job in jobs} == set(names)
    assert len({job.id for job in jobs}) == len(names)
    assert len({job.folder.casefold() for job in jobs}) == len(names)
    with pytest.raises(UsageError, match=r"it holds only: notes\.txt"):
        plain.jobs(hand_in(tmp_path / "papers" / "notes.txt"), tmp_path)


def test_keyword_that_fits_nothing_is_wrong_usage(place: Path) -> None:
    """A misspelt -k is told in one line, and blames no machine."""
    done = mpgrade(place, "check", "mp_apply", "subs/ada", "-k", "zzz")
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert "no question fits -k 'zzz'" in done.stderr


def test_misspelt_command_is_answered_with_the_nearest(place: Path) -> None:
    """A command that does not exist is told with the one that may be meant."""
    done = mpgrade(place, "chekc", "mp_apply")
    assert done.returncode == 2
    assert "did you mean 'check'?" in done.stderr
