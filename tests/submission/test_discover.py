"""Finding the module in what was handed in, without running any of it."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from pytest_mpgrade.errors import UngradableError, UsageError
from pytest_mpgrade.records import Assignment, Submission
from pytest_mpgrade.submission.discover import MOST_SOURCE, discover
from pytest_mpgrade.submission.staging import importable, stage

ASSIGNMENT = Assignment(
    name="mp_apply",
    title="Apply tasks in parallel",
    folder="assignments/mp_apply",
    module="cv_funcs.py",
    functions={"worker": ("input", "output"), "mp_apply": ("tasks", "n_processes")},
    start_methods=("fork", "spawn"),
    criteria=(),
    test_file="test_mp_apply.py",
)
WORKER = "def worker(input, output): pass\n"
MP_APPLY = "def mp_apply(tasks, n_processes=2): pass\n"
GOOD = WORKER + MP_APPLY
JUPYTEXT = (
    "# ---\n# jupyter:\n#   jupytext:\n#     text_representation:\n#       extension: .py\n# ---\n"
)

posix = pytest.mark.skipif(sys.platform == "win32", reason="needs POSIX files")
linux = pytest.mark.skipif(sys.platform != "linux", reason="needs file names that are any bytes")


@pytest.fixture
def ada(tmp_path: Path) -> Path:
    """The folder of a submission."""
    folder = tmp_path / "ada"
    folder.mkdir()
    return folder


def put(folder: Path, name: str, content: str | bytes = GOOD) -> Path:
    """Write one file."""
    file = folder / name
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    return file


def found(path: Path) -> Submission:
    """Discover what was handed in, and hold the answer against the disk."""
    submission = discover(path, ASSIGNMENT)
    assert Path(submission.folder).is_absolute()
    assert Path(submission.folder, submission.module).is_file()
    assert submission.path == str(path)
    assert len(submission.sha256) == 64
    return submission


def refused(path: Path) -> str:
    """Return why what was handed in cannot be graded; always one line that any terminal can
    show.
    """
    with pytest.raises(UngradableError) as caught:
        discover(path, ASSIGNMENT)
    assert str(caught.value).isprintable()
    return str(caught.value)


def test_the_asked_name_is_taken(ada: Path) -> None:
    """A module with the asked name needs no note, whatever else there is."""
    put(ada, "cv_funcs.py")
    put(ada, "solution.py")
    put(ada, "notes.ipynb", "{}")
    submission = found(ada)
    assert (submission.id, submission.folder, submission.module) == ("ada", str(ada), "cv_funcs.py")
    assert submission.note == ""


@pytest.mark.parametrize("name", ["cv_funcs.py", "solution.py"])
def test_a_file_may_be_handed_in_by_itself(ada: Path, name: str) -> None:
    """PATH may be the file; its name without suffix is then the id, and what lies beside it does
    not count.
    """
    file = put(ada, name)
    before = found(file)
    put(ada, "cv_funcs.py" if name != "cv_funcs.py" else "other.py")
    assert found(file) == before
    assert (before.id, before.folder, before.module) == (Path(name).stem, str(ada), name)


@pytest.mark.parametrize("place", ["src", "ada-hw3/code"])
def test_the_asked_name_is_found_in_a_sub_folder(ada: Path, place: str) -> None:
    """An archive's top folder or `src/` is looked into, and goes on sys.path."""
    put(ada, f"{place}/cv_funcs.py")
    submission = found(ada)
    assert (submission.folder, submission.module) == (str(ada / place), "cv_funcs.py")
    assert submission.note == f"cv_funcs.py was found as {place}/cv_funcs.py."


def test_the_nearest_to_the_top_counts(ada: Path) -> None:
    """A copy kept in a deeper folder, such as the starter, does not make the module doubtful."""
    put(ada, "hw3/starter/cv_funcs.py")
    put(ada, "hw3/cv_funcs.py")
    assert found(ada).folder == str(ada / "hw3")


def test_equally_near_ones_are_doubtful(ada: Path) -> None:
    """Of two modules with the asked name in sub-folders none is guessed."""
    put(ada, "b/cv_funcs.py")
    put(ada, "a/cv_funcs.py")
    assert refused(ada) == "several files are named cv_funcs.py: a/cv_funcs.py, b/cv_funcs.py"


@pytest.mark.parametrize("folder", ["__pycache__", ".venv", ".git", "__MACOSX", "env"])
def test_folders_that_are_not_the_students_are_ignored(ada: Path, folder: str) -> None:
    """Caches, virtual environments of any name, hidden folders and macOS's are no part of a
    submission.
    """
    put(ada, "main.py")
    before = found(ada)
    put(ada, f"{folder}/cv_funcs.py")
    put(ada, f"{folder}/pyvenv.cfg", "")
    put(ada, "._cv_funcs.py", b"\0\5\26\7")
    assert found(ada) == before


@pytest.mark.parametrize(
    "name", ["solution.py", "cv_funcs (1).py", "cv-funcs.py", "src/CV_Funcs.PY", "größe.py"]
)
def test_a_renamed_module_is_found_by_its_functions(ada: Path, name: str) -> None:
    """The one file that defines all functions is graded, and the note says so."""
    put(ada, name)
    put(ada, "helper.py", WORKER)
    submission = found(ada)
    assert submission.module == name.rpartition("/")[2]
    assert (
        submission.note
        == f"{name} was graded in place of cv_funcs.py: no other file defines worker, mp_apply."
    )


WAYS = {
    "async": "async def mp_apply(tasks): pass",
    "class": "class mp_apply: pass",
    "if": (
        "import sys\nif sys.version_info > (3, 12):\n    pass\nelse:\n    def mp_apply(tasks): pass"
    ),
    "try": "try:\n    import x\nexcept ImportError:\n    def mp_apply(tasks): pass",
    "finally": "try:\n    pass\nfinally:\n    mp_apply = None",
    "with": "with open('x'):\n    def mp_apply(tasks): pass",
    "match": "match 1:\n    case 1:\n        def mp_apply(tasks): pass",
    "assignment": "mp_apply = print",
    "several targets": "a = (b, mp_apply) = 1, 2",
    "annotation": "mp_apply: object = print",
    "import": "from helper import mp_apply",
    "alias": "from helper import apply as mp_apply",
    "package": "import mp_apply.inner",
    "not the main gate": "if __name__ != '__main__':\n    def mp_apply(tasks): pass",
    "else of the main gate": "if '__main__' == __name__:\n    pass\nelse:\n    mp_apply = 1",
}


@pytest.mark.parametrize("way", WAYS)
def test_a_function_may_be_defined_in_many_ways(ada: Path, way: str) -> None:
    """What binds the name at top level when the module is imported counts."""
    put(ada, "solution.py", WORKER + WAYS[way])
    assert found(ada).module == "solution.py"


NO_WAYS = {
    "method": "class A:\n    def mp_apply(tasks): pass",
    "inner": "def outer():\n    def mp_apply(tasks): pass",
    "use": "mp_apply(1)",
    "declaration": "mp_apply: object",
    "comment": "# def mp_apply(tasks): pass",
    "text": "'''\ndef mp_apply(tasks): pass\n'''",
    "attribute": "import x\nx.mp_apply = 1",
    "main gate": "if __name__ == '__main__':\n    def mp_apply(tasks): pass",
}


@pytest.mark.parametrize("way", NO_WAYS)
def test_a_name_that_an_import_does_not_bind_does_not_count(ada: Path, way: str) -> None:
    """Methods, inner functions, uses, and what only a script run defines are not the module's
    functions.
    """
    put(ada, "solution.py", WORKER + NO_WAYS[way])
    assert refused(ada).endswith("; found: solution.py (lacks mp_apply)")


def test_a_script_that_imports_the_functions_is_not_the_module(ada: Path) -> None:
    """Of a module and the script beside it that imports all its functions, the module is graded."""
    put(ada, "main.py", "from solution import worker, mp_apply\n")
    put(ada, "solution.py")
    assert found(ada).module == "solution.py"


def test_several_renamed_modules_are_listed(ada: Path) -> None:
    """Of several files that define everything none is guessed."""
    put(ada, "b.py")
    put(ada, "a.py")
    assert (
        refused(ada)
        == "there is no cv_funcs.py, and several files define worker, mp_apply: a.py, b.py"
    )


def test_what_is_there_instead_is_listed(ada: Path) -> None:
    """Where no module is found, each file is listed with what it lacks."""
    put(ada, "a_py", "")
    put(ada, "half.py", MP_APPLY)
    put(ada, "none.py", "x = 1")
    put(ada, "broken.py", "x = 1\ndef mp_apply(:\n")
    message = refused(ada)
    assert message.startswith(
        "there is no cv_funcs.py, nor another .py file that defines worker, mp_apply; found: a_py"
    )
    assert "broken.py:2: SyntaxError: invalid syntax, in: def mp_apply(:, " in message
    assert "half.py (lacks worker), none.py (lacks worker, mp_apply)" in message


def test_a_long_list_is_cut(ada: Path) -> None:
    """A folder with very many files still gives a message that can be read."""
    for number in range(500):
        put(ada, f"{number:03}.txt", "")
    assert refused(ada).endswith("005.txt, 006.txt, 007.txt and 492 more")


def test_an_empty_folder_is_said_to_be_empty(ada: Path) -> None:
    """Nothing handed in is not worded as if something were there."""
    assert refused(ada).endswith("; the submission is empty")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("hw.ipynb", "{}"),
        ("hw.IPYNB", "not even JSON"),
        ("hw.md", "---\njupytext:\n  formats: md\n---\n```python\n" + WORKER),
        ("hw.py", JUPYTEXT + WORKER),
    ],
)
@pytest.mark.parametrize("as_file", [False, True], ids=["folder", "file"])
def test_a_notebook_is_said_to_be_one(ada: Path, name: str, content: str, as_file: bool) -> None:
    """A notebook where a module is asked for is named as the reason, whichever way it is handed
    in.
    """
    file = put(ada, name, content)
    message = refused(file if as_file else ada)
    assert message.startswith(
        f"a notebook was handed in where the module cv_funcs.py is asked for; found: {name}"
    )


@pytest.mark.parametrize("name", ["cv_funcs.py", "lesson.py"])
def test_a_notebook_that_is_a_whole_module_is_graded(ada: Path, name: str) -> None:
    """Jupytext's scripts are Python: one that defines all functions can be imported like any
    other.
    """
    put(ada, name, JUPYTEXT + GOOD)
    assert found(ada).module == name


@pytest.mark.parametrize(
    "content", [WORKER, "", "from helper import *\n"], ids=["one", "none", "star"]
)
def test_the_asked_module_may_lack_functions(ada: Path, content: str) -> None:
    """What the module with the asked name lacks is for the check of its import to say."""
    put(ada, "cv_funcs.py", content)
    assert (found(ada).module, found(ada).note) == ("cv_funcs.py", "")


@pytest.mark.parametrize(
    ("content", "taken"),
    [("x = 1", "solution.py"), (WORKER, "cv_funcs.py"), ("from solution import *", "cv_funcs.py")],
    ids=["none", "one", "star"],
)
def test_an_asked_module_without_any_function_gives_way(
    ada: Path, content: str, taken: str
) -> None:
    """Only where it defines none of them, and one other file all, is the other one graded."""
    put(ada, "cv_funcs.py", content)
    put(ada, "solution.py")
    assert found(ada).module == taken


def test_an_asked_module_gives_way_to_no_two(ada: Path) -> None:
    """Two other files would be a guess."""
    put(ada, "cv_funcs.py", "")
    put(ada, "a.py")
    put(ada, "b.py")
    assert found(ada).module == "cv_funcs.py"


READABLE = {
    "byte order mark": b"\xef\xbb\xbf" + GOOD.encode(),
    "latin-1": "# -*- coding: latin-1 -*-\n# Größe\n".encode("latin-1") + GOOD.encode(),
    "cp1252": (
        "#!/usr/bin/python\n# vim: set fileencoding=cp1252 :\nx = '\x80'\n".encode("latin-1")
        + GOOD.encode()
    ),
    "shebang": b"#!/usr/bin/env python3\n" + GOOD.encode(),
    "tabs": b"def worker(i, o):\n\tpass\ndef mp_apply(t):\n\tpass\n",
    "windows": GOOD.replace("\n", "\r\n").encode(),
    "old macintosh": GOOD.replace("\n", "\r").encode(),
    "form feed": b"\x0c\n" + GOOD.encode(),
    "no last line end": GOOD.encode().rstrip(),
    "escapes": b"x = '\\d'\nx is 1\n" + GOOD.encode(),
}


@pytest.mark.parametrize("name", ["cv_funcs.py", "solution.py"])
@pytest.mark.parametrize("kind", READABLE)
def test_sources_are_read_as_python_reads_them(ada: Path, kind: str, name: str) -> None:
    """Encodings, line ends and doubtful escapes that Python accepts are accepted, also under `-W
    error`.
    """
    put(ada, name, READABLE[kind])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert found(ada).module == name


UNREADABLE: dict[str, tuple[str | bytes, str]] = {
    "never closed": ("x = 1\ny = (1,\n\n", ":2: SyntaxError: '(' was never closed, in: y = (1,"),
    "python 2": (
        "x = 1\n\n  print 'x'\n",
        ":3: IndentationError: unexpected indent, in: print 'x'",
    ),
    "mixed": (
        "if 1:\n\tx = 1\n        y = 1\n",
        ":3: TabError: inconsistent use of tabs and spaces in indentation",
    ),
    "old macintosh": ("x = 1\ry = 2 3\r", ":2: SyntaxError: invalid syntax, in: y = 2 3"),
    "control": ("x = 1\ny = \x1b[x\n", ":2: SyntaxError: invalid "),
    "merge": ("x = 1\n<<<<<<< HEAD\n", ":2: SyntaxError: invalid syntax, in: <<<<<<< HEAD"),
    "NUL": (b"x = 1\n\0", ":2: a NUL byte, which Python does not read"),
    "utf-16": (GOOD.encode("utf-16"), ":1: "),
    "utf-32": (GOOD.encode("utf-32-le"), ":1: a NUL byte"),
    "latin-1": (b"x = 1\n\n\n# Gr\xf6\xdfe\n", ":4: 'utf-8' codec can't decode byte 0xf6"),
    "latin-1 at once": (b"# Gr\xf6\xdfe\n", ":1: "),
    "unknown": (b"# coding: klingon\n", ":1: unknown encoding: klingon"),
    "not of texts": (b"# coding: rot13\n", ":1: 'rot13' is not a text encoding"),
    "slow": (
        b"# coding: punycode\n" + b"x-" + b"9zabk" * 500_000,
        ":1: unknown encoding: punycode",
    ),
}


@pytest.mark.parametrize("kind", UNREADABLE)
def test_sources_that_python_cannot_read_have_their_line(ada: Path, kind: str) -> None:
    """Syntax errors are said as Python says them, with file, line and code; undecodable files
    likewise.
    """
    content, what = UNREADABLE[kind]
    put(ada, "src/cv_funcs.py", content)
    assert refused(ada).startswith("src/cv_funcs.py" + what)
    assert refused(ada / "src/cv_funcs.py").startswith("cv_funcs.py" + what)


DEEP = {
    "signs": "-" * 200_000 + "1",
    "words": "not " * 200_000 + "1",
    "parentheses": "(" * 50_000,
    "brackets": "if 1:\n " + "[" * 199,
    "branches": "if 1:\n pass\n" + "elif 1:\n pass\n" * 50_000,
}


@pytest.mark.parametrize("kind", DEEP)
def test_deep_nesting_is_refused(ada: Path, kind: str) -> None:
    """Nesting that overflows Python's own parser is the submission's fault, not ours."""
    put(ada, "cv_funcs.py", GOOD + DEEP[kind])
    assert refused(ada).startswith("cv_funcs.py")


CHAINS = {
    "sum": "1" + "+1" * 300_000,
    "attributes": "a" + ".a" * 300_000,
    "calls": "a" + "()" * 300_000,
}


@pytest.mark.parametrize("kind", CHAINS)
def test_long_chains_end_nothing_of_ours(ada: Path, kind: str) -> None:
    """They overflow the stack of some Python versions, which must not end the grader; other
    versions read them.
    """
    put(ada, "cv_funcs.py", GOOD + CHAINS[kind])
    code = (
        "import sys; from pathlib import Path; from test_discover import ASSIGNMENT,"
        " UngradableError, discover\n"
    )
    code += (
        "try: print(discover(Path(sys.argv[1]), ASSIGNMENT).module)\nexcept UngradableError as"
        " error: print(error)"
    )
    command = [sys.executable, "-c", code, str(ada)]
    output = subprocess.check_output(
        command, text=True, cwd=Path(__file__).parent, env=_with_package()
    )
    deep = "cv_funcs.py is nested too deeply for Python to read it"
    assert output.strip() == ("cv_funcs.py" if sys.version_info < (3, 11) else deep)


def _with_package() -> dict[str, str]:
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
        "PYTHONDONTWRITEBYTECODE": "1",
    }


def test_a_huge_source_is_refused(ada: Path) -> None:
    """A source beyond any module's size is refused before it is parsed."""
    put(ada, "cv_funcs.py", GOOD + "#" * MOST_SOURCE)
    assert refused(ada) == "cv_funcs.py is too large for a module: over 5 MB"


@posix
def test_special_files_are_never_opened(ada: Path) -> None:
    """A pipe would block whoever reads it, and a device would never end."""
    os.mkfifo(ada / "cv_funcs.py")
    assert refused(ada) == "cv_funcs.py is no file that can be read"
    assert refused(ada / "cv_funcs.py") == "cv_funcs.py is no file that can be read"
    (ada / "cv_funcs.py").rename(ada / "other.py")
    assert refused(ada).endswith("; found: other.py is no file that can be read")
    assert refused(Path(os.devnull)).endswith("null is no file that can be read")


@posix
def test_a_link_to_a_submission_is_followed(ada: Path) -> None:
    """Whoever grades may name a folder or a file by a link; its id is then the link's name."""
    put(ada, "cv_funcs.py")
    (ada.parent / "link").symlink_to(ada)
    (ada.parent / "link.py").symlink_to(ada / "cv_funcs.py")
    assert (found(ada.parent / "link").id, found(ada.parent / "link").folder) == ("link", str(ada))
    assert found(ada.parent / "link.py").module == "link.py"


@posix
def test_links_that_lead_out_are_not_followed(ada: Path) -> None:
    """A link to the reference solution, or to a folder elsewhere, hands in nothing."""
    put(ada.parent, "reference/cv_funcs.py")
    (ada / "src").symlink_to(ada.parent / "reference")
    assert refused(ada).endswith("; found: src is a link that leads out of the submission")
    (ada / "src").unlink()
    (ada / "cv_funcs.py").symlink_to("../reference/cv_funcs.py")
    assert refused(ada) == "cv_funcs.py is a link that leads out of the submission"
    (ada / "cv_funcs.py").rename(ada / "solution.py")
    assert refused(ada).endswith("; found: solution.py is a link that leads out of the submission")


@posix
def test_links_within_a_submission_are_followed(ada: Path) -> None:
    """A link to another file of the same submission is that file; one to nothing is none."""
    put(ada, "src/real.py")
    (ada / "cv_funcs.py").symlink_to("src/real.py")
    assert found(ada).module == "cv_funcs.py"
    (ada / "src/real.py").unlink()
    assert refused(ada) == "cv_funcs.py is no file that can be read"


@contextmanager
def _as_nobody() -> Iterator[None]:
    """Root may read everything: be somebody else for a while."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@posix
@pytest.mark.parametrize(
    ("locked", "what"),
    [
        ("cv_funcs.py", "cv_funcs.py cannot be read: Permission denied"),
        ("src", "the folder ada/src cannot be read: Permission denied"),
        (".", "the folder ada cannot be read: Permission denied"),
    ],
)
def test_what_may_not_be_read_is_said(locked: str, what: str) -> None:
    """A file or folder without permission makes a submission ungradable, with its name."""
    with tempfile.TemporaryDirectory() as scratch:
        Path(scratch).chmod(0o755)
        ada = Path(scratch).resolve() / "ada"
        put(ada, "cv_funcs.py")
        put(ada, "src/other.py")
        mode = (ada / locked).stat().st_mode
        (ada / locked).chmod(0)
        try:
            with _as_nobody():
                assert refused(ada) == what
        finally:
            (ada / locked).chmod(mode)


@pytest.mark.parametrize("name", ["missing", "ada/missing.py", "ada/\0", "x" * 5000])
def test_a_missing_path_is_wrong_usage(ada: Path, name: str) -> None:
    """Nothing at a path is the caller's mistake, not a student's."""
    with pytest.raises(UsageError, match="there is no submission at"):
        discover(ada.parent / name, ASSIGNMENT)


@pytest.mark.parametrize("name", ["Ada Lovelace", "Ådá", "李", "a.b", "-x", "'\"$(id)", "{0}%s"])
def test_folders_may_have_any_name(tmp_path: Path, name: str) -> None:
    """Names with spaces, other scripts and shell characters are names like any other."""
    put(tmp_path / name, "cv_funcs.py")
    assert found(tmp_path / name).id == name


@linux
@pytest.mark.parametrize(
    ("name", "id"), [("a\nb", "a\\nb"), ("a\x1b[31m", "a\\x1b[31m"), ("a\udcff", "a\\udcff")]
)
def test_names_that_cannot_be_printed_are_escaped(tmp_path: Path, name: str, id: str) -> None:
    """An id and a message never hold newlines, terminal codes or undecodable bytes."""
    put(tmp_path / name, name + ".py")
    submission = found(tmp_path / name)
    assert (submission.id, submission.module) == (id, name + ".py")
    assert submission.note.startswith(f"{id}.py was graded")
    put(tmp_path / name, name + ".txt")
    put(tmp_path / name, name + ".py", "")
    assert f"{id}.txt" in refused(tmp_path / name)


def test_the_id_is_the_resolved_folders_name(ada: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`.` is nobody's name; a given id is taken as it is."""
    put(ada, "cv_funcs.py")
    put(ada, "src/x.txt")
    monkeypatch.chdir(ada)
    assert [found(Path(path)).id for path in (".", "src/..", "../ada", "cv_funcs.py")] == [
        "ada",
        "ada",
        "ada",
        "cv_funcs",
    ]
    assert discover(Path("."), ASSIGNMENT, "s123").id == "s123"


def test_very_many_or_deep_files_are_refused(ada: Path) -> None:
    """Folders in folders without end are refused before they cost anything."""
    deep = ada
    for _ in range(150):
        deep = deep / "d"
        deep.mkdir()
    assert refused(ada) == "the submission has more than 20000 files or 100 folders in each other"


CHANGES: dict[str, Callable[[Path], object]] = {
    "content": lambda ada: put(ada, "data.csv", "1,3"),
    "new file": lambda ada: put(ada, "data2.csv", ""),
    "other name": lambda ada: (ada / "data.csv").rename(ada / "data3.csv"),
    "other place": lambda ada: (ada / "src/x.txt").rename(ada / "x.txt"),
    "moved end": lambda ada: (put(ada, "data.csv", "1,"), put(ada, "src/x.txt", "2")),
}


@pytest.mark.parametrize("change", CHANGES)
def test_the_hash_tells_submissions_apart(ada: Path, change: str) -> None:
    """Equal names and contents give equal hashes, whoever handed them in; any change gives
    another.
    """
    for folder in (ada, ada.parent / "bob"):
        put(folder, "cv_funcs.py")
        put(folder, "data.csv", "1,2")
        put(folder, "src/x.txt", "")
    before = found(ada).sha256
    assert before == found(ada).sha256 == found(ada.parent / "bob").sha256
    CHANGES[change](ada)
    assert found(ada).sha256 != before


@posix
def test_huge_and_special_files_count_by_name_and_size(ada: Path) -> None:
    """What cannot be read in no time is not read for the hash; it still counts."""
    put(ada, "cv_funcs.py")
    empty = found(ada).sha256
    with open(ada / "data.bin", "wb") as handle:
        handle.truncate(60_000_000_000)
    huge = found(ada).sha256
    with open(ada / "data.bin", "r+b") as handle:
        handle.write(b"x")
    assert found(ada).sha256 == huge != empty
    os.truncate(ada / "data.bin", 60_000_000_001)
    assert found(ada).sha256 != huge
    (ada / "data.bin").unlink()
    os.mkfifo(ada / "pipe")
    assert found(ada).sha256 != empty


def test_imports_are_read_wherever_they_are(ada: Path) -> None:
    """Top-level packages, each once and sorted, also from functions and branches; relative imports
    are none.
    """
    source = (
        "import os.path, numpy as np\nfrom multiprocessing import Queue\nfrom . import helper\nfrom"
        " .other import x\n"
    )
    source += (
        "def worker(a, b):\n    import sklearn.svm\n    try:\n        import numpy\n    except"
        " ImportError: pass\n"
    )
    put(ada, "cv_funcs.py", source)
    assert found(ada).imports == ("multiprocessing", "numpy", "os", "sklearn")


@pytest.mark.parametrize("name", ["cv_funcs.py", "solution.py"])
def test_nothing_is_run(ada: Path, name: str) -> None:
    """Neither the module nor anything beside it is imported, and nothing is written."""
    trap = f"open({str(ada / 'ran')!r}, 'w')\nraise SystemExit\n"
    for each in (name, "conftest.py", "sitecustomize.py", "ast.py", "__init__.py"):
        put(ada, each, (GOOD if each == name else "") + trap)
    before = sorted(ada.rglob("*"))
    assert found(ada).module == name
    assert sorted(ada.rglob("*")) == before


IMPORTABLE = {
    "cv_funcs.py": True,
    "größe.py": True,
    "cv-funcs.py": False,
    "cv_funcs (1).py": False,
    "cv_funcs.v2.py": False,
    "cv_funcs.PY": False,
    "1st.py": False,
    "class.py": False,
    "queue.py": False,
    "__main__.py": False,
    "__init__.py": False,
}


@pytest.mark.parametrize("name", IMPORTABLE)
def test_a_module_is_staged_where_its_name_cannot_be_imported(
    ada: Path, tmp_path: Path, name: str
) -> None:
    """Such a module gets its asked name, or one made from its own, under which a new interpreter
    imports it.
    """
    put(ada, name, GOOD + "import helper\nprint(helper.x)")
    put(ada, "helper.py", "x = 'helped'")
    submission = found(ada)
    assert importable(submission) is IMPORTABLE[name]
    for number, asked in enumerate(["cv_funcs.py", ""]):
        staged = stage(submission, tmp_path / f"scratch{number}", asked)
        assert importable(staged)
        assert staged.module == (asked or staged.module)
        assert (staged.id, staged.sha256, staged.note) == (
            submission.id,
            submission.sha256,
            submission.note,
        )
        code = f"import sys; sys.path.insert(0, sys.argv[1]); import {staged.module[:-3]}"
        command = [sys.executable, "-I", "-X", "utf8", "-c", code, staged.folder]
        assert subprocess.check_output(command, text=True).strip() == "helped"


@posix
def test_staging_takes_what_the_module_needs_and_no_more(ada: Path, tmp_path: Path) -> None:
    """Helpers, packages and data are copied; what configures Python or pytest, and links out, are
    not.
    """
    put(ada, "cv_funcs.py", "old = 1")
    put(tmp_path, "secret.py", "x = 1")
    (ada / "secret.py").symlink_to(tmp_path / "secret.py")
    os.mkfifo(ada / "pipe")
    kept = [
        "helper.py",
        "package/__init__.py",
        "package/inner.py",
        "data/x.csv",
        "notes with space.txt",
    ]
    for name in kept:
        put(ada, name, "")
    for name in (
        "conftest.py",
        "package/conftest.py",
        "sitecustomize.py",
        "usercustomize.py",
        "pytest.ini",
        "x.pth",
    ):
        put(ada, name, "")
    for name in ("tox.ini", "setup.cfg", "pyproject.toml", ".env", "__pycache__/x.pyc"):
        put(ada, name, "")
    put(ada, "cv_funcs (2).py", GOOD)
    staged = stage(found(ada), tmp_path / "scratch", "cv_funcs.py")
    scratch = Path(staged.folder)
    files = sorted(
        path.relative_to(scratch).as_posix() for path in scratch.rglob("*") if not path.is_dir()
    )
    assert files == sorted([*kept, "cv_funcs.py"])
    assert (scratch / "cv_funcs.py").read_text("utf-8") == GOOD


def test_staging_a_single_file_leaves_its_neighbours_alone(tmp_path: Path) -> None:
    """Files beside one that was handed in by itself are other students'."""
    put(tmp_path, "bob.py")
    staged = stage(found(put(tmp_path, "ada-1.py")), tmp_path / "scratch", "cv_funcs.py")
    assert [path.name for path in Path(staged.folder).iterdir()] == ["cv_funcs.py"]


@posix
def test_staging_has_a_size_cap(ada: Path, tmp_path: Path) -> None:
    """A submission with a huge file is not copied."""
    put(ada, "cv-funcs.py")
    with open(ada / "data.bin", "wb") as handle:
        handle.truncate(60_000_000_000)
    with pytest.raises(UngradableError, match="more than 200 MB"):
        stage(found(ada), tmp_path / "scratch", "cv_funcs.py")
    assert not (tmp_path / "scratch").exists()
