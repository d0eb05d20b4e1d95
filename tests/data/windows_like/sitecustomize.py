"""Takes from our own modules what Windows does not have, in every interpreter of a virtual
environment.

Put into the environment's site-packages, where `site` imports it before anything else. The standard
library and others stay as they are here: only what the modules of `pytest_mpgrade` import is
changed, so that what can be known on Linux of our own code on Windows is known. What is not
imitated: paths, the console, processes, and pipes of Windows.
"""

import builtins
import importlib
import sys

OURS = "pytest_mpgrade"
MISSING = frozenset(
    ("resource", "fcntl", "pwd", "grp", "termios", "tty", "pty", "posix", "syslog", "readline")
)
"""https://docs.python.org/3/library/unix.html"""

LACKS = {
    "os": (
        "fork forkpty geteuid getuid getgid getegid getgroups getpgid getpgrp getsid killpg setsid"
        " setpgid setuid setgid setresuid setresgid setgroups setpriority getpriority PRIO_PROCESS"
        " nice chown lchown fchown mkfifo mknod O_NOFOLLOW O_NONBLOCK O_CLOEXEC O_DIRECTORY O_PATH"
        " O_NOCTTY sched_getaffinity sched_setaffinity sched_yield pidfd_open pipe2 memfd_create"
        " wait waitid wait3 wait4 WIFEXITED WIFSIGNALED WIFSTOPPED WTERMSIG WSTOPSIG WNOHANG"
        " statvfs fstatvfs getloadavg uname sysconf openpty initgroups P_PID P_ALL WEXITED"
        " posix_spawn register_at_fork pread pwrite fchmod lockf sync ctermid confstr getxattr"
    ),
    "signal": (
        "SIGKILL SIGXCPU SIGXFSZ SIGHUP SIGUSR1 SIGUSR2 SIGSTOP SIGCONT SIGTSTP SIGCHLD SIGPIPE"
        " SIGQUIT SIGALRM SIGTTIN SIGTTOU SIGRTMIN SIGRTMAX SIGBUS SIGSYS SIGTRAP alarm setitimer"
        " pause pthread_sigmask pthread_kill sigwait sigwaitinfo SIG_BLOCK SIG_UNBLOCK SIG_SETMASK"
        " siginterrupt"
    ),
    "socket": (
        "AF_UNIX SOCK_SEQPACKET SO_PASSCRED SCM_CREDENTIALS SCM_RIGHTS CMSG_SPACE CMSG_LEN send_fds"
        " recv_fds"
    ),
    "select": "poll epoll POLLHUP POLLIN kqueue",
    "time": (
        "clock_gettime CLOCK_MONOTONIC CLOCK_BOOTTIME CLOCK_REALTIME tzset pthread_getcpuclockid"
    ),
    "ctypes": "",
    "faulthandler": "register unregister",
    "sys": "getdlopenflags setdlopenflags abiflags",
}


def _cdll(name, *arguments, **others):
    if name is None:
        raise TypeError(
            "bad argument type for built-in operation: Windows has no library of the process itself"
        )
    raise FileNotFoundError(f"could not find module {name!r}")


SAYS = {
    "ctypes": {"CDLL": _cdll},
    "sys": {"platform": "win32"},
    "os": {"name": "nt", "supports_dir_fd": frozenset()},
}


def _as_windows_has_it(real):
    """Return a stand-in for a module of the standard library."""
    lacks, says = frozenset(LACKS[real.__name__].split()), SAYS.get(real.__name__, {})

    class Lacking:
        def __getattribute__(self, name):
            if name in lacks:
                raise AttributeError(
                    f"module {real.__name__!r} has no attribute {name!r} on Windows"
                )
            return says[name] if name in says else getattr(real, name)

        def __setattr__(self, name, value):
            setattr(real, name, value)

    return Lacking()


_seen = {}
_import = builtins.__import__


def _is_ours(names):
    """Tell whether a module's globals are ours; one that is run by `-m` is called `__main__`."""
    package = (
        names.get("__package__") if names.get("__name__") == "__main__" else names.get("__name__")
    )
    return str(package).startswith(OURS)


def _changed(name, globals=None, locals=None, fromlist=(), level=0):
    if level or not _is_ours(globals or {}):
        return _import(name, globals, locals, fromlist, level)
    if name.partition(".")[0] in MISSING:
        raise ModuleNotFoundError(f"No module named {name!r} on Windows", name=name)
    found = _import(name, globals, locals, fromlist, level)
    if name in LACKS:
        if name not in _seen:
            _seen[name] = _as_windows_has_it(found)
        return _seen[name]
    return found


builtins.__import__ = _changed


def _no_proc(event, arguments):
    """Windows has no /proc; others of this interpreter, such as psutil, need it to be Linux at all.

    It has no /dev/shm either, but here semaphores lie there, and what a run leaves has to be
    removed.
    """
    if event in ("open", "os.listdir", "os.scandir") and str(arguments[0]).startswith(
        ("/proc", "/sys")
    ):
        frame = sys._getframe(1)
        if str(frame.f_globals.get("__name__", "")).startswith(OURS):
            raise FileNotFoundError(2, "Windows has no such file", str(arguments[0]))


sys.addaudithook(_no_proc)
importlib.invalidate_caches()
