"""Real programs that hang: what each process is said to wait for, and which concern that is laid
to.

Every program is run under supervision in real processes, until the hang is proven or found by
silence.
"""

from __future__ import annotations

import sys
from collections.abc import Callable

import pytest

from pytest_mpgrade import steps, tasks
from pytest_mpgrade.judge.failure_text import hang_summary
from pytest_mpgrade.judge.hang_facts import explained_by, nobody_left
from pytest_mpgrade.judge.run_timeline import run_timeline
from pytest_mpgrade.records import Awaited, Concern, Doing, Ending, Role, Run, Stuck
from pytest_mpgrade.student import Student
from support.program import program
from support.running import LEVELS, MakeRuns

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="observes with ptrace and /proc"
)

FORK_AND_SPAWN = pytest.mark.parametrize("method", ["fork", "spawn"])
METHODS = pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])


def of(run: Run, role: str) -> Stuck:
    """Return what was found of one process."""
    (found,) = [stuck for stuck in run.trace.stuck if stuck.name == role]
    return found


# --- locks, whatever they are called


SELF = """
    {name} = {maker}

    def held():
        {second}

    def worker(todo, done):
        for task in iter(todo.get, "STOP"):
            {name}.acquire()
            held()
            done.put(task)

    def f():
        todo, done = mp.Queue(), mp.Queue()
        p = mp.Process(target=worker, args=(todo, done))
        p.start()
        todo.put(1)
        todo.put("STOP")
        {parent}
"""


@FORK_AND_SPAWN
@pytest.mark.parametrize("parent", ["p.join()", "done.get()"])
@pytest.mark.parametrize(
    ("maker", "name", "second"),
    [
        ("threading.Lock()", "OUTPUT", "with OUTPUT: pass"),
        ("threading.Lock()", "turn", "turn.acquire()"),
        ("threading.Semaphore(1)", "gate", "gate.acquire()"),
        ("mp.Lock()", "OUTPUT", "with OUTPUT: pass"),
        ("mp.Lock()", "turn", "turn.acquire()"),
        ("mp.BoundedSemaphore(1)", "places", "with places: pass"),
    ],
)
def test_lock_by_any_name(
    play: MakeRuns, maker: str, name: str, second: str, parent: str, method: str
) -> None:
    """A worker that waits for a lock which it has taken is told so, whatever the lock is called and
    the parent does.
    """
    text = program(SELF).format(maker=maker, name=name, second=second, parent=parent)
    run = play(text, steps.call("f"), method=method)[1]
    assert (run.ending, run.why) == (Ending.HUNG, "proof")
    worker = of(run, "worker 1")
    assert (worker.doing, worker.awaits) == (Doing.LOCK, (Awaited.LOCK,))
    assert worker.words.startswith("waits for a lock that nobody releases")
    own = maker == "threading.Lock()" and method == "spawn"
    assert worker.holder == (worker.pid if own else 0)
    assert explained_by(run) is Concern.DEADLOCK


def test_lock_that_may_be_taken_again(play: MakeRuns) -> None:
    """An RLock that its holder takes again is no hang."""
    text = """
        def f():
            for lock in (threading.RLock(), mp.RLock()):
                with lock, lock:
                    pass
            return 1
    """
    assert play(program(text), steps.call("f"))[1].ending is Ending.RETURNED


WORKERS = """
    def f():
        done = mp.Queue()
        shared = [{shared}]
        ps = [mp.Process(target=worker, args=(i, done, *shared)) for i in range(2)]
        for p in ps:
            p.start()
        {parent}

    def worker(i, done, *shared):
        {body}
        done.put(i)
"""
ORDER = """first, second = shared[:2] if i else shared[1::-1]
    with first:
        shared[2].wait()
        with second:
            pass"""


@FORK_AND_SPAWN
@pytest.mark.parametrize("parent", ["[p.join() for p in ps]", "[done.get() for p in ps]"])
@pytest.mark.parametrize(
    ("shared", "body", "doing"),
    [
        ("mp.Lock(), mp.Lock(), mp.Barrier(2)", ORDER, Doing.LOCK),
        ("mp.Semaphore(0)", "shared[0].acquire()", Doing.LOCK),
        ("mp.Barrier(3)", "shared[0].wait()", Doing.BARRIER),
    ],
    ids=["order of locks", "Semaphore(0)", "Barrier(3)"],
)
def test_what_nobody_releases(
    play: MakeRuns, shared: str, body: str, doing: Doing, parent: str, method: str
) -> None:
    """Workers that wait for each other, or for what nobody gives back, are a deadlock, whatever the
    parent does.
    """
    text = program(WORKERS).format(shared=shared, body=body, parent=parent)
    run = play(text, steps.call("f"), method=method)[1]
    assert (run.ending, run.why) == (Ending.HUNG, "proof")
    assert {of(run, f"worker {number}").doing for number in (1, 2)} == {doing}
    assert explained_by(run) is Concern.DEADLOCK


@pytest.mark.parametrize(
    ("shared", "body", "doing"),
    [
        ("mp.Event()", "shared[0].wait()", Doing.EVENT),
        ("mp.Condition()", "with shared[0]: shared[0].wait()", Doing.CONDITION),
    ],
)
@pytest.mark.parametrize(
    ("parent", "concern"),
    [("[p.join() for p in ps]", Concern.SENTINEL), ("[done.get() for p in ps]", Concern.DEADLOCK)],
)
def test_nobody_gives_notice(
    play: MakeRuns, shared: str, body: str, doing: Doing, parent: str, concern: Concern
) -> None:
    """Workers that nobody gives notice are not told to stop where the parent joins them, else they
    are a deadlock.
    """
    run = play(program(WORKERS).format(shared=shared, body=body, parent=parent), steps.call("f"))[1]
    assert (run.ending, of(run, "worker 1").doing) == (Ending.HUNG, doing)
    assert explained_by(run) is concern


def test_lock_of_a_queue_is_lost_with_its_holder(play: MakeRuns) -> None:
    """Workers that wait for a queue's lock, which one that was killed took along, wait for a lock,
    not for a task.
    """
    text = """
        def worker(todo, done):
            for task in iter(todo.get, "STOP"):
                done.put(task)

        def f():
            todo, done = mp.SimpleQueue(), mp.SimpleQueue()
            ps = [mp.Process(target=worker, args=(todo, done)) for _ in range(3)]
            for p in ps[:1]:
                p.start()
            todo.put(1)
            done.get()
            # Until the worker waits in get() again.
            while not todo._reader.poll(0) and todo._rlock.acquire(False):
                todo._rlock.release()
            for p in ps[1:]:
                p.start()
            ps[0].kill()
            ps[0].join()
            for task in range(3):
                todo.put(task)
            return [done.get() for _ in range(3)]
    """
    run = play(program(text), steps.call("f"))[1]
    assert run.ending is Ending.HUNG
    killed = [each.pid for each in run.trace.processes if each.exitcode == -9]
    assert {(one.doing, one.holder) for one in run.trace.stuck if one.role is not Role.PARENT} == {
        (Doing.LOCK, *killed)
    }
    assert explained_by(run) is Concern.DEADLOCK
    assert "a worker was killed by SIGKILL" in hang_summary(run)


@FORK_AND_SPAWN
@pytest.mark.parametrize(
    ("turn", "parent", "concern"),
    [
        ("with shared[0]: shared[1].recv()", "[p.join() for p in ps]", Concern.SENTINEL),
        ("with shared[0]:\n        shared[1].recv()", "[p.join() for p in ps]", Concern.SENTINEL),
        ("shared[0].acquire()\n    shared[1].recv()", "[done.get() for p in ps]", Concern.RESULTS),
    ],
)
def test_lock_whose_holder_waits(
    play: MakeRuns, turn: str, parent: str, concern: Concern, method: str
) -> None:
    """Workers that take turns at a pipe wait for a task, all of them: the one that reads has the
    lock.
    """
    text = program(WORKERS).format(
        shared="mp.Lock(), *mp.Pipe(duplex=False)", body=turn, parent=parent
    )
    run = play(text, steps.call("f"), method=method)[1]
    assert run.ending is Ending.HUNG
    workers = [of(run, f"worker {number}") for number in (1, 2)]
    assert {one.doing for one in workers} == {Doing.LOCK, Doing.RECEIVE}
    assert explained_by(run) is concern


def test_simple_queue_is_no_lock(play: MakeRuns) -> None:
    """queue.SimpleQueue.get(), which waits in C as a lock does, waits for something to arrive."""
    run = play(program("def f():\n    return queue.SimpleQueue().get()\n"), steps.call("f"))[1]
    assert (run.ending, of(run, "the parent").doing) == (Ending.HUNG, Doing.GET)


# --- a result, an exit, or whichever comes first


CREW = """
    def worker(todo, pipe):
        for task in iter(todo.get, "STOP"):
            pipe.send(task)

    def f():
        todo = mp.SimpleQueue()
        crew = {{}}
        for _ in range(2):
            mine, theirs = mp.Pipe(duplex=False)
            p = mp.Process(target=worker, args=(todo, theirs))
            p.start()
            theirs.close()
            crew[mine] = p
        listed = {listed}
        results = []
        while len(results) < 2:
            for each in wait(listed):
                results.append(each)
"""


@METHODS
@pytest.mark.parametrize(
    ("listed", "awaits", "concern"),
    [
        (
            "[*crew, *(p.sentinel for p in crew.values())]",
            (Awaited.EXIT, Awaited.MESSAGE),
            Concern.RESULTS,
        ),
        ("list(crew)", (Awaited.MESSAGE,), Concern.RESULTS),
        ("[p.sentinel for p in crew.values()]", (Awaited.EXIT,), Concern.SENTINEL),
    ],
    ids=["results and exits", "results", "exits"],
)
def test_what_a_wait_is_for(
    play: MakeRuns, listed: str, awaits: tuple[Awaited, ...], concern: Concern, method: str
) -> None:
    """The files at which a parent waits tell results from ends of processes: its source says
    neither.
    """
    run = play(program(CREW).format(listed=listed), steps.call("f"), method=method)[1]
    assert (run.ending, run.why) == (Ending.HUNG, "proof")
    parent = of(run, "the parent")
    assert parent.awaits == awaits
    assert explained_by(run) is concern
    if Awaited.EXIT in awaits:
        assert set(parent.whom) == {of(run, f"worker {number}").pid for number in (1, 2)}


POLLS = """
    def worker(todo, done):
        for task in iter(todo.get, "STOP"):
            done.put(task)

    def f():
        todo, done = mp.Queue(), mp.Queue()
        ps = [mp.Process(target=worker, args=(todo, done)) for _ in range(2)]
        for p in ps:
            p.start()
        results = []
        {parent}

    def over(ps):
        return not [p for p in ps if p.is_alive()]

    def one_more(done):
        try:
            return [done.get(timeout=0.1)]
        except queue.Empty:
            return []
"""
RESULT = (Awaited.MESSAGE,)
EXIT = (Awaited.EXIT,)
EITHER = (Awaited.EXIT, Awaited.MESSAGE)
LOOPS = {
    "get(timeout), dead workers are noticed": (
        """
        while len(results) < 2:
            try:
                results.append(done.get(timeout=0.1))
            except queue.Empty:
                if not any(p.is_alive() for p in ps):
                    raise RuntimeError("all workers are dead")
    """,
        RESULT,
    ),
    "break when all are dead": (
        """
        while True:
            try:
                results.append(done.get(timeout=0.1))
                if len(results) == 2:
                    break
            except queue.Empty:
                alive = [p for p in ps if p.is_alive()]
                if not alive:
                    break
    """,
        EITHER,
    ),
    "the look is in a function": (
        """
        while len(results) < 2 and not over(ps):
            results += one_more(done)
    """,
        EITHER,
    ),
    "results only": (
        """
        while len(results) < 2:
            time.sleep(0.05)
            while not done.empty():
                results.append(done.get())
    """,
        RESULT,
    ),
    "is_alive": (
        """
        while any(p.is_alive() for p in ps):
            time.sleep(0.05)
    """,
        EXIT,
    ),
    "exitcode, results are taken meanwhile": (
        """
        while [p for p in ps if p.exitcode is None]:
            while not done.empty():
                results.append(done.get())
            time.sleep(0.05)
    """,
        EXIT,
    ),
    "active_children": (
        """
        while mp.active_children():
            time.sleep(0.05)
    """,
        EXIT,
    ),
    "in a function of its own": (
        """
        while not over(ps):
            time.sleep(0.05)
    """,
        EXIT,
    ),
    "a list that shrinks": (
        """
        while ps:
            for p in list(ps):
                if not p.is_alive():
                    ps.remove(p)
            time.sleep(0.05)
    """,
        EXIT,
    ),
    "join(timeout)": (
        """
        while True:
            for p in ps:
                p.join(0.05)
            if all(not p.is_alive() for p in ps):
                break
    """,
        EXIT,
    ),
    "dead and drained": (
        """
        while any(p.is_alive() for p in ps) or not done.empty():
            results += one_more(done)
    """,
        EXIT,
    ),
}


@pytest.mark.parametrize("name", LOOPS)
def test_what_a_loop_asks_for(play: MakeRuns, name: str) -> None:
    """A parent that asks again and again waits for what ends its loop: only where that is exits
    alone, it joins.
    """
    loop, awaits = LOOPS[name]
    body = "\n".join(
        f"    {line[8:]}" if line.strip() else "" for line in loop.splitlines()
    ).strip()
    text = program(POLLS).replace("{parent}", body)
    run = play(text, steps.call("f"))[1]
    assert run.ending is Ending.HUNG, (run.error, run.stderr)
    assert of(run, "the parent").awaits == awaits
    assert explained_by(run) is (Concern.SENTINEL if awaits == EXIT else Concern.RESULTS)


# --- who has died, and who is not there


LEAVES = """
    def worker(todo, done):
        {leave}

    def f(tasks):
        todo, done = mp.SimpleQueue(), mp.SimpleQueue()
        ps = [mp.Process(target=worker, args=(todo, done)) for _ in range(2)]
        for p in ps:
            p.start()
        for p in ps:
            p.join()
        for task in tasks:
            todo.put(task)
        return [done.get() for _ in tasks]
"""


@FORK_AND_SPAWN
@pytest.mark.parametrize(
    ("leave", "how"),
    [
        ("while not todo.empty(): done.put(todo.get())", "no worker is left"),
        (
            "raise ValueError('kaputt 4711')",
            "2 workers ended with exit status 1 (ValueError: kaputt 4711)",
        ),
        ("os._exit(3)", "ended with exit status 3"),
        ("os.kill(os.getpid(), signal.SIGKILL)", "2 workers were killed by SIGKILL"),
    ],
)
def test_no_worker_is_left(play: MakeRuns, leave: str, how: str, method: str) -> None:
    """A parent that waits for results of workers which are no more is told how these have ended."""
    run = play(program(LEAVES).format(leave=leave), steps.call("f", [1, 2, 3]), method=method)[1]
    assert run.ending is Ending.HUNG
    assert nobody_left(run)
    assert explained_by(run) is Concern.RESULTS
    assert how in hang_summary(run)
    assert "no worker is left" in hang_summary(run)
    assert hang_summary(run).endswith("the parent waits for a result that never comes")


# --- a person, and time


@pytest.mark.parametrize(
    ("ask", "words"),
    [
        ("input()", "waits for input from a person: input()"),
        ("sys.stdin.readline()", "waits for input from a person: input()"),
        ("breakpoint()", "waits for input from a person: a debugger"),
    ],
)
def test_person_is_asked(play: MakeRuns, ask: str, words: str) -> None:
    """A process that waits for somebody to type is said to do so."""
    text = f"""
        def f():
            os.dup2(os.pipe()[0], 0)
            sys.stdin = open(0)
            {ask}
            print("answered")
    """
    run = play(program(text), steps.call("f"))[1]
    assert run.ending is Ending.HUNG
    assert of(run, "the parent").words == words
    assert of(run, "the parent").awaits == (Awaited.PERSON,)


@pytest.mark.parametrize(
    ("nap", "words"),
    [
        ("pause(10000)", "sleeps, and would for another 3 hours"),
        ("[pause(0.05) for _ in iter(int, 1)]", "sleeps again and again"),
    ],
)
def test_one_long_sleep(play: MakeRuns, nap: str, words: str) -> None:
    """One long sleep is told from many short ones, by the time that the kernel has for it."""
    text = f"from time import sleep as pause\n\ndef f():\n    {nap}\n"
    run = play(text, steps.call("f"), seconds=3.0)[1]
    assert run.ending in (Ending.HUNG, Ending.TIMED_OUT)
    assert (of(run, "the parent").doing, of(run, "the parent").words) == (Doing.SLEEP, words)


# --- threads of its own


def test_thread_of_the_parent_decides(play: MakeRuns) -> None:
    """A parent that waits for a thread of its own waits for what that thread waits for."""
    text = """
        def worker(todo):
            todo.get()

        def f():
            p = mp.Process(target=worker, args=(mp.Queue(),))
            p.start()
            mine = threading.Thread(target=p.join)
            mine.start()
            collector = threading.Thread(target=collect, args=(mp.SimpleQueue(),))
            collector.start()
            collector.join()

        def collect(done):
            done.get()
    """
    run = play(program(text), steps.call("f"))[1]
    assert run.ending is Ending.HUNG
    assert of(run, "the parent").awaits == (Awaited.MESSAGE,)
    assert "done.get()" in of(run, "the parent").sentence
    others = {one.name: (one.words, one.code) for one in of(run, "the parent").threads}
    assert others == {
        "the main thread": ("waits for a thread of its own to end", "collector.join()")
    }
    assert explained_by(run) is Concern.RESULTS


def test_threads_beside_the_one_that_decides_are_told_of(play: MakeRuns) -> None:
    """A reader sees where each thread of a process waits, and the feeder that cannot write."""
    text = """
        def worker(todo):
            todo.get()

        def collect(done):
            done.get()

        def f():
            todo, done, large = mp.Queue(), mp.Queue(), mp.Queue()
            large.put(bytes(1_000_000))
            p = mp.Process(target=worker, args=(todo,))
            p.start()
            threading.Thread(target=collect, args=(done,), daemon=True).start()
            p.join()
    """
    run = play(program(text), steps.call("f"))[1]
    assert run.ending is Ending.HUNG
    parent = of(run, "the parent")
    assert parent.code == "p.join()"
    told = {(one.name, one.words, one.code) for one in parent.threads}
    assert told == {
        ("another thread", "waits for something to arrive in a queue", "done.get()"),
        (
            "the feeder thread of a queue",
            "cannot finish writing: the pipe is full and nobody reads",
            "",
        ),
    }
    (lane, *_) = run_timeline(run).lanes
    assert {thread.code for thread in lane.threads} == {"done.get()", ""}
    assert {thread.since for thread in lane.threads} == {lane.spans[-1].start}


def test_manager_is_no_worker(play: MakeRuns) -> None:
    """The process of a manager waits for what others ask of it, and explains no hang."""
    text = """
        def worker(todo):
            todo.get()

        def f():
            with mp.Manager() as manager:
                todo = manager.Queue()
                p = mp.Process(target=worker, args=(todo,))
                p.start()
                p.join()
    """
    run = play(program(text), steps.call("f"))[1]
    assert run.ending is Ending.HUNG
    assert {one.name: one.doing for one in run.trace.stuck} == {
        "the parent": Doing.JOIN,
        "the manager": Doing.SERVE,
        "worker 1": Doing.GET,
    }
    assert explained_by(run) is Concern.SENTINEL


# --- other observers and layers


@pytest.mark.parametrize(
    "options", [{"isolation": level} for level in LEVELS] + [{"observer": "proc"}], ids=str
)
def test_files_are_told_apart_everywhere(play: MakeRuns, options: dict[str, str]) -> None:
    """What a parent waits at is seen in each layer of isolation, and without ptrace."""
    text = program(CREW).format(listed="[*crew, *(p.sentinel for p in crew.values())]")
    run = play(text, steps.call("f"), **options)[1]
    assert (run.ending, of(run, "the parent").awaits) == (Ending.HUNG, EITHER)
    assert {of(run, "worker 1").pid, of(run, "worker 2").pid} == {*of(run, "the parent").whom}


@pytest.mark.parametrize(
    ("text", "concern"),
    [
        (
            program(SELF).format(
                maker="threading.Lock()", name="x", second="with x: pass", parent="p.join()"
            ),
            "deadlock",
        ),
        (program(CREW).format(listed="[*crew, *(p.sentinel for p in crew.values())]"), "results"),
        (program(CREW).format(listed="[p.sentinel for p in crew.values()]"), "sentinel"),
        (
            program(POLLS).replace("{parent}", "while mp.active_children(): time.sleep(0.05)"),
            "sentinel",
        ),
    ],
    ids=["lock", "results and exits", "exits", "active_children"],
)
def test_without_what_the_kernel_tells(play: MakeRuns, text: str, concern: str) -> None:
    """Where system calls cannot be read, the stacks and, last, the student's lines say which
    concern it is.
    """
    run = play(text, steps.call("f"), observer="psutil")[1]
    assert (run.ending, explained_by(run)) == (Ending.HUNG, concern)


# --- whether it is the start method's


LEAVES_EARLY = """
    TODO = []

    def worker(todo, done):
        while TODO:
            func, args = TODO.pop()
            done.put(func(*args))
        while not todo.empty():
            func, args = todo.get()
            done.put(func(*args))

    def mp_apply(tasks, n_processes=2):
        tasks = list(tasks)
        todo, done = mp.SimpleQueue(), mp.SimpleQueue()
        {before}
        p = mp.Process(target=worker, args=(todo, done))
        p.start()
        p.join()
        {after}
        return [done.get() for _ in tasks]
"""
PUT = "[todo.put(task) for task in tasks]"


@pytest.mark.parametrize(
    ("method", "before", "after", "returned_under"),
    [
        ("fork", f"mp.get_start_method() == 'fork' or {PUT}", PUT, ""),
        ("spawn", f"mp.get_start_method() == 'spawn' or {PUT}", PUT, "fork"),
        ("spawn", "TODO[:] = tasks", "TODO.clear()", "fork"),
    ],
    ids=["sooner by fork", "later by spawn", "what is inherited"],
)
def test_leaving_early_is_no_start_method(
    student: Callable[..., Student], method: str, before: str, after: str, returned_under: str
) -> None:
    """Workers that leave too early under fork only have started sooner: that is not the start
    method's fault.
    """
    one = student(program(LEAVES_EARLY).format(before=before, after=after), method)
    (run,) = one.rely_on(steps.call("mp_apply", tasks.mixed(), n_processes=2))
    assert (run.ending, run.returned_under) == (Ending.HUNG, returned_under)
    assert "no worker is left" in hang_summary(run)
    assert "8 of 8 tasks were never begun" in hang_summary(run)


@pytest.mark.parametrize("observer", ["auto", "proc", "psutil"])
def test_nothing_is_said_of_a_process_that_has_ended(play: MakeRuns, observer: str) -> None:
    """A worker that has died, and that nobody has reaped, waits for nothing: only those that live
    are told of.
    """
    text = """
        import multiprocessing as mp, os

        def work(q):
            q.get()

        def f():
            q = mp.Queue()
            dead, alive = mp.Process(target=os._exit, args=(3,)), mp.Process(target=work, args=(q,))
            dead.start(), alive.start()
            mp.Queue().get()
    """
    run = play(text, steps.call("f"), observer=observer)[1]
    assert run.ending is Ending.HUNG
    assert [each.name for each in run.trace.stuck] == ["the parent", "worker 1"]
