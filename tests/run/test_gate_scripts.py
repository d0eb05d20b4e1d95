"""The gate scripts against real submissions: facts about who stood where, never how long it
took.
"""

from __future__ import annotations

import sys
from dataclasses import replace

import pytest

from pytest_mpgrade import checks, steps, tasks
from pytest_mpgrade.inside import plain_data
from pytest_mpgrade.records import Ending, GateReport, Outcome, Run
from support.running import MakeRuns

pytestmark = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="the kernel attests who is at a gate"
)

METHODS = pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
N = 3
LINE = tasks.rendezvous(N)

WORK = """
import multiprocessing as mp


def work(todo, done):
    for func, args in iter(todo.get, "STOP"):
        done.put(func(*args))


def mp_apply(tasks, n_processes=2):
    tasks = {tasks}
    todo, done = {queue}, mp.Queue()
    workers = [mp.Process(target=work, args=(todo, done)) for _ in range({workers})]
    for each in workers:
        each.start()
    for task in tasks:
        todo.put(task)
    results = [done.get({timeout}) for _ in tasks]
    for each in workers:
        todo.put("STOP")
    for each in workers:
        {end}
    return results
"""


def queue_pattern(**changes: str) -> str:
    """Return the queue pattern, right but for these changes."""
    usual = {
        "tasks": "list(tasks)",
        "queue": "mp.Queue()",
        "workers": "n_processes",
        "timeout": "",
        "end": "each.join()",
    }
    return WORK.format(**{**usual, **changes})


SERIAL = """
def mp_apply(tasks, n_processes=2):
    return [func(*args) for func, args in tasks]
"""

LOCK = """
import multiprocessing as mp


def work(todo, done, lock):
    for func, args in iter(todo.get, "STOP"):
        with lock:
            done.put(func(*args))


def mp_apply(tasks, n_processes=2):
    tasks = list(tasks)
    todo, done, lock = mp.Queue(), mp.Queue(), mp.Lock()
    workers = [mp.Process(target=work, args=(todo, done, lock)) for _ in range(n_processes)]
    for each in workers:
        each.start()
    for task in [*tasks, *["STOP"] * n_processes]:
        todo.put(task)
    results = [done.get() for _ in tasks]
    for each in workers:
        each.join()
    return results
"""

CHUNKS = """
import multiprocessing as mp


def work(share, done):
    for func, args in share:
        done.put(func(*args))


def mp_apply(tasks, n_processes=2):
    tasks, done = list(tasks), mp.Queue()
    workers = [mp.Process(target=work, args=({share}, done)) for i in range(n_processes)]
    for each in workers:
        each.start()
    results = [done.get() for _ in tasks]
    for each in workers:
        each.join()
    return results
"""

PROCESS_PER_TASK = """
import multiprocessing as mp
from multiprocessing.connection import wait


def work(task, done):
    done.put(task[0](*task[1]))


def mp_apply(tasks, n_processes=2):
    waiting, done, running, results = list(tasks), mp.SimpleQueue(), [], []
    count = len(waiting)
    while len(results) < count:
        while waiting and len(running) < n_processes:
            running.append(mp.Process(target=work, args=(waiting.pop(0), done)))
            running[-1].start()
        wait([each.sentinel for each in running])
        for each in [each for each in running if each.exitcode is not None]:
            each.join()
            running.remove(each)
            results.append(done.get())
    return results
"""

BACKGROUND = """
import multiprocessing as mp


def work(todo, done):
    for func, args in iter(todo.get, "STOP"):
        done.put(func(*args))


def bg_task(task):
    todo, done = mp.Queue(), mp.Queue()
    p = mp.Process(target=work, args=(todo, done))
    p.start()
    todo.put(task)
    return p, todo, done


def bg_get(p, todo, done, block=False):
    if not block and done.empty():
        print("Task still running.")
        return None
    result = done.get()
    todo.put("STOP")
    p.join()
    return result


def end(p, todo, done):
    p.kill()
    p.join()


def call_and_wait(task):
    handles = bg_task(task)
    return bg_get(*handles, block=True)
"""


def line(play: MakeRuns, text: str, method: str = "fork") -> tuple[Run, GateReport]:
    """Let a submission go through the line of gates."""
    run = play(text, steps.call("mp_apply", LINE, n_processes=N), method=method)[1]
    assert run.trace.gates is not None
    assert run.trace.gates.script == "line"
    return run, run.trace.gates


def came_back_with_all(run: Run) -> None:
    """After any verdict every gate is opened: each task arrives once, and all results are there."""
    assert run.ending is Ending.RETURNED, (run.ending, run.why)
    assert checks.values_in_any_order(LINE)(run).outcome is Outcome.PASSED, run.encoded
    assert sorted(event.key for event in run.trace.events if event.kind == "gate") == sorted(
        LINE.keys
    )


@METHODS
def test_right_solution_goes_through(play: MakeRuns, method: str) -> None:
    """Three workers meet; whoever is let go takes the next task in line, while the first task is
    held to the end.
    """
    run, gates = line(play, queue_pattern(), method)
    came_back_with_all(run)
    assert (gates.met, gates.wanted, gates.most_inside, gates.quiet) == (True, N, N, "")
    assert len(gates.crew) == N
    assert run.trace.caller not in gates.crew
    assert gates.first == LINE.keys[:N]
    assert [step.arrived for step in gates.steps] == list(LINE.keys[N:])
    assert all(step.arrived == step.expected for step in gates.steps)
    assert all(step.arrived_pid == step.opened_pid for step in gates.steps)
    assert {step.opened_pid for step in gates.steps} <= set(gates.crew)
    assert LINE.keys[0] not in {step.opened for step in gates.steps}
    assert (gates.waiting, gates.early) == ((), False)
    assert gates.at_exit == ()  # it joins them: they could leave before it came back
    workers = [one for one in run.trace.processes if not one.helper]
    assert sorted(one.pid for one in workers) == list(gates.crew)
    assert [(one.exitcode, one.at_return) for one in workers] == [(0, "gone")] * N


def test_gates_are_not_opened_in_the_order_of_a_round_robin(play: MakeRuns) -> None:
    """The gate that is opened next is not always the smallest, and another seed draws otherwise."""
    _, gates = line(play, queue_pattern())
    other = tasks.rendezvous(N, seed=9)
    run = play(queue_pattern(), steps.call("mp_apply", other, n_processes=N))[1]
    assert run.trace.gates is not None
    places = [[LINE.keys.index(step.opened) for step in gates.steps]]
    places.append([other.keys.index(step.opened) for step in run.trace.gates.steps])
    assert places[0] != places[1]
    assert all(opened != sorted(opened) for opened in places)


def test_serial_solution_stands_in_its_own_way(play: MakeRuns) -> None:
    """A task in the caller is a fact, and its gate is opened at once: nobody hangs."""
    run, gates = line(play, SERIAL)
    came_back_with_all(run)
    assert (gates.met, gates.most_inside, gates.crew, gates.early) == (False, 0, (), True)
    assert {event.pid for event in run.trace.events} == {run.trace.caller}


@METHODS
def test_lock_around_the_task(play: MakeRuns, method: str) -> None:
    """Workers that wait for each other's lock never meet; the tree is quiet, and that is proven."""
    run, gates = line(play, LOCK, method)
    came_back_with_all(run)
    assert (gates.met, gates.most_inside, gates.alive_then, gates.quiet) == (False, 1, N, "proof")
    assert set(gates.first) <= set(LINE.keys[:N])  # whoever came first to the lock
    assert gates.steps == ()


def test_two_workers_of_three(play: MakeRuns) -> None:
    """One worker too few is seen in the meeting that it cannot make."""
    run, gates = line(play, queue_pattern(workers="n_processes - 1"))
    came_back_with_all(run)
    assert (gates.met, gates.most_inside, gates.alive_then) == (False, N - 1, N - 1)


def test_one_worker_too_many(play: MakeRuns) -> None:
    """A fourth worker is inside before anything is opened."""
    run, gates = line(play, queue_pattern(workers="n_processes + 1"))
    came_back_with_all(run)
    assert (gates.met, gates.most_inside, len(gates.crew)) == (True, N + 1, N + 1)


@pytest.mark.parametrize(
    "share",
    ["tasks[i * 4:i * 4 + 4]", "tasks[i::n_processes]"],
    ids=["static chunks", "round robin"],
)
def test_shares_dealt_out_beforehand(play: MakeRuns, share: str) -> None:
    """A free worker that has a share of its own takes another task than the next, or none while one
    is waiting.
    """
    run, gates = line(play, CHUNKS.replace("{share}", share))
    came_back_with_all(run)
    assert gates.met
    wrong = [step for step in gates.steps if step.arrived != step.expected]
    assert wrong
    assert all(step.arrived_pid in (step.opened_pid, None) for step in gates.steps)
    assert gates.waiting  # in the end the one who holds the first task has tasks that nobody takes
    assert gates.steps[-1].arrived is None


def test_last_in_first_out(play: MakeRuns) -> None:
    """Tasks that are taken from the wrong end are seen in the first that are inside, and in every
    step.
    """
    run, gates = line(play, queue_pattern(tasks="list(tasks)[::-1]"))
    came_back_with_all(run)
    assert gates.met
    assert set(gates.first) == set(LINE.keys[-N:])
    assert gates.steps
    assert all(step.arrived != step.expected for step in gates.steps[:-1])


@METHODS
def test_process_for_each_task(play: MakeRuns, method: str) -> None:
    """The next task is right, but another process than the one that was let go brings it."""
    run, gates = line(play, PROCESS_PER_TASK, method)
    came_back_with_all(run)
    assert (gates.met, gates.most_inside) == (True, N)
    assert [step.arrived for step in gates.steps] == list(LINE.keys[N:])
    assert all(step.arrived_pid not in gates.crew for step in gates.steps)
    assert len({event.pid for event in run.trace.events if event.kind == "gate"}) == len(LINE.keys)


def test_call_that_does_not_join_comes_back_while_workers_leave(play: MakeRuns) -> None:
    """Workers wait at their exit gates: when a call that has not joined them returns, some are
    alive.
    """
    run, gates = line(play, queue_pattern(end="pass"))
    came_back_with_all(run)
    assert set(gates.at_exit) <= set(gates.crew)  # others had not got that far
    states = {one.pid: one.at_return for one in run.trace.processes}
    assert "alive" in {states[pid] for pid in gates.crew}
    assert {states[pid] for pid in gates.at_exit} <= {"alive"}


@METHODS
def test_late_task_is_waited_for(play: MakeRuns, method: str) -> None:
    """A task that is held after all others are done is waited for, and its result is there."""
    late = tasks.held_last(4, seconds=1.5)
    run = play(queue_pattern(), steps.call("mp_apply", late), method=method)[1]
    assert run.trace.gates is not None
    assert (run.trace.gates.script, run.trace.gates.met, run.trace.gates.early) == (
        "hold",
        True,
        False,
    )
    assert run.ending is Ending.RETURNED
    assert sorted(run.encoded[1], key=repr) == sorted(late.expected, key=repr)


def test_late_task_that_is_given_up(play: MakeRuns) -> None:
    """A call that gives up on the late one comes back while its gate is shut."""
    late = tasks.held_last(4, seconds=20.0)
    run = play(queue_pattern(timeout="timeout=1"), steps.call("mp_apply", late))[1]
    assert run.ending is Ending.RAISED
    assert run.error is not None
    assert run.error.type == "Empty"
    assert run.trace.gates is not None
    assert (run.trace.gates.early, run.trace.gates.met) == (True, False)


@METHODS
def test_calls_that_do_not_wait_for_a_held_task(play: MakeRuns, method: str) -> None:
    """With its gate shut, both functions come back; asked again with the gate open, the result is
    there.
    """
    workload = tasks.held(1)
    again = steps.Again(seconds=20.0, stop_text="inactive")
    _, begun, early, got, dropped = play(
        BACKGROUND,
        steps.call("bg_task", workload.tasks[0], save="job", opaque=True, gates=steps.SHUT),
        steps.call("bg_get", *steps.saved("job", 3), block=False, gates=steps.SHUT),
        steps.call("bg_get", *steps.saved("job", 3), block=False, again=again, same_holdings=True),
        steps.drop("job"),
        method=method,
    )
    assert [run.trace.gates and run.trace.gates.early for run in (begun, early)] == [True, True]
    assert begun.encoded[1][0][1].endswith("Process")
    (worker,) = [one for one in begun.trace.processes if not one.helper]
    assert begun.encoded[1][0][2] == worker.pid
    assert (early.encoded, early.printed) == (plain_data.encode(None), "Task still running.\n")
    assert got.encoded == workload.expected[0]
    assert got.printed.count("Task still running.\n") == got.tries - 1
    assert [one.exitcode for one in got.trace.processes if one.pid == worker.pid] == [0]
    assert dropped.trace.leftovers == ()


def test_call_that_waits_for_a_held_task(play: MakeRuns) -> None:
    """With its gate shut, a call that waits is seen waiting, in a quiet tree; then the gate is
    opened.
    """
    workload = tasks.held(1)
    _, begun, got = play(
        BACKGROUND,
        steps.call("bg_task", workload.tasks[0], save="job", opaque=True, gates=steps.SHUT),
        steps.call("bg_get", *steps.saved("job", 3), block=True, gates=steps.SHUT),
    )
    assert begun.trace.gates is not None
    assert begun.trace.gates.early
    assert got.trace.gates is not None
    assert (got.trace.gates.early, got.trace.gates.blocked, got.trace.gates.quiet) == (
        False,
        True,
        "proof",
    )
    assert got.encoded == workload.expected[0]


def test_worker_that_dies_at_its_gate(play: MakeRuns) -> None:
    """A worker that is ended while it stands at a gate is told as lost, with the signal that ended
    it.
    """
    workload = tasks.held(1)
    _, _, met, ended = play(
        BACKGROUND,
        steps.call("bg_task", workload.tasks[0], save="job", opaque=True, gates=steps.SHUT),
        steps.meet(1),
        steps.call("end", *steps.saved("job", 3), gates=steps.SHUT),
    )
    assert met.trace.gates is not None
    (worker,) = met.trace.gates.crew
    assert [(event.kind, event.key, event.pid) for event in ended.trace.events] == [
        ("lost", workload.keys[0], worker)
    ]
    assert [one.exitcode for one in ended.trace.processes if one.pid == worker] == [-9]


def test_starting_that_waits_is_seen_waiting(play: MakeRuns) -> None:
    """A function that was to return at once, and waits for its task, is blocked while the gate is
    shut.
    """
    run = play(BACKGROUND, steps.call("call_and_wait", tasks.held(1).tasks[0], gates=steps.SHUT))[1]
    assert run.trace.gates is not None
    assert (run.trace.gates.early, run.trace.gates.blocked) == (False, True)
    assert run.ending is Ending.RETURNED


@METHODS
@pytest.mark.parametrize("started", [3, 2])
def test_background_tasks_meet(play: MakeRuns, method: str, started: int) -> None:
    """Between two calls, tasks that were started meet at their gates; one that was not is
    missed.
    """
    workload = tasks.held(started)
    begin = [
        steps.call("bg_task", task, save=name, opaque=True, gates=steps.SHUT)
        for task, name in zip(workload.tasks, "abc", strict=False)
    ]
    get = [steps.call("bg_get", *steps.saved(name, 3), block=True) for name in "abc"[:started]]
    _, *runs = play(BACKGROUND, *begin, steps.meet(3), *get, method=method)
    gates = runs[started].trace.gates
    assert gates is not None
    assert (gates.script, gates.wanted, gates.met, len(gates.crew)) == (
        "meet",
        3,
        started == 3,
        started,
    )
    assert [run.encoded for run in runs[started + 1 :]] == list(workload.expected)


def test_all_gates_open(play: MakeRuns) -> None:
    """Without a script nobody is held, and every arrival is noted all the same."""
    workload = tasks.held(5)
    run = play(queue_pattern(), steps.call("mp_apply", workload, n_processes=2, gates=steps.OPEN))[
        1
    ]
    assert run.trace.gates == GateReport(script="open")
    assert sorted(run.encoded[1], key=repr) == sorted(workload.expected, key=repr)
    assert sorted(event.key for event in run.trace.events) == sorted(workload.keys)


@pytest.mark.parametrize("observer", ["proc", "psutil"])
def test_line_without_ptrace(play: MakeRuns, observer: str) -> None:
    """The line is the same under other observers: by messages that the kernel attests, or by
    authenticated ones.
    """
    run = play(queue_pattern(), steps.call("mp_apply", LINE, n_processes=N), observer=observer)[1]
    came_back_with_all(run)
    gates = run.trace.gates
    assert gates is not None
    assert (gates.met, gates.most_inside, gates.waiting) == (True, N, ())
    assert [step.arrived for step in gates.steps] == list(LINE.keys[N:])
    assert all(step.arrived_pid == step.opened_pid for step in gates.steps)


@pytest.mark.parametrize("nap", ["time.sleep(0.001)", "pass"], ids=["polls", "spins"])
def test_caller_that_is_busy_with_waiting(play: MakeRuns, nap: str) -> None:
    """A caller that polls a thousand times a second, or spins, waits as well as one that sleeps."""
    text = f"""
        import multiprocessing as mp
        import queue
        import time

        def work(todo, done):
            func, args = todo.get()
            done.put(func(*args))

        def bg_task(task):
            todo, done = mp.Queue(), mp.Queue()
            p = mp.Process(target=work, args=(todo, done))
            p.start()
            todo.put(task)
            return p, todo, done

        def bg_get(p, todo, done):
            while True:
                try:
                    result = done.get_nowait()
                except queue.Empty:
                    {nap}
                else:
                    p.join()
                    return result
    """
    workload = tasks.held(1)
    begin = steps.call("bg_task", workload.tasks[0], save="job", opaque=True, gates=steps.SHUT)
    got = play(text, begin, steps.call("bg_get", *steps.saved("job", 3), gates=steps.SHUT))[2]
    assert got.ending is Ending.RETURNED
    assert got.encoded == workload.expected[0]
    assert got.trace.gates is not None
    assert got.trace.gates.blocked
    # One that naps in between may get so little core time on a busy machine that it is steady.
    assert got.trace.gates.quiet in (
        "the caller polls",
        "the caller spins",
        *(["steady"] if nap != "pass" else []),
    )


def test_held_task_is_let_go_at_the_time_limit(play: MakeRuns) -> None:
    """Where a tree is never quiet, as on a full machine, a caller that waited for us till the limit
    may come back.
    """
    text = BACKGROUND.replace(
        "    for func", "    threading.Thread(target=spin, daemon=True).start()\n    for func"
    )
    text = f"import threading\n{text}\n\ndef spin():\n    while True:\n        pass\n"
    workload = tasks.held(1)
    begin = steps.call("bg_task", workload.tasks[0], save="job", opaque=True, gates=steps.SHUT)
    wait = steps.call("bg_get", *steps.saved("job", 3), block=True, gates=steps.SHUT, seconds=2.0)
    got = play(text, begin, wait)[2]
    assert (got.ending, got.encoded) == (Ending.RETURNED, workload.expected[0])
    assert got.trace.gates == GateReport(script="shut")


ONE_AFTER_THE_OTHER = """
def mp_apply(tasks):
    results = []
    for func, args in tasks:
        try:
            results.append(func(*args))
        except ValueError as error:
            results.append(str(error))
    return results
"""


def test_no_task_sleeps_once_half_have_begun(play: MakeRuns) -> None:
    """When more than half of the tasks have begun after the one that raises, the others do not
    sleep.
    """
    workload = tasks.raises(message="kaputt", followed_by=1, seconds=600)
    _, run = play(ONE_AFTER_THE_OTHER, steps.call("mp_apply", workload))
    assert run.value == ["kaputt", 0]


def test_tasks_sleep_until_half_have_begun(play: MakeRuns) -> None:
    """Up to half of the tasks after the one that raises take their time, and all that come before
    it.
    """
    workload = tasks.raises(message="kaputt", followed_by=3, seconds=1.0)
    raising, *naps = workload.tasks
    early_first = replace(workload, tasks=(naps[0], raising, *naps[1:]))
    _, run = play(ONE_AFTER_THE_OTHER, steps.call("mp_apply", early_first))
    assert run.value == [0, "kaputt", 1, 2]
    began = {event.key: event.at for event in run.trace.events}
    assert began["raises"] - began["0"] >= 1.0
    assert began["2"] - began["1"] >= 1.0
