"""What an interpreter has installed, asked of that interpreter itself; and the names of packages
for pip and import.

Student code runs without the variables and the home folder of whoever grades, so that is how an
interpreter is asked.
"""

from __future__ import annotations

import functools
import json
import os
import platform
import re
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

_SECONDS = 120.0
"""How long an interpreter may take to answer: scikit-learn takes some seconds on a slow disk."""

_IMPORTED_AS = {
    "attrs": ("attr", "attrs"),
    "beautifulsoup4": ("bs4",),
    "biopython": ("Bio",),
    "ipython": ("IPython",),
    "mysqlclient": ("MySQLdb",),
    "opencv-contrib-python": ("cv2",),
    "opencv-python": ("cv2",),
    "opencv-python-headless": ("cv2",),
    "pillow": ("PIL",),
    "protobuf": ("google",),
    "pycryptodome": ("Crypto",),
    "pyserial": ("serial",),
    "python-dateutil": ("dateutil",),
    "python-dotenv": ("dotenv",),
    "python-igraph": ("igraph",),
    "python-louvain": ("community",),
    "pyyaml": ("yaml",),
    "pyzmq": ("zmq",),
    "scikit-image": ("skimage",),
    "scikit-learn": ("sklearn",),
    "setuptools": ("setuptools", "pkg_resources"),
    "umap-learn": ("umap",),
}
"""Those that are not imported by the name that pip knows them by; what is installed says so
itself.
"""

_OFTEN_USED = frozenset(
    """altair boto3 cloudpickle cupy cython dask dill distributed django fastapi flask fsspec
    geopandas gym h5py httpx ipywidgets jax joblib jupyter keras lightgbm line_profiler loguru
    loky lxml memory_profiler modin mpi4py mpire numba numexpr openpyxl pathos patsy plotly polars
    psutil pyarrow pydantic pymc pyspark pytest ray requests rich scipy seaborn sqlalchemy
    statsmodels streamlit sympy tabulate tensorflow toolz torch torchvision tornado transformers
    trio uvloop xarray xgboost
    """.split()  # noqa: SIM905 - words in a row are easier to keep than quoted ones
)
"""Packages that courses meet, by the names that are imported."""


def is_known(module: str) -> bool:
    """Tell whether a package is known by this name: of all there are nobody has a list here."""
    return module in _OFTEN_USED or any(module in names for names in _IMPORTED_AS.values())


_ASK = r"""
import importlib, importlib.metadata, importlib.util, json, sys
asked = json.loads(sys.argv[1])
def found(name):
    try:
        return importlib.util.find_spec(name) is not None
    except (ImportError, ValueError):
        return name in sys.modules
def version(name):
    try:
        return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        return ""
def failure(name, attributes):
    try:
        module = importlib.import_module(name)
        for attribute in attributes:
            if attribute != "*" and not hasattr(module, attribute):
                importlib.import_module(name + "." + attribute)
    except BaseException as error:
        return type(error).__name__ + ": " + " ".join(str(error).split())[:300]
    return ""
told = {
    "python": sys.version.split()[0],
    "modules": [name for name in asked["modules"] if found(name)],
    "versions": {name: version(name) for name in asked["packages"]},
    "failures": [failure(*one) for one in asked["imports"]],
}
if asked["owners"]:
    told["distributions"] = importlib.metadata.packages_distributions()
sys.stdout.write("\n" + json.dumps(told))
"""


@dataclass(frozen=True, kw_only=True)
class Installed:
    """What an interpreter answers."""

    python: str  # its version
    modules: frozenset[str]  # that it can find, of those asked for
    versions: dict[str, str]  # of packages, by pip's name; "" for those that are not there
    failures: tuple[str, ...]  # of the imports asked for: "" or why it fails
    # of each top-level module: pip's names; where owners are asked for
    distributions: dict[str, list[str]]


def ask_interpreter(
    python: str,
    *,
    modules: Iterable[str] = (),
    packages: Iterable[str] = (),
    imports: Iterable[tuple[str, tuple[str, ...]]] = (),
    owners: bool = False,
) -> Installed:
    """Ask an interpreter ("": our own) what of these it has; *imports*: modules, and names that are
    taken from them.

    What is imported runs with our rights, so it must not be chosen by a submission alone: parts of
    packages that the assignment allows. No module of a submission is in its way. *owners*: say
    which module is of which package, too. An interpreter that gives no answer has everything: then
    nobody is accused, nor is the grader.
    """
    wanted: dict[str, object] = {
        "modules": sorted(set(modules)),
        "packages": sorted(set(packages)),
        "imports": list(imports),
    }
    wanted["owners"] = owners
    return _asked(python or sys.executable, json.dumps(wanted))


@functools.lru_cache(maxsize=256)
def _asked(python: str, wanted: str) -> Installed:
    asked = json.loads(wanted)
    with tempfile.TemporaryDirectory(prefix="mpgrade-") as folder:
        try:
            done = subprocess.run(
                [python, "-I", "-B", "-c", _ASK, wanted],
                cwd=folder,
                env=_environment(folder),
                timeout=_SECONDS,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                check=True,
            )
            told = json.loads(done.stdout.rpartition(b"\n")[2])
        except (OSError, subprocess.SubprocessError, ValueError):
            told = {"python": platform.python_version(), "modules": asked["modules"]}
    return Installed(
        python=told["python"],
        modules=frozenset(told["modules"]),
        versions=told.get("versions", dict.fromkeys(asked["packages"], "?")),
        failures=tuple(told.get("failures", [""] * len(asked["imports"]))),
        distributions=told.get("distributions", {}),
    )


def _environment(home: str) -> dict[str, str]:
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "SYSTEMROOT") if name in os.environ}
    return kept | dict.fromkeys(("HOME", "TMPDIR", "TEMP"), home)


def normal(package: str) -> str:
    """Return a package's name as indexes compare it: PyPA's specification "Names and
    normalization".
    """
    return re.sub(r"[-_.]+", "-", package).lower()


def imported_as(package: str) -> tuple[str, ...]:
    """Return the modules that a package is imported by; authors may write those in place of pip's
    name.
    """
    known = _IMPORTED_AS.get(normal(package), (normal(package).replace("-", "_"),))
    return (*known, package) if package.isidentifier() else known


def installed_as(package: str) -> str:
    """Return pip's name of a package that an author may have written as it is imported: `sklearn`
    is scikit-learn.
    """
    by_import = {
        module: name
        for name, modules in sorted(_IMPORTED_AS.items(), reverse=True)
        for module in modules
    }
    return package if normal(package) in _IMPORTED_AS else by_import.get(package, package)


def providing(module: str, packages: Sequence[str], installed: Installed | None = None) -> str:
    """Return the package, of those listed, that a top-level module belongs to; "" where it is none
    of them.
    """
    owners = {
        normal(name) for name in (installed.distributions.get(module, ()) if installed else ())
    }
    found = (
        name
        for name in packages
        if module in imported_as(name) or normal(installed_as(name)) in owners
    )
    return next(found, "")


def install_command(python: str, packages: Iterable[str]) -> str:
    """Return the command that installs packages into an interpreter."""
    words = [
        python or sys.executable,
        "-m",
        "pip",
        "install",
        *dict.fromkeys(map(installed_as, packages)),
    ]
    return shlex.join(words)


def package_faults(listed: Sequence[str]) -> Iterator[tuple[int, str]]:
    """Yield the place of each name in a course's list that is none that pip installs, or is there
    twice, and why.
    """
    known: list[str] = []
    for index, name in enumerate(listed):
        if not re.fullmatch(r"[A-Za-z0-9](?:[\w.-]*[A-Za-z0-9])?", name, re.ASCII):
            yield (
                index,
                (
                    "expected the name that pip installs, without a version, such as 'numpy', got"
                    f" {name!r}"
                ),
            )
        elif name in sys.stdlib_module_names:
            yield (
                index,
                f"{name!r} is part of Python itself: only what is installed besides is listed",
            )
        elif (same := normal(installed_as(name))) in known:
            yield index, f"{same!r} is there twice"
        else:
            known.append(same)
