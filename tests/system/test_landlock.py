"""What a process under Landlock can and cannot do: real processes, as our own user and as another
one.
"""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

if not sys.platform.startswith("linux"):
    pytest.skip("Landlock is Linux's", allow_module_level=True)

from pytest_mpgrade.system.linux import landlock

ABI = landlock.abi()
SECONDS = 60
SYSTEM = ["/usr", "/lib", "/lib64", "/bin", "/etc", sys.prefix, sys.base_prefix]
STRANGER = 60401
"""A user id that nobody has, and that no run is given: those are in `spare_user`."""

needs_landlock = pytest.mark.skipif(not ABI, reason="this kernel has no Landlock")


def needs(version: int) -> pytest.MarkDecorator:
    """Skip a test where the kernel's Landlock is older."""
    return pytest.mark.skipif(version > ABI, reason=f"needs Landlock ABI {version}, there is {ABI}")


@pytest.fixture(params=["ourselves", "a stranger"])
def user(request: pytest.FixtureRequest) -> int | None:
    """Run a test as our own user, and as another one where we may: None is our own."""
    if request.param == "ourselves":
        return None
    if os.getuid() != 0 or not Path("/usr/bin/python3").exists():
        pytest.skip("needs root, and an interpreter that other users can execute")
    return STRANGER


class Rooms:
    """A folder to read, one to write, and one that no rule names; the same user owns them all."""

    def __init__(self, top: Path, user: int | None) -> None:
        self.top, self.user = top, user
        self.read, self.write, self.secret = top / "read", top / "write", top / "secret"
        for folder in (self.read, self.write, self.secret):
            (folder / "below").mkdir(parents=True)
            (folder / "file").write_text("text")
            (folder / "below" / "file").write_text("text")
        if user:
            for path in (top, *top.rglob("*")):
                os.chown(path, user, user)

    def run(
        self,
        code: str,
        *,
        read: Sequence[str] = (),
        write: Sequence[str] = (),
        listed: Sequence[str] = (),
        network: bool = False,
    ) -> str:
        """Run code under the rules; return what it prints, or the name of the error by which it
        ends.
        """
        rules = landlock.ruleset(
            [*SYSTEM, str(self.read), *read],
            [str(self.write), "/dev/null", *write],
            listed=listed,
            network=network,
        )
        assert rules is not None
        start = f"import errno, os, signal, socket, subprocess, sys\nos.chdir({str(self.top)!r})\n"
        code = f"def act():\n    {code.strip()}\ntry:\n    print(act() or 'done')\n"
        code += "except OSError as error:\n    print(errno.errorcode[error.errno])"
        try:
            return subprocess.run(
                [
                    sys.executable if self.user is None else "/usr/bin/python3",
                    "-I",
                    "-c",
                    start + code,
                ],
                preexec_fn=lambda: landlock.restrict(rules),
                user=self.user,
                group=self.user,
                extra_groups=None if self.user is None else [],
                capture_output=True,
                check=True,
                text=True,
                timeout=SECONDS,
                cwd="/",
            ).stdout.strip()
        finally:
            os.close(rules)


@pytest.fixture
def rooms(user: int | None) -> Iterator[Rooms]:
    """Make the folders, where other users can reach them."""
    folder = Path(tempfile.mkdtemp())
    yield Rooms(folder, user)
    shutil.rmtree(folder)


# --- what there is


def test_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where there is no Landlock, there is no ruleset either."""
    monkeypatch.setattr(landlock, "abi", lambda: 0)
    assert landlock.ruleset(["/"], ["/"]) is None


@needs_landlock
@pytest.mark.parametrize("version", range(1, ABI + 1))
def test_older_kernels(monkeypatch: pytest.MonkeyPatch, version: int) -> None:
    """What is asked of an older version is a ruleset of that version's size and rights."""
    monkeypatch.setattr(landlock, "abi", lambda: version)
    rules = landlock.ruleset(["/usr"], ["/tmp", "/dev/null"])
    assert rules is not None
    os.close(rules)


# --- files


@needs_landlock
@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("return open('read/file').read()", "text"),
        ("return open('read/below/file').read()", "text"),
        ("return len(os.listdir('read'))", "2"),
        ("return subprocess.run(['/bin/sh', '-c', 'exit 3']).returncode", "3"),
        ("open('read/file', 'a')", "EACCES"),
        ("open('read/new', 'w')", "EACCES"),
        ("os.unlink('read/file')", "EACCES"),
        ("os.mkdir('read/new')", "EACCES"),
        ("open('write/new', 'w').write('more')", "done"),
        ("open('write/file', 'r+').truncate(1)", "done"),
        ("os.truncate('write/below/file', 1)", "done"),
        ("os.unlink('write/file')", "done"),
        ("os.mkdir('write/new'); os.rmdir('write/new')", "done"),
        ("os.symlink('file', 'write/link')", "done"),
        ("os.mkfifo('write/fifo')", "done"),
        ("socket.socket(socket.AF_UNIX).bind('write/socket')", "done"),
        ("open('secret/file')", "EACCES"),
        ("open('secret/below/file')", "EACCES"),
        ("os.listdir('secret')", "EACCES"),
        ("open('secret/new', 'w')", "EACCES"),
        ("os.unlink('secret/file')", "EACCES"),
        ("os.symlink('../secret/file', 'write/link'); open('write/link')", "EACCES"),
        ("open('/proc/self/root' + os.getcwd() + '/secret/file')", "EACCES"),
        ("open('/dev/null', 'w').write('nothing')", "done"),
        ("open('/dev/zero')", "EACCES"),
        ("os.listdir('/')", "EACCES"),
        ("open(f'/proc/{os.getppid()}/mem')", "EACCES"),
        (
            (
                "return subprocess.run(['/bin/cat', 'secret/file'],"
                " stderr=subprocess.DEVNULL).returncode"
            ),
            "1",
        ),
    ],
)
def test_files(rooms: Rooms, code: str, expected: str) -> None:
    """Files can be read in one folder, changed in another, and nowhere else, whoever owns them."""
    assert rooms.run(code) == expected


@needs(2)
@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("os.rename('write/file', 'write/below/moved')", {"done"}),
        ("os.link('write/file', 'write/below/linked')", {"done"}),
        ("os.rename('read/file', 'write/moved')", {"EACCES", "EXDEV"}),
        ("os.link('secret/file', 'write/linked')", {"EACCES", "EXDEV"}),
        ("os.rename('write/file', 'secret/moved')", {"EACCES", "EXDEV"}),
    ],
)
def test_moving(rooms: Rooms, code: str, expected: set[str]) -> None:
    """Files can be moved within the folder to write, and not into or out of it."""
    assert rooms.run(code) in expected


@needs(3)
@pytest.mark.parametrize("name", ["read/file", "secret/file"])
def test_truncation(rooms: Rooms, name: str) -> None:
    """A file cannot be emptied where it cannot be written."""
    assert rooms.run(f"os.truncate({name!r}, 0)") == "EACCES"
    assert (rooms.top / name).read_text() == "text"


@needs(5)
@pytest.mark.parametrize(("write", "expected"), [(["/dev/zero"], "ENOTTY"), ([], "EACCES")])
def test_devices(rooms: Rooms, write: list[str], expected: str) -> None:
    """A device that is written to can be controlled, one that is only read cannot."""
    code = (
        "import fcntl, termios; fcntl.ioctl(os.open('/dev/zero', os.O_RDONLY), termios.TCGETS,"
        " bytes(60))"
    )
    assert rooms.run(code, read=[] if write else ["/dev/zero"], write=write) == expected


@needs_landlock
def test_single_file(rooms: Rooms) -> None:
    """A rule may name one file, which says nothing of those beside it."""
    file = str(rooms.secret / "file")
    assert rooms.run("return open('secret/file').read()", read=[file]) == "text"
    assert rooms.run("open('secret/below/file')", read=[file]) == "EACCES"
    assert rooms.run("open('secret/file', 'w')", write=[file]) == "done"


@needs_landlock
@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("return sorted(os.listdir('secret'))", "['below', 'file']"),
        ("return os.listdir('secret/below')", "['file']"),
        ("open('secret/file')", "EACCES"),
        ("open('secret/new', 'w')", "EACCES"),
        ("os.execv('secret/file', ['file'])", "EACCES"),
    ],
)
def test_listed(rooms: Rooms, code: str, expected: str) -> None:
    """Where names may be seen, nothing can be opened."""
    (rooms.secret / "file").chmod(0o755)
    assert rooms.run(code, listed=[str(rooms.secret)]) == expected


@needs_landlock
def test_what_is_not_there(rooms: Rooms) -> None:
    """Paths that do not exist, and pipes, are left out."""
    reader, writer = os.pipe()
    paths = ["/no/such/folder", "/etc/passwd/below", f"/proc/self/fd/{reader}"]
    assert rooms.run("return open('read/file').read()", read=paths, write=paths) == "text"
    os.close(reader)
    os.close(writer)


@needs_landlock
def test_closed_on_exec() -> None:
    """The ruleset does not stay open in what a process executes."""
    rules = landlock.ruleset([], [])
    assert rules is not None
    assert fcntl.fcntl(rules, fcntl.F_GETFD) & fcntl.FD_CLOEXEC
    os.close(rules)


@needs_landlock
def test_refused() -> None:
    """What is not a ruleset is refused with the name of the call."""
    reader, writer = os.pipe()
    child = os.fork()
    if not child:
        with os.fdopen(writer, "w") as file:
            try:
                landlock.restrict(reader)
            except OSError as error:
                file.write(f"{error.errno} {error.strerror}")
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as file:
        assert file.read() == f"{errno.EBADFD} landlock_restrict_self"
    os.waitpid(child, 0)


# --- TCP


@needs(4)
@pytest.mark.parametrize(("network", "expected"), [(False, "EACCES"), (True, "done")])
def test_tcp(rooms: Rooms, network: bool, expected: str) -> None:
    """TCP can be used when the ruleset allows it, and else neither to serve nor to reach a
    server.
    """
    with socket.create_server(("127.0.0.1", 0)) as server:
        address = server.getsockname()
        assert rooms.run(f"socket.create_connection({address!r}, 30)", network=network) == expected
    assert rooms.run("socket.create_server(('127.0.0.1', 0))", network=network) == expected


# --- other processes


@needs(6)
@pytest.mark.parametrize(
    "code",
    [
        "os.kill(os.getppid(), 0)",
        "signal.pidfd_send_signal(os.pidfd_open(os.getppid()), 0)",
        "os.kill({bystander}, 0)",
    ],
)
def test_signals_stay_inside(rooms: Rooms, code: str) -> None:
    """No process outside can be sent a signal, of the same user or as root."""
    with subprocess.Popen(["/bin/sleep", str(SECONDS)], user=rooms.user) as bystander:
        assert rooms.run(code.replace("{bystander}", str(bystander.pid))) == "EPERM"
        assert bystander.poll() is None
        bystander.kill()


@needs(6)
def test_signals_within(rooms: Rooms) -> None:
    """A process can end those that it has started."""
    code = "child = subprocess.Popen(['/bin/sleep', '60']); child.kill(); return child.wait(30)"
    assert rooms.run(code) == "-9"


@needs(6)
@pytest.mark.parametrize(
    ("name", "expected"), [("\0mpgrade-test", "EPERM"), ("secret/socket", "done")]
)
def test_unix_sockets(rooms: Rooms, name: str, expected: str) -> None:
    """A server outside can be reached by its path, as the events' socket is, and not by an abstract
    name.
    """
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as server:
        address = f"{name}-{os.getpid()}" if name[0] == "\0" else str(rooms.top / name)
        server.bind(address)
        server.listen()
        if rooms.user and name[0] != "\0":
            os.chown(address, rooms.user, rooms.user)
        code = f"socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET).connect({address!r})"
        assert rooms.run(code) == expected


@needs_landlock
def test_ptrace(rooms: Rooms) -> None:
    """A process outside cannot be traced."""
    code = """
    import ctypes
    libc = ctypes.CDLL(None, use_errno=True)
    refused = libc.ptrace(0x4206, os.getppid(), 0, 0)
    return errno.errorcode[ctypes.get_errno()] if refused else 'traced'
    """
    assert rooms.run(code) == "EPERM"
