"""`mpgrade debug` in real terminals, and the lines that it prints in plain Python."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from pytest_mpgrade.course.assignment import find_assignment
from pytest_mpgrade.session.question_calls import Question, question_calls
from pytest_mpgrade.student.call_script import Repeated, lines_of
from pytest_mpgrade.submission.discover import discover
from support.program import program
from support.running import ROOT, run_command, variables, wait_until
from support.small_assignment import put
from support.terminal import terminal

MPGRADE = [sys.executable, "-m", "pytest_mpgrade", "debug"]
TERMINALS = pytest.mark.skipif(sys.platform == "win32", reason="terminals of POSIX")
ORDER = "test_mp_apply.py::test_order"
METHODS = ["fork", "spawn", "forkserver"]
PLAIN = """
def calculate(func, args):
    return func(*args)


def worker(input, output):
    for func, args in iter(input.get, "STOP"):
        output.put(calculate(func, args))


def ask(todo, done):
    {asks}
    worker(todo, done)


def mp_apply(tasks, n_processes=2):
    tasks = list(tasks)
    {stops}
    todo, done = mp.Queue(), mp.Queue()
    p = mp.Process(target=ask, args=(todo, done))
    p.start()
    for task in [*tasks, "STOP"]:
        todo.put(task)
    results = [done.get() for _ in tasks]
    p.join()
    return results
"""


def hand_in(folder: Path, *, asks: str = "pass", stops: str = "pass") -> Path:
    """Write a submission whose worker or parent asks a person."""
    return put(folder / "ada" / "cv_funcs.py", program(PLAIN.format(asks=asks, stops=stops)))


def reference(name: str, question: str, method: str = "") -> Question:
    """Return the calls of a question of a shipped assignment."""
    assignment = find_assignment(name)
    submission = discover(ROOT / "reference" / name, assignment)
    return question_calls(assignment, submission, question, method)


def shown_lines(name: str, question: Question, number: int = 0) -> str:
    """Return the lines that repeat one of its calls against the reference."""
    return lines_of(
        Repeated(
            about=question.title,
            steps=question.plays[number],
            start_method=question.start_method,
            folder=str(ROOT / "reference" / name),
            module="cv_funcs",
        )
    )


@TERMINALS
@pytest.mark.parametrize("method", METHODS)
def test_input_of_a_worker_is_answered(tmp_path: Path, method: str) -> None:
    """In a worker, under every start method, input() reads what is typed in the terminal."""
    hand_in(tmp_path, asks="print('got', input('what? ')[::-1])")
    command = [*MPGRADE, "mp_apply", "test_plainest_call_under_every_start_method", "ada"]
    with terminal([*command, "--start-method", method], tmp_path) as screen:
        screen.until("what? ")
        screen.type("olleh\n")
        assert screen.ended() == 0, screen.shown
    assert "got hello\n" in screen.shown
    assert "mp_apply() returned [" in screen.shown


@TERMINALS
@pytest.mark.parametrize("where", ["asks", "stops"])
def test_debugger_works(tmp_path: Path, where: str) -> None:
    """A debugger that the parent or a worker stops in shows its variables and goes on."""
    hand_in(tmp_path, **{where: "breakpoint()"})
    with terminal([*MPGRADE, "mp_apply", "test_plainest_call", "ada"], tmp_path) as screen:
        screen.until("(Pdb) ")
        screen.type("p 'pid', os.getpid() > 0\n")
        screen.until("('pid', True)")
        screen.type("c\n")
        assert screen.ended() == 0, screen.shown


@TERMINALS
def test_ctrl_c_ends_a_call_that_hangs(tmp_path: Path) -> None:
    """Ctrl-C ends what is debugged with Python's own traceback."""
    hand_in(tmp_path, stops="print('sleeps'); time.sleep(3600)")
    with terminal([*MPGRADE, "mp_apply", "test_plainest_call", "ada"], tmp_path) as screen:
        screen.until("sleeps\n")
        screen.type("\x03")
        assert screen.ended() == 1, screen.shown
    assert "KeyboardInterrupt" in screen.shown
    assert "in mp_apply" in screen.shown


def nobody_left(text: str) -> bool:
    """Tell whether none of the processes runs that are named with their ids."""
    pids = {int(each) for each in re.findall(r"\(pid (\d+)\)", text)}
    return bool(pids) and wait_until(lambda: not any(map(psutil.pid_exists, pids)), seconds=10)


@TERMINALS
@pytest.mark.parametrize("method", METHODS)
def test_a_hang_says_where_it_is(tmp_path: Path, method: str) -> None:
    """Where workers are never told to stop, the call says after some seconds at which line each
    process is; Ctrl-C ends all of them, and says it again.
    """
    text = PLAIN.format(asks="pass", stops="pass").replace('[*tasks, "STOP"]', "tasks")
    put(tmp_path / "ada" / "cv_funcs.py", program(text))
    command = [*MPGRADE, "mp_apply", "test_plainest_call_under_every_start_method", "ada"]
    with terminal([*command, "--start-method", method], tmp_path) as screen:
        screen.until(' iter(input.get, "STOP"):', 240)
        seen = " ".join(screen.shown.split())
        assert "Ctrl-C ends it, with all its child processes." in seen
        assert re.search(
            r"the parent \(pid \d+\) is in mp_apply\(\) at cv_funcs.py:\d+: p.join", seen
        )
        assert re.search(
            r"worker 1 \(pid \d+\) is in worker\(\) at cv_funcs.py:\d+: for func,", seen
        )
        assert "worker 2" not in seen
        screen.type("\x03")
        assert screen.ended(240) == 1, screen.shown
    after = " ".join(screen.shown.partition("When it was interrupted:")[2].split())
    assert re.search(r"worker 1 \(pid \d+\) was in worker\(\) at cv_funcs.py:\d+: for func,", after)
    assert nobody_left(screen.shown)


@TERMINALS
def test_processes_that_ignore_ctrl_c_are_killed(tmp_path: Path) -> None:
    """A worker and a parent that ignore Ctrl-C do not outlive it for long."""
    ignores = "__import__('signal').signal(2, 1); print('deaf'); time.sleep(3600)"
    hand_in(tmp_path, asks=ignores, stops="__import__('signal').signal(2, 1)")
    with terminal([*MPGRADE, "mp_apply", "test_plainest_call", "ada"], tmp_path) as screen:
        screen.until("Still running after", 240)
        screen.until("time.sleep(3600)", 240)
        screen.type("\x03")
        assert screen.ended(240) == 1, screen.shown
    assert "2 processes did not end, and had to be killed" in screen.shown
    assert nobody_left(screen.shown)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    ("question", "ends"),
    [
        ("test_plainest_call_under_every_start_method", "mp_apply() returned ["),
        ("test_results_are_drained[{}-many results]", "mp_apply() returned ["),
        ("test_edge_cases[{}-None, False, 'STOP' and arrays]", "mp_apply() returned ["),
        ("test_raising_task[{}-an exception]", "ValueError: kaputt 4711"),
        ("test_dying_worker[{}-SIGKILL]", "RuntimeError"),
    ],
)
def test_printed_lines_run_without_mpgrade(
    tmp_path: Path, question: str, ends: str, method: str
) -> None:
    """The printed lines, saved as a file, make the call under the start method, without mpgrade."""
    text = shown_lines("mp_apply", reference("mp_apply", question.format(method), method))
    file = put(tmp_path / "repeat.py", f"{text}    print(multiprocessing.get_start_method())\n")
    assert "pytest_mpgrade" not in text
    done = run_command([sys.executable, str(file)], tmp_path)
    assert ends in done.stdout + done.stderr
    if "returned" in ends:
        assert done.returncode == 0, done.stderr
        assert done.stdout.endswith(f"{method}\n")


def test_printed_lines_run_when_they_are_pasted(tmp_path: Path) -> None:
    """Pasted into an interactive interpreter the printed lines make the call, too."""
    text = shown_lines("mp_apply", reference("mp_apply", "test_plainest_call"))
    done = subprocess.run(
        [sys.executable, "-i", "-q"],
        input=f"{text}\n",
        cwd=tmp_path,
        env=variables(),
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )
    assert "mp_apply() returned [" in done.stdout
    assert "Error" not in done.stderr


@pytest.mark.parametrize("method", METHODS)
def test_handles_are_repeated(tmp_path: Path, method: str) -> None:
    """A question of several steps in one process is repeated with its handles, until there is an
    answer.
    """
    found = reference("bg_task", "test_results_reach_whom_they_belong_to", method)
    assert len(found.plays) == 2
    for number in (0, 1):
        file = put(tmp_path / "repeat.py", shown_lines("bg_task", found, number))
        done = run_command([sys.executable, str(file)], tmp_path)
        assert done.returncode == 0, done.stderr
    assert "bg_get() returned" in done.stdout


def test_results_are_asked_for_once(tmp_path: Path) -> None:
    """Where no task is held, a result that an early call has had is not waited for again."""
    found = reference("bg_task", "test_several_tasks_at_a_time", "fork")
    file = put(tmp_path / "repeat.py", shown_lines("bg_task", found))
    done = run_command([sys.executable, str(file)], tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("Child process inactive.") == 0
    assert "returned', None" not in done.stdout.splitlines()[-1]


def test_import_alone_is_no_call() -> None:
    """Of a question about the import there is no call to be made."""
    question = reference("mp_apply", "test_module_imports_and_has_the_functions")
    assert question.plays == ()


def test_every_question_can_be_repeated() -> None:
    """Of each question of bg_task there are lines, except of one about the import."""
    name = "bg_task"
    found = find_assignment(name)
    source = (Path(found.folder) / found.test_file).read_text("utf-8")
    functions = [
        line.partition("(")[0].removeprefix("def ")
        for line in source.splitlines()
        if line.startswith("def test_")
    ]
    without = []
    for function in functions:
        question = reference(name, function)
        if question.timed or not question.plays:
            without.append(function)
            continue
        for number in range(len(question.plays)):
            compile(shown_lines(name, question, number), function, "exec")
    assert without == ["test_module_imports_and_has_the_functions"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["mp_apply", "test_ordr"], "there is no question 'test_ordr'; did you mean 'test_order'?"),
        (
            ["mp_apply", f"{ORDER}[fork]/first_in_first_out", "--start-method", "spawn"],
            "test_order is asked under fork",
        ),
        (["mp_apply", "test_speed"], "times many calls in turn with the reference"),
        (["mp_apply", "test_order", "--call", "9"], "makes 1 call"),
        (["notebook", "test_x"], "run its cells in Jupyter, where print, input()"),
    ],
)
def test_wrong_usage_says_what_to_do(tmp_path: Path, words: list[str], said: str) -> None:
    """What cannot be debugged is said in one line, with what to do instead."""
    hand_in(tmp_path)
    done = run_command([*MPGRADE, *words[:2], "ada", *words[2:]], tmp_path)
    assert done.returncode == 2
    assert said in done.stderr
    assert done.stderr.count("\n") == 1


def test_a_submission_that_cannot_be_imported_by_name(tmp_path: Path) -> None:
    """A file whose name Python cannot import is to be saved under the assignment's name."""
    hand_in(tmp_path).rename(tmp_path / "ada" / "my funcs.py")
    done = run_command([*MPGRADE, "mp_apply", "test_order", "ada"], tmp_path)
    assert done.returncode == 2
    assert "save your functions as cv_funcs.py" in done.stderr
