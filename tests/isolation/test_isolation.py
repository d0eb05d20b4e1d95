"""What student code can see and reach in each layer of isolation, tried by student code itself."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from pytest_mpgrade import checks, steps, tasks
from pytest_mpgrade.isolation import choose, description, readable
from pytest_mpgrade.isolation.layer import Isolation
from pytest_mpgrade.isolation.readable import PACKAGE, View, without
from pytest_mpgrade.records import Ending, Outcome, Run, Scenario
from pytest_mpgrade.run.client import module_run
from pytest_mpgrade.student.confirmation import CONTROL
from pytest_mpgrade.system.linux import landlock, spare_user
from support.ours import Ours
from support.running import LEVELS, MakeRuns, setting, wait_until

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="isolation is Linux only")

EACH_LAYER = pytest.mark.parametrize("layer", LEVELS)
EACH_METHOD = pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])


def said(run: Run) -> list[str]:
    """Return the lines that a call has printed."""
    assert run.ending is Ending.RETURNED, (run.ending, run.why, run.error, run.stderr)
    return run.printed.splitlines()


@EACH_LAYER
@EACH_METHOD
def test_own_processes_of_the_grader_meet(
    layer: str, method: str, module: Callable[[str], Path]
) -> None:
    """The control that has to meet before a submission is blamed for not meeting starts and meets
    in each layer.
    """
    workload = tasks.held(12)
    script = steps.Rendezvous(n=3, keys=workload.keys, seed=1)
    scenario = Scenario(
        steps=(steps.call("mp_apply", workload, n_processes=3, gates=script),), start_method=method
    )
    given = replace(setting(module(""), isolation=layer), submission=CONTROL)
    _, run = module_run.run_module(scenario, given)
    assert run.ending is Ending.RETURNED, (run.why, run.stderr)
    assert run.trace.gates is not None
    assert run.trace.gates.met


# --- what student code sees

LOOKS = """
    import os
    import socket

    def attempt(name, act):
        try:
            act()
        except OSError:
            pass
        else:
            print(name)

    def f(files, folders, address):
        for path in files:
            attempt(path, lambda: open(path).close())
        for path in folders:
            attempt(path, lambda: print(*os.listdir(path), sep="\\n"))
        attempt("tcp", lambda: socket.create_connection(address, 2).close())

        def send():
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(b"x", address)

        attempt("udp", send)
        attempt("own module", lambda: open(__file__, "a").close())
        attempt("beside it", lambda: open(os.path.dirname(__file__) + "/new", "w").close())
        for name in sorted(os.environ):
            if "SECRET" in name:
                print(name)
        open("scratch", "w").close()
"""


@pytest.fixture
def listening() -> Iterator[tuple[str, int]]:
    """Listen on a port of the loopback interface outside."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()


@EACH_LAYER
def test_neither_files_nor_network_of_others(
    play: MakeRuns,
    layer: str,
    tmp_path: Path,
    listening: tuple[str, int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Tests, references, homes, results, secrets and the network are out of reach; scratch can be
    written.
    """
    monkeypatch.setenv("MY_SECRET", "4711")
    (tmp_path / "result.json").write_text("{}")
    repository = Path(PACKAGE).parent
    files = [
        str(tmp_path / "result.json"),
        __file__,
        f"{PACKAGE}/cli.py",
        "/etc/shadow",
        f"/proc/{os.getpid()}/environ",
    ]
    files += [str(path) for path in repository.glob("*ignments/*/test_*.py")]
    files += [str(path) for path in repository.glob("reference/*/*.py")]
    folders = [str(Path.home()), str(tmp_path)]
    run = play(LOOKS, steps.call("f", files, folders, listening), isolation=layer)[1]
    # Of a folder above something that is shown, the way there is seen; UDP stays in the run's own
    # network.
    on_the_way = {path.strip("/").split("/")[-1] for path in folders}
    shown = choose.choose_isolation(
        layer, module=str(next(tmp_path.glob("*/cv_funcs.py")))
    ).view.read
    on_the_way |= {
        part for path in (*shown, *map(str, tmp_path.iterdir())) for part in path.split("/")
    } | set(folders)
    assert set(said(run)) - on_the_way <= ({"udp"} if layer != "landlock" else set())


@EACH_LAYER
def test_names_outside_stay_clean(play: MakeRuns, layer: str, ours: Ours) -> None:
    """What is written to /tmp and /dev/shm without a name of ours is gone, or could not be
    written.
    """
    text = """
        import os

        def f():
            for folder in ("/tmp", "/var/tmp", "/dev/shm"):
                try:
                    open(f"{folder}/{os.environ['MPGRADE_RUN'][1:]}-stray", "w").close()
                except OSError:
                    pass
    """
    play(text, steps.call("f"), isolation=layer)
    marks = [prefix[1:] for prefix in ours.prefixes]
    for folder in ("/tmp", "/var/tmp", "/dev/shm"):
        assert not [
            name
            for name in os.listdir(folder)
            if name.endswith("-stray") and name.partition("-")[0] in marks
        ]


@EACH_LAYER
def test_grader_cannot_be_signalled(play: MakeRuns, layer: str) -> None:
    """The parent, its group and everybody: signals do not arrive, and the run goes on."""
    text = """
        import os, signal

        def f():
            for target in (os.getppid(), -os.getpgid(os.getppid()), -1):
                try:
                    os.kill(target, signal.SIGKILL)
                except OSError:
                    pass
            return "alive"
    """
    run = play(text, steps.call("f"), isolation=layer)[1]
    # A parent without a number is in another namespace; os.kill(0 or -0) is the own group.
    assert run.value == "alive" or (run.ending is Ending.DIED and layer != "landlock"), run


@EACH_LAYER
@EACH_METHOD
def test_right_solution_goes_through(play: MakeRuns, layer: str, method: str) -> None:
    """Isolation changes no verdict: a right solution passes at the gates, and nothing of it is
    left.
    """
    line = tasks.rendezvous(3)
    text = """
        import multiprocessing as mp

        def work(todo, done):
            for func, args in iter(todo.get, "STOP"):
                done.put(func(*args))

        def mp_apply(tasks, n_processes=2):
            tasks, todo, done = list(tasks), mp.Queue(), mp.Queue()
            workers = [mp.Process(target=work, args=(todo, done)) for _ in range(n_processes)]
            for each in workers:
                each.start()
            for task in tasks:
                todo.put(task)
            results = [done.get() for _ in tasks]
            for _ in workers:
                todo.put("STOP")
            for each in workers:
                each.join()
            return results
    """
    run = play(text, steps.call("mp_apply", line, n_processes=3), isolation=layer, method=method)[1]
    asked = (
        checks.values_in_any_order(line),
        checks.workers(3),
        checks.met(),
        checks.free_worker_takes_next(),
    )
    ended = (checks.ended_by_sentinel(), checks.nothing_else_left(), checks.uses_the_default())
    for check in (*asked, *ended):
        finding = check(run)
        assert finding.outcome is Outcome.PASSED, (finding.check, finding.message)


@EACH_LAYER
def test_hang_is_proven_and_explained(play: MakeRuns, layer: str) -> None:
    """The deadlock proof and the stacks reach into the isolation."""
    text = """
        import multiprocessing as mp

        def work(todo):
            todo.get()

        def f():
            p = mp.Process(target=work, args=(mp.Queue(),))
            p.start()
            p.join()
    """
    run = play(text, steps.call("f"), isolation=layer)[1]
    assert (run.ending, run.why) == (Ending.HUNG, "proof")
    assert any("at cv_funcs.py:9: p.join()" in each.sentence for each in run.trace.stuck), (
        run.trace.stuck
    )


@pytest.mark.parametrize("layer", ["uid", "bwrap"])
def test_shared_memory_by_any_name_is_seen(play: MakeRuns, layer: str) -> None:
    """In a /dev/shm of its own, a block with a name of the student's choice is found too."""
    text = """
        from multiprocessing import resource_tracker, shared_memory

        def f():
            block = shared_memory.SharedMemory(name="left_by_a_student", create=True, size=1000)
            resource_tracker.unregister(block._name, "shared_memory")
            block.close()
    """
    run = play(text, steps.call("f"), isolation=layer)[1]
    assert ("shared memory", "left_by_a_student") in [
        (left.kind, left.name) for left in run.trace.leftovers
    ]
    assert "left_by_a_student" not in os.listdir("/dev/shm")


# --- limits


@pytest.mark.parametrize("layer", ["uid", "landlock", "none"])
@pytest.mark.parametrize(
    ("body", "limits", "words"),
    [
        (
            "x = [bytearray(50_000_000) for _ in range(40)]; time.sleep(60)",
            {"memory_bytes": 300_000_000},
            "out of memory: the limit is 300 MB",
        ),
        (
            (
                "[mp.Process(target=time.sleep, args=(60,), daemon=True).start() for _ in"
                " range(60)]; time.sleep(60)"
            ),
            {"processes": 20},
            "too many processes: the limit is 20 at a time",
        ),
        (
            "while True: pass",
            {"cpu_seconds": 1},
            "too much computing: the limit is 1 s of CPU time",
        ),
        (
            (
                "for i in range(60): open(str(i), 'wb').write(bytes(1_000_000))\n           "
                " time.sleep(60)"
            ),
            {"disk_bytes": 20_000_000},
            "too much written to disk: the limit is 20 MB",
        ),
        (
            "open('/dev/shm/' + os.environ['MPGRADE_RUN'][1:], 'wb').write(bytes(30_000_000))",
            {"disk_bytes": 20_000_000},
            "too much shared memory: the limit is 20 MB",
        ),
    ],
    ids=["memory", "processes", "CPU", "disk", "shared memory"],
)
def test_limit_is_named(
    play: MakeRuns, layer: str, body: str, limits: dict[str, Any], words: str
) -> None:
    """A run that goes over a limit is ended at once, and the result says which."""
    text = f"""
        import multiprocessing as mp
        import os
        import time

        def f():
            {body}
    """
    run = play(text, steps.call("f"), isolation=layer, **limits)[1]
    assert (run.ending, run.stopped) == (Ending.STOPPED, words), (run.why, run.error, run.stderr)
    assert any(
        words in check(run).message for check in (checks.comes_back(), checks.returns_value(1))
    )


def test_worker_that_the_kernel_ends_for_its_memory(play: MakeRuns) -> None:
    """A worker that dies for want of memory reads so, never as a death by signal 9."""
    text = """
        import multiprocessing as mp

        def eat():
            x = bytearray(900_000_000)

        def f():
            p = mp.Process(target=eat)
            p.start()
            p.join()
            return p.exitcode
    """
    run = play(text, steps.call("f"), isolation="uid", memory_bytes=300_000_000)[1]
    assert (run.ending, run.stopped) == (Ending.STOPPED, "out of memory: the limit is 300 MB"), run


@pytest.mark.parametrize("where", ["in a worker", "in the caller"])
def test_memory_that_was_had_between_two_looks_counts(play: MakeRuns, where: str) -> None:
    """Without a control group nobody but the kernel's accounts remembers what was taken and given
    back at once.
    """
    text = f"""
        import mmap
        import multiprocessing as mp

        def eat():
            flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | mmap.MAP_POPULATE
            mmap.mmap(-1, 150_000_000, flags=flags).close()

        def f():
            if {where == "in the caller"}:
                eat()
                raise MemoryError
            p = mp.Process(target=eat)
            p.start()
            p.join()
    """
    for _ in range(3):
        run = play(text, steps.call("f"), isolation="none", memory_bytes=100_000_000)[1]
        assert (run.ending, run.stopped) == (
            Ending.STOPPED,
            "out of memory: the limit is 100 MB",
        ), run


READS_MEMORY = """
import os
import sys
from pytest_mpgrade.system.linux import ptrace
from pytest_mpgrade.run.observe.linux import LinuxObserver

assert not ptrace.may_trace_anybody()
uid = int(sys.argv[1])
(hold, let_go), (ready, told) = os.pipe(), os.pipe()
pid = os.fork()
if not pid:
    os.dup2(hold, 0)
    os.dup2(told, 1)
    ptrace.become(uid)
    os.close(let_go)
    os.execv("/bin/sh", ["/bin/sh", "-c", "echo; read x"])
os.read(ready, 1)
print(LinuxObserver(trace=False, user=uid).memory(pid))
"""


@pytest.mark.skipif(os.getuid() != 0, reason="only root can become another user")
def test_memory_is_known_without_the_right_to_trace() -> None:
    """Root in a container may not look into others' processes: /proc tells their memory only to
    their own user.
    """
    less = ["setpriv", "--bounding-set", "-sys_ptrace,-perfmon,-sys_admin"]
    argv = [*less, sys.executable, "-c", READS_MEMORY, str(spare_user.FIRST)]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=True)
    assert int(done.stdout) > 20_000


# --- what is not believed


@pytest.mark.parametrize(
    ("message", "words"),
    [
        ('b"nonsense"', "'no message', which no task says"),
        ('b"{}"', "'no message', which no task says"),
        ("""b'{"kind": "promote", "key": "1"}'""", "'promote', which no task says"),
        ("""b'{"kind": "note", "key": "never"}'""", "a task 'never' that was never handed out"),
    ],
)
def test_message_that_no_task_sends(play: MakeRuns, message: str, words: str) -> None:
    """A broken or forged message ends the run, with the reason."""
    text = f"""
        import time
        from pytest_mpgrade.inside import gates

        def mp_apply(tasks):
            gates._channel().send({message})
            time.sleep(60)
    """
    run = play(text, steps.call("mp_apply", tasks.square([5])))[1]
    assert run.ending is Ending.STOPPED
    assert words in run.stopped


def test_flood_of_messages(play: MakeRuns) -> None:
    """Too many messages end the run."""
    text = """
        from pytest_mpgrade.inside import gates

        def mp_apply(tasks):
            while True:
                gates.tell("note", key="25")
    """
    run = play(text, steps.call("mp_apply", tasks.square([25])))[1]
    assert run.ending is Ending.STOPPED
    assert "messages were sent to the grader" in run.stopped


def test_stranger_at_the_gates(module: Callable[[str], Path], ours: Ours) -> None:
    """A process that the observer has not seen start is not listened to, whoever it is."""
    text = """
        import multiprocessing as mp

        def f(task):
            p = mp.Process(target=task[0], args=task[1])
            p.start()
            p.join()
    """
    (task,) = tasks.held(1).tasks
    step = steps.call("f", task, gates=steps.SHUT)
    found: list[Run] = []
    scenario = Scenario(steps=(step,), start_method="fork")
    thread = threading.Thread(
        target=lambda: found.extend(module_run.run_module(scenario, setting(module(text))))
    )
    thread.start()
    assert wait_until(lambda: list(ours.temp.glob("mpgrade-*/gates/gate")))
    (gate,) = ours.temp.glob("mpgrade-*/gates/gate")
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as stranger:
        # The name is there from bind() on, and refuses until listen().
        assert wait_until(lambda: stranger.connect_ex(str(gate)) == 0)
        stranger.send(json.dumps({"kind": "note", "key": "forged"}).encode())
        thread.join(60)
    assert found[1].ending is Ending.RETURNED
    assert "forged" not in [event.key for event in found[1].trace.events]


@pytest.mark.parametrize(
    "put",
    [
        "os.symlink('/etc/passwd', path)",
        "os.mkdir(path)",
        "os.mkfifo(path)",
        "open(path, 'w').write('[' * 10**6)",
    ],
)
def test_answer_that_is_no_answer(play: MakeRuns, put: str) -> None:
    """Whatever lies where an answer should be, the grader reads plain JSON of the right shape, or
    nothing.
    """
    text = f"""
        import os

        def f():
            path = os.path.join(os.path.dirname(os.environ["MPGRADE_STACKS"]), "box", "0.json")
            {put}
            if os.path.isfile(path) and not os.path.islink(path):
                os.fork() or os._exit(0)
    """
    run = play(text, steps.call("f"))[1]
    assert "root" not in json.dumps([run.encoded, run.error and run.error.message])
    assert run.ending in (Ending.DIED, Ending.HUNG, Ending.RETURNED)
    # the child's own answer took the place of what lay there
    assert run.encoded != ["none"] or "open" in put


# --- choosing a layer


def test_falls_through_where_there_is_no_bubblewrap(
    module: Callable[[str], Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without bwrap on the path, namespaces are not to be had; the next layer is taken, and the
    result says why.
    """
    monkeypatch.setenv("PATH", "/nonexistent")
    path = str(module("x = 1") / "cv_funcs.py")
    found = choose.choose_isolation("bwrap", module=path)
    assert found.level == ("landlock" if landlock.abi() >= choose.SIGNALS_ABI else found.level)
    assert "bwrap: not installed" in found.fell_through


WITHOUT_NAMESPACES = """
import sys
from pytest_mpgrade.system.linux import seccomp
# As a container's default profile: no namespaces.
seccomp.install(seccomp.program(alone=True, udp=True, ipc=True))
from pytest_mpgrade.isolation.choose import choose_isolation
found = choose_isolation("bwrap", module=sys.argv[1])
print(found.level, *found.fell_through, sep="|")
"""


def test_falls_through_where_namespaces_are_forbidden(module: Callable[[str], Path]) -> None:
    """In a container that forbids namespaces, bubblewrap fails when tried, and Landlock is
    taken.
    """
    path = str(module("x = 1") / "cv_funcs.py")
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT_NAMESPACES, path],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    level, *why = done.stdout.strip().split("|")
    assert level.startswith("landlock") or not landlock.abi()
    assert any(
        "the interpreter cannot be started in it" in each or "not installed" in each for each in why
    ), why


def test_refusal_names_what_was_tried() -> None:
    """Where isolation is required and there is none, one line says what was tried and what
    helps.
    """
    words = description.refusal(Isolation(fell_through=("bwrap: not installed",)))
    assert "bwrap: not installed" in words
    assert "--no-require-isolation" in words
    assert description.refusal(Isolation(level="landlock")) == ""


# --- the view of the file system


def test_hidden_parts_are_left_out(tmp_path: Path) -> None:
    """Of a folder with something hidden in it, the entries beside the way to that are shown."""
    for name in ("a/b/secret", "a/c", "d"):
        (tmp_path / name).mkdir(parents=True)
    root = str(tmp_path)
    assert without(root, [f"{root}/a/b/secret"]) == [f"{root}/a/c", f"{root}/d"]
    assert without(root, [root]) == without(f"{root}/a", [root]) == []
    assert without(root, ["/elsewhere"]) == [root]
    view = View(read=(root,), hidden=(f"{root}/a/b/secret",))
    assert {root, f"{root}/a", f"{root}/a/b"} <= set(view.listed())


def test_no_link_leads_to_what_is_hidden(tmp_path: Path) -> None:
    """As lib64 of a virtual environment leads to lib, in which the tests of an installed package
    lie.
    """
    root = str(tmp_path / "venv")
    (tmp_path / "venv/lib/package/secret").mkdir(parents=True)
    (tmp_path / "venv/bin").mkdir()
    for name, target in (("lib64", "lib"), ("inside", "lib/package/secret"), ("beside", "bin")):
        (tmp_path / "venv" / name).symlink_to(target)
    assert without(root, [f"{root}/lib/package/secret"]) == [f"{root}/beside", f"{root}/bin"]


@EACH_LAYER
def test_package_is_hidden_under_all_its_names(
    layer: str, module: Callable[[str], Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where site-packages is reached through a link, neither of its names shows more than what
    student code needs.
    """
    real, link = tmp_path / "real" / "site-packages", tmp_path / "site-packages"
    real.parent.mkdir()
    tmp_path.chmod(0o755)
    real.mkdir()
    link.symlink_to(real)
    shutil.copytree(PACKAGE, real / "pytest_mpgrade", ignore=shutil.ignore_patterns("__pycache__"))
    text = """
        import os

        def f():
            for place in (PLACES):
                print(os.path.exists(place + "/pytest_mpgrade/inside/gates.py"))
                try:
                    print(len(open(place + "/pytest_mpgrade/student/runs.py").read()) > 0)
                except OSError:
                    print(False)
    """.replace("PLACES", f"{str(link)!r}, {str(real)!r}")
    given = setting(module(text), isolation=layer)
    monkeypatch.setattr(readable, "PACKAGE", str(link / "pytest_mpgrade"))
    monkeypatch.setenv("PYTHONPATH", str(link))
    shown = readable.view()
    assert str(real) not in shown.hidden
    shown = replace(shown, read=(*shown.read, str(link), str(real)))
    given = replace(given, isolation=replace(given.isolation, view=shown))
    _, run = module_run.run_module(Scenario(steps=(steps.call("f"),), start_method="fork"), given)
    assert [said(run)[number] for number in (1, 3)] == ["False", "False"]
