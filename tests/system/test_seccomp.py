"""What the filter of system calls denies and what it leaves: its program by an interpreter, and
real processes.
"""

from __future__ import annotations

import errno
import os
import platform
import re
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

if not sys.platform.startswith("linux"):
    pytest.skip("seccomp is Linux's", allow_module_level=True)

from pytest_mpgrade.system.linux import landlock, seccomp, seccomp_table

SECONDS = 120
STRANGER = 60402
"""A user id that nobody has, and that no run is given: those are in `spare_user`."""

MACHINES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
SHIELD = (4711, 4712)
ALLOWED = 0
ALL = 0xFFFFFFFFFFFFFFFF
NEW_USER, VFORK, UNTRACED, THREAD = 0x10000000, 0x4000, 0x800000, 0x3D0F00

here = pytest.mark.skipif(
    not seccomp.program(), reason="the filter does not know this architecture"
)


# --- the program


def answer(program: bytes, architecture: int, number: int, *arguments: int) -> int:
    """Return the error that a program answers a call with, as the kernel would run it; 0 is
    none.
    """
    arguments = (*arguments, *[0] * 6)[:6]
    data = struct.pack(
        "=IIQ6Q", number & 0xFFFFFFFF, architecture, 0, *(one & ALL for one in arguments)
    )
    code = list(struct.iter_unpack("=HBBI", program))
    at = word = 0
    while True:
        operation, if_true, if_false, value = code[at]
        at += 1
        if operation == 0x20:
            word = struct.unpack_from("=I", data, value)[0]
        elif operation == 0x54:
            word &= value
        elif operation in (0x15, 0x35):
            at += if_true if (word == value if operation == 0x15 else word >= value) else if_false
        elif operation == 0x06:
            return ALLOWED if value == 0x7FFF0000 else int(value & 0xFFFF)
        else:
            pytest.fail(f"operation {operation:#x} is not one of the assembler's")


def number(call: str, machine: str) -> int:
    """Return a call's number on an architecture, of those that the filter names."""
    found = seccomp_table.NUMBERS[call][list(MACHINES).index(machine)]
    assert found is not None
    return found


EPERM, EACCES, ENOSYS = errno.EPERM, errno.EACCES, errno.ENOSYS
CALLS: list[tuple[str, tuple[int, ...], int]] = [
    ("kill", (-1, 9), EPERM),
    ("kill", (0xFFFFFFFF, 9), EPERM),  # as an unsigned int
    ("kill", (0x700000000 + 4711, 9), EPERM),  # the kernel looks at the lower half only
    ("kill", (4711, 0), EPERM),
    ("kill", (-4712, 15), EPERM),
    ("kill", (4713, 9), ALLOWED),
    ("kill", (0, 9), ALLOWED),
    ("kill", (-4713, 9), ALLOWED),
    ("tkill", (4711, 9), EPERM),
    ("tkill", (4713, 9), ALLOWED),
    ("tgkill", (4712, 4712, 9), EPERM),
    ("tgkill", (4713, 4711, 9), ALLOWED),  # is no thread of that process, says the kernel
    ("rt_sigqueueinfo", (4711, 9, 1), EPERM),
    ("rt_tgsigqueueinfo", (4711, 4711, 9, 1), EPERM),
    ("pidfd_open", (4711, 0), EPERM),
    ("pidfd_open", (4713, 0), ALLOWED),
    ("pidfd_send_signal", (3, 9, 0, 0), EPERM),
    ("fcntl", (3, 8, 4711), EPERM),  # F_SETOWN
    ("fcntl", (3, 15, 1), EPERM),  # F_SETOWN_EX
    ("fcntl", (3, 2, 1), ALLOWED),
    ("ioctl", (3, 0x8901, 1), EPERM),  # FIOSETOWN
    ("ioctl", (0, 0x5412, 1), EPERM),  # TIOCSTI
    ("ioctl", (0, 0x5401, 1), ALLOWED),
    ("prlimit64", (4711, 7, 1, 0), EPERM),
    ("prlimit64", (1, 7, 0x100000000, 0), EPERM),  # a pointer with an empty lower half
    ("prlimit64", (1, 7, 0, 1), ALLOWED),  # reads
    ("prlimit64", (0, 7, 1, 0), ALLOWED),
    ("sched_setaffinity", (4711, 8, 1), EPERM),
    ("sched_setaffinity", (0, 8, 1), ALLOWED),
    ("sched_setscheduler", (1, 3, 1), EPERM),  # SCHED_BATCH
    ("sched_setscheduler", (1, 0, 1), ALLOWED),  # SCHED_OTHER
    ("sched_setparam", (1, 1), EPERM),
    ("sched_setattr", (1, 1, 0), EPERM),
    ("sched_setattr", (0, 1, 0), ALLOWED),
    ("setpriority", (0, 4711, 5), EPERM),
    ("setpriority", (0, 0, 5), ALLOWED),
    ("setpriority", (2, 0, 5), EPERM),  # all processes of the user
    ("ioprio_set", (1, 4711, 0), EPERM),
    ("ioprio_set", (1, 0, 0), ALLOWED),
    ("ioprio_set", (3, 0, 0), EPERM),
    ("clone", (NEW_USER | signal.SIGCHLD,), EPERM),
    ("clone", (UNTRACED | signal.SIGCHLD,), EPERM),
    ("clone", (signal.SIGCHLD,), ALLOWED),
    ("clone", (THREAD,), ALLOWED),
    ("clone", (VFORK | signal.SIGCHLD,), ALLOWED),
    ("clone3", (1, 88), ENOSYS),
    ("io_uring_setup", (8, 1), ENOSYS),
    ("socket", (2, 2, 0), EACCES),  # UDP
    ("socket", (10, 2 | 0x80000, 17), EACCES),  # UDP, IPv6, SOCK_CLOEXEC
    ("socket", (2, 3, 1), EACCES),  # raw
    ("socket", (17, 3, 0), EACCES),  # AF_PACKET
    ("socket", (40, 1, 0), EACCES),  # AF_VSOCK
    ("socket", (2, 1, 262), EACCES),  # MPTCP
    ("socket", (2, 1 | 0x80800, 0), ALLOWED),
    ("socket", (10, 1, 6), ALLOWED),
    ("socket", (1, 2, 0), ALLOWED),
    ("socket", (1, 5, 0), ALLOWED),
    ("socket", (16, 3, 0), ALLOWED),  # netlink, by which glibc lists addresses
    *(
        (call, (1, 1, 1), EPERM)
        for call in (*seccomp_table.NEVER, *seccomp_table.NAMESPACES)
        if call not in ("ioperm", "iopl")
    ),
]


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize(("call", "arguments", "expected"), CALLS)
def test_program(machine: str, call: str, arguments: tuple[int, ...], expected: int) -> None:
    """On each architecture, a call gets its error by what it is about."""
    program = seccomp.program(shield=SHIELD, machine=machine)
    assert answer(program, MACHINES[machine], number(call, machine), *arguments) == expected


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize(
    "call", ["kill", "tgkill", "pidfd_open", "pidfd_send_signal", "fcntl", "ioctl"]
)
def test_no_shield(machine: str, call: str) -> None:
    """Without a shield, no process and no owner of a file is special."""
    arguments = {"fcntl": (3, 8, 4711), "ioctl": (3, 0x8902, 1)}.get(call, (4711, 4711, 9))
    assert (
        answer(
            seccomp.program(machine=machine), MACHINES[machine], number(call, machine), *arguments
        )
        == ALLOWED
    )


@pytest.mark.parametrize("machine", MACHINES)
def test_options(machine: str) -> None:
    """Sockets of all kinds, and what a sandbox is built of, are left when asked for."""
    program = seccomp.program(udp=True, namespaces=True, machine=machine)
    calls = [
        ("socket", (2, 2)),
        ("socket", (17, 3)),
        ("clone", (NEW_USER,)),
        *((one, ()) for one in seccomp_table.NAMESPACES),
    ]
    left = {
        name: answer(program, MACHINES[machine], number(name, machine), *arguments)
        for name, arguments in calls
    }
    assert set(left.values()) == {ALLOWED}
    # clone3 would hide CLONE_UNTRACED; a sandbox does without
    assert answer(program, MACHINES[machine], number("clone3", machine)) == ENOSYS


@pytest.mark.parametrize("machine", MACHINES)
@pytest.mark.parametrize("architecture", [0x40000003, 0x40000028, *MACHINES.values()])
def test_other_architecture(machine: str, architecture: int) -> None:
    """Whatever is called by another architecture's numbers is denied, for they mean other calls."""
    program = seccomp.program(machine=machine)
    expected = {ALLOWED} if architecture == MACHINES[machine] else {EPERM}
    assert {answer(program, architecture, one) for one in (19, 20, 200 + 11, 400)} == expected


def test_x32() -> None:
    """On x86_64, the numbers of its x32 kind are denied, with bit 30 and without."""
    program = seccomp.program(machine="x86_64")
    assert {
        answer(program, MACHINES["x86_64"], one) for one in (0x40000000 + 39, 521, 0x40000000 + 521)
    } == {EPERM}


@pytest.mark.parametrize("machine", ["riscv64", "i686", ""])
def test_unknown_architecture(machine: str) -> None:
    """There is no filter for an architecture whose numbers are not known, and installing none does
    nothing.
    """
    assert seccomp.program(machine=machine) == b""
    seccomp.install(b"")


@pytest.mark.parametrize("count", [100, 120])
def test_length(count: int) -> None:
    """A shield that the kernel could not take is refused before."""
    shield = range(1000, 1000 + count)
    if count == 100:
        assert len(seccomp.program(shield=shield, machine="x86_64")) <= 4096 * 8
    else:
        with pytest.raises(ValueError, match="120 ids"):
            seccomp.program(shield=shield, machine="x86_64")


@pytest.mark.parametrize(
    ("machine", "header"),
    [
        ("x86_64", "/usr/include/x86_64-linux-gnu/asm/unistd_64.h"),
        ("aarch64", "/usr/include/asm-generic/unistd.h"),
    ],
)
def test_numbers(machine: str, header: str) -> None:
    """The numbers are those of the kernel's headers."""
    if not Path(header).exists():
        pytest.skip(f"there is no {header}")
    text = Path(header).read_text()
    told = {
        name: int(value)
        for name, value in re.findall(r"#define __NR(?:3264)?_(\w+)\s+(\d+)$", text, re.MULTILINE)
    }
    column = list(MACHINES).index(machine)
    wrong = {
        name: numbers[column]
        for name, numbers in seccomp_table.NUMBERS.items()
        if numbers[column] != told.get(name)
    }
    assert wrong == {}


# --- real processes


def run(
    code: str,
    program: bytes,
    *,
    stranger: bool = False,
    rules: tuple[Sequence[str], Sequence[str]] | None = None,
    folder: str = "/",
) -> str:
    """Return what code prints in an interpreter under the filter, and perhaps under rules of
    Landlock.
    """
    user = STRANGER if stranger else None
    descriptor = landlock.ruleset(*rules, network=True) if rules else None

    def before() -> None:
        if descriptor is not None:
            landlock.restrict(descriptor)
        seccomp.install(program)

    try:
        done = subprocess.run(
            ["/usr/bin/python3" if stranger else sys.executable, "-I", "-c", code],
            preexec_fn=before,
            user=user,
            group=user,
            extra_groups=None if user is None else [],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=SECONDS,
            cwd=folder,
            env={**os.environ, "TMPDIR": folder} if folder != "/" else None,
        )
    finally:
        if descriptor is not None:
            os.close(descriptor)
    return done.stdout.strip() if done.returncode == 0 else f"exit {done.returncode}: {done.stdout}"


@pytest.fixture(params=["ourselves", "a stranger"])
def stranger(request: pytest.FixtureRequest) -> bool:
    """Run a test as our own user, and as another one where we may."""
    other: bool = request.param == "a stranger"
    if other and (os.getuid() != 0 or not Path("/usr/bin/python3").exists()):
        pytest.skip("needs root, and an interpreter that other users can execute")
    return other


RAW = """
import ctypes, errno
libc = ctypes.CDLL(None, use_errno=True)
libc.syscall.restype = ctypes.c_long
for number in {numbers}:
    # -1 is no flag, no address, no file and no process: nothing comes of it without the filter
    failed = libc.syscall(ctypes.c_long(number), *[ctypes.c_long(-1)] * 6) < 0
    print(number, errno.errorcode[ctypes.get_errno()] if failed else "done")
"""
OUTRIGHT = [
    name
    for name in (*seccomp_table.NEVER, *seccomp_table.NAMESPACES)
    if platform.machine() == "x86_64" or name[:3] != "iop"
]


def raw(program: bytes, *, stranger: bool) -> dict[str, str]:
    """Return what becomes of the calls that are always denied."""
    names = {number(name, platform.machine()): name for name in OUTRIGHT if name != "ioperm"}
    lines = run(RAW.format(numbers=list(names)), program, stranger=stranger).splitlines()
    return {names[int(line.split()[0])]: line.split()[1] for line in lines}


@here
def test_denied_outright(stranger: bool) -> None:
    """Calls into other processes, and those that change the machine, are denied to root as to
    others.
    """
    assert {
        name
        for name, result in raw(seccomp.program(), stranger=stranger).items()
        if result != "EPERM"
    } == set()


@here
@pytest.mark.skipif(os.getuid() != 0, reason="only root is denied nothing by the kernel itself")
def test_the_filter_denies() -> None:
    """Without the filter, root gets other answers: it is the filter that denies."""
    if "Seccomp:\t0" not in Path("/proc/self/status").read_text():
        pytest.skip("there is a filter around us")
    assert {name for name, result in raw(b"", stranger=False).items() if result == "EPERM"} == set()


ACT = """
import ctypes, errno, fcntl, os, resource, signal, socket, sys
def act():
    {act}
try:
    print(act() or "done")
except OSError as error:
    print(errno.errorcode[error.errno])
"""


@here
@pytest.mark.parametrize(
    ("act", "expected"),
    [
        ("os.kill({bystander}, 9)", "EPERM"),
        ("os.kill(-{bystander}, 9)", "EPERM"),
        ("os.kill(-1, 0)", "EPERM"),
        ("os.pidfd_open({bystander})", "EPERM"),
        ("signal.pidfd_send_signal(os.open('/proc/{bystander}', os.O_RDONLY), 9)", "EPERM"),
        ("fcntl.fcntl(os.pipe()[0], fcntl.F_SETOWN, {bystander})", "EPERM"),
        ("resource.prlimit({bystander}, resource.RLIMIT_NOFILE, (5, 5))", "EPERM"),
        ("resource.setrlimit(resource.RLIMIT_CORE, (0, 0))", "done"),
        ("resource.prlimit(0, resource.RLIMIT_CORE, (0, 0)); return 'done'", "done"),
        ("return len(resource.prlimit({bystander}, resource.RLIMIT_CORE))", "2"),
        ("os.sched_setaffinity({bystander}, {{0}})", "EPERM"),
        ("os.sched_setaffinity(0, {{0}})", "done"),
        ("os.setpriority(os.PRIO_PROCESS, {bystander}, 19)", "EPERM"),
        ("os.nice(1); return 'done'", "done"),
        ("os.kill(os.getpid(), 0)", "done"),
        ("signal.raise_signal(signal.SIGCHLD)", "done"),
        ("return os.system('unshare -Ur true 2>/dev/null') >> 8", "1"),
        ("socket.socket(socket.AF_INET, socket.SOCK_DGRAM)", "EACCES"),
        ("socket.socket(socket.AF_INET, socket.SOCK_STREAM, 262)", "EACCES"),
        (
            (
                "server = socket.create_server(('localhost', 0));"
                " socket.create_connection(server.getsockname(), 30)"
            ),
            "done",
        ),
        (
            (
                "ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM); return"
                " ours.send(b'1')"
            ),
            "1",
        ),
        ("return bool(socket.getaddrinfo('localhost', 80))", "True"),
        ("return ctypes.CDLL(None).syscall(0x40000000 + 39)", "-1"),  # x32's getpid
    ],
)
def test_real_calls(stranger: bool, act: str, expected: str) -> None:
    """Processes under the shield get no signal, and no limit or priority of another process can be
    changed.
    """
    user = STRANGER if stranger else None
    with subprocess.Popen(
        ["/bin/sleep", str(SECONDS)], user=user, group=user, start_new_session=True
    ) as bystander:
        try:
            code = ACT.format(act=act.format(bystander=bystander.pid))
            assert run(code, seccomp.program(shield=[bystander.pid]), stranger=stranger) == expected
            assert bystander.poll() is None
        finally:
            bystander.kill()


INT_80 = """
import ctypes, mmap
page = mmap.mmap(-1, mmap.PAGESIZE, prot=mmap.PROT_READ | mmap.PROT_WRITE | mmap.PROT_EXEC)
# push rbx; mov eax, 20 (getpid of i386); int 0x80; pop rbx; ret
page.write(bytes.fromhex("53 b814000000 cd80 5b c3"))
print(ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(page)))())
"""


@pytest.mark.skipif(platform.machine() != "x86_64", reason="int 0x80 is x86's")
def test_int_80(stranger: bool) -> None:
    """The 32-bit way into the kernel is closed for a 64-bit process."""
    if not run(INT_80, b"", stranger=stranger).isdecimal():
        pytest.skip("this kernel has no calls of i386")
    assert run(INT_80, seccomp.program(), stranger=stranger) == str(-errno.EPERM)


@here
def test_bubblewrap() -> None:
    """A sandbox can be built when namespaces are left, and not otherwise."""
    code = (
        "import subprocess; print(subprocess.call('{bwrap} --unshare-all --ro-bind / /"
        " true'.split(), stderr=-3))"
    )
    code = code.format(bwrap=shutil.which("bwrap") or "/usr/bin/bwrap")
    if not shutil.which("bwrap") or run(code, b"") != "0":
        pytest.skip("bubblewrap does not work here")
    assert run(code, seccomp.program(namespaces=True)) == "0"
    assert run(code, seccomp.program()) == "1"


@here
def test_inherited_and_for_ever(stranger: bool) -> None:
    """What is executed under the filter stays under it, and cannot gain rights."""
    code = (
        "import subprocess; subprocess.run(['/bin/grep', '-E', '^(Seccomp|NoNewPrivs):',"
        " '/proc/self/status'])"
    )
    assert run(code, seccomp.program(), stranger=stranger).split() == [
        "NoNewPrivs:",
        "1",
        "Seccomp:",
        "2",
    ]


EXERCISE = """
import asyncio, ctypes, multiprocessing, os, subprocess, sys, threading, time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import shared_memory

def put(queue, value):
    queue.put(value * value)

def note(values, value):
    values[value] = os.getpid()

def fill(name):
    memory = shared_memory.SharedMemory(name)
    memory.buf[0] = 42
    memory.close()

def square(value):
    return value * value

def processes(method):
    context = multiprocessing.get_context(method)
    queue, lock, event = context.Queue(), context.Lock(), context.Event()
    started = [context.Process(target=put, args=(queue, value)) for value in range(3)]
    for process in started:
        process.start()
    assert sorted(queue.get(timeout=60) for _ in started) == [0, 1, 4]
    for process in started:
        process.join(60)
        assert process.exitcode == 0
    with context.Pool(2) as pool:
        assert pool.map(square, range(5)) == [0, 1, 4, 9, 16]
    with ProcessPoolExecutor(2, mp_context=context) as executor:
        assert list(executor.map(square, range(3))) == [0, 1, 4]
    with context.Manager() as manager:
        values = manager.dict()
        process = context.Process(target=note, args=(values, 1))
        process.start()
        process.join(60)
        assert values[1] == process.pid
    memory = shared_memory.SharedMemory(create=True, size=10)
    process = context.Process(target=fill, args=(memory.name,))
    process.start()
    process.join(60)
    assert memory.buf[0] == 42
    memory.close()
    memory.unlink()
    stuck = context.Process(target=time.sleep, args=(60,))
    stuck.start()
    stuck.terminate()
    stuck.join(60)
    assert stuck.exitcode == -15

async def serve():
    async def echo(reader, writer):
        writer.write(await reader.readline())
        writer.close()
    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    reader, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
    writer.write(b"line\\n")
    assert await reader.readline() == b"line\\n"
    writer.close()
    server.close()
    process = await asyncio.create_subprocess_exec("/bin/echo", "1", stdout=subprocess.PIPE)
    assert (await process.communicate())[0] == b"1\\n"

def others():
    threads = [threading.Thread(target=time.sleep, args=(0.01,)) for _ in range(5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    asyncio.run(serve())
    assert subprocess.run("echo 1 | cat", shell=True, capture_output=True).stdout == b"1\\n"
    child = subprocess.Popen(["/bin/sleep", "60"])
    child.kill()
    assert child.wait(60) == -9
    if not os.fork():
        os._exit(0)
    os.wait()

def arrays():
    try:
        import numpy
    except ImportError:
        return
    matrix = numpy.random.default_rng(1).random((300, 300))
    assert numpy.isfinite(numpy.linalg.inv(matrix @ matrix)).all()

if __name__ == "__main__":
    known = {"others": others, "arrays": arrays}
    known[sys.argv[1]]() if sys.argv[1] in known else processes(sys.argv[1])
    print("done")
"""


@pytest.fixture
def folder(stranger: bool) -> Iterator[str]:
    """Make a folder with the exercise, of the user that runs it."""
    path = Path(tempfile.mkdtemp())
    (path / "exercise.py").write_text(EXERCISE)
    if stranger:
        os.chown(path, STRANGER, STRANGER)
    yield str(path)
    shutil.rmtree(path)


@here
@pytest.mark.parametrize("what", ["fork", "spawn", "forkserver", "others", "arrays"])
@pytest.mark.parametrize("files", [False, True], ids=["seccomp", "seccomp and Landlock"])
def test_exercises_work(stranger: bool, folder: str, what: str, files: bool) -> None:
    """Start methods, pools, managers, shared memory, threads, asyncio, subprocesses and numpy work
    as ever.
    """
    read = [
        "/usr",
        "/lib",
        "/lib64",
        "/bin",
        "/etc",
        "/proc",
        "/dev/urandom",
        sys.prefix,
        sys.base_prefix,
    ]
    rules = (read, [folder, "/dev/null", "/dev/shm"]) if files else None
    code = (
        "import subprocess, sys; sys.exit(subprocess.call([sys.executable, 'exercise.py',"
        f" {what!r}]))"
    )
    program = seccomp.program(shield=[os.getpid(), os.getppid()])
    assert run(code, program, stranger=stranger, rules=rules, folder=folder) == "done"
