"""Wrong solutions: a right design and the lines by which it goes wrong, or a file; `mpgrade wrong`
shows them.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from pytest_mpgrade.cli import verify, wrong_solution_text
from pytest_mpgrade.cli.verify_cases import Case, cases, wrong_cases, wrong_solution
from pytest_mpgrade.course import assignment as assignments
from pytest_mpgrade.errors import AssignmentError, UsageError
from support.known_verdicts import EXPECTED, course
from support.running import ROOT, run_command

__all__ = ["course"]

tomllib = import_module("tomllib" if sys.version_info >= (3, 11) else "tomli")
SHIPPED = [
    pytest.param(each.name, case, id=f"{each.name}-{case.name}")
    for each in assignments.shipped()
    for case in wrong_cases(each)
]
FOUR_TIMES = """
[four_times]
concerns = ["results"]
about = 'Four times, as in "doubled twice".'
of = "sum"
diff = '''
@@ twice()
-    return x + x
+    doubled = x + x
+    return doubled + doubled
'''
"""
SUM = '"""Adds."""\n\n\ndef twice(x):\n    """Return twice x."""\n    return x + x\n'


@cache
def expected(name: str) -> dict[str, Any]:
    """Return the tables of an assignment's wrong solutions."""
    found: dict[str, Any] = tomllib.loads(
        (ROOT / "assignments" / name / "wrong" / "expected.toml").read_text("utf-8")
    )
    return found


@cache
def right(name: str) -> frozenset[str]:
    """Return an assignment's right designs, without their docstrings."""
    files = [
        *(ROOT / "reference" / name).glob("*.py"),
        *(ROOT / "tests" / "designs" / name).glob("*.py"),
    ]
    return frozenset(plain(path.read_text("utf-8-sig")) for path in files)


def plain(text: str) -> str:
    """Return a program without the module's docstring; all of it where it is no Python."""
    try:
        tree, lines = ast.parse(text), text.splitlines()
    except SyntaxError:
        return text
    return "\n".join(lines if ast.get_docstring(tree) is None else lines[tree.body[0].end_lineno :])


def dumped(text: str) -> str:
    """Return the syntax tree of a program as text; "" where it has none."""
    try:
        return ast.dump(ast.parse(text))
    except SyntaxError:
        return ""


def undone(text: str) -> str:
    """Return a wrong solution with its marks obeyed: what they call wrong is taken out, what they
    hold is put back.
    """
    lines, found = text.splitlines(), []
    while lines:
        line = lines.pop(0)
        mark = re.fullmatch(
            r"(\s*)# wrong: (?:the next (?:line|(\d+) lines)(, instead of:)?|missing here:)", line
        )
        if mark is None:
            found.append(line)
            continue
        missing = line.endswith("missing here:")
        while (missing or mark[3]) and lines and re.match(mark[1] + r"#( {5}|$)", lines[0]):
            found.append(mark[1] + lines.pop(0)[len(mark[1]) + 6 :])
        del lines[: 0 if missing else int(mark[2] or 1)]
    return "\n".join(found) + "\n"


@pytest.mark.parametrize(("name", "case"), SHIPPED)
def test_fault_can_be_seen(name: str, case: Case) -> None:
    """Each wrong solution begins with what is wrong with it, and is right when its marks are
    obeyed, or is its own.
    """
    row, text = expected(name)[case.name], case.content().decode()
    if case.text is not None:
        sentence = f"# {case.about}\n" if name == "notebook" else f'"""{case.about}"""\n'
        head, _, below = text.partition(sentence)
        assert not re.sub("^#.*\n|^\n", "", head, flags=re.MULTILINE), (
            "nothing but a notebook's head is above it"
        )
        assert plain(undone(head + below)) in right(name)
        assert "own" not in row
    else:
        assert re.fullmatch(r"[A-Z][^.]*\.", row["own"]), (
            "one sentence says why it is a design of its own"
        )
        assert not text or text.startswith(f'"""{case.about}"""\n')
        assert not text or re.search(r"^ *# wrong: .", text, re.MULTILINE)


@pytest.mark.parametrize(("name", "case"), SHIPPED)
def test_fault_is_one(name: str, case: Case) -> None:
    """With its fault, a wrong solution is another program than every right design, save for a
    cell's tag.
    """
    text = plain(case.content().decode())
    assert (dumped(text) in map(dumped, right(name))) is (case.name == "no_tag")


def test_list_has_a_sentence_for_each(tmp_path: Path) -> None:
    """Without a name, all wrong solutions are listed in 80 columns, with the concerns and the
    sentence of each.
    """
    done = mpgrade(tmp_path, "mp_apply")
    assert (done.returncode, done.stderr) == (0, "")
    assert max(map(len, done.stdout.splitlines())) <= 80
    told = " ".join(done.stdout.split())
    for case in wrong_cases(assignments.find_assignment("mp_apply")):
        assert f"{case.name} {', '.join(case.concerns)} {case.about}" in told


@pytest.mark.parametrize("name", ["never_joins", "one_worker_too_many"])
def test_one_is_printed_as_it_is_graded(tmp_path: Path, name: str) -> None:
    """With a name, that file is printed which `mpgrade verify` hands in, be it a file or made from
    a design.
    """
    assignment = assignments.find_assignment("mp_apply")
    folder = verify._handed_in(wrong_solution(assignment, name), assignment, tmp_path)
    done = mpgrade(tmp_path, "mp_apply", name)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == (folder / "cv_funcs.py").read_text("utf-8")


def test_unknown_name_is_told_with_the_one_that_is_meant(tmp_path: Path) -> None:
    """A name that is none is wrong usage, on one line, with the name that is like it."""
    done = mpgrade(tmp_path, "mp_apply", "never_join")
    assert (done.returncode, done.stdout) == (2, "")
    assert (
        done.stderr
        == "mpgrade: mp_apply has no wrong solution 'never_join'; did you mean 'never_joins'?\n"
    )


def mpgrade(place: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """Run `mpgrade wrong` as a user does."""
    return run_command([sys.executable, "-m", "pytest_mpgrade", "wrong", *words], place)


def four_times(course: Path, expected: str = FOUR_TIMES) -> Path:
    """Put a wrong solution into a course that is made from a right design, and return the
    course.
    """
    (course / "designs").mkdir()
    (course / "designs" / "sum.py").write_text(SUM, "utf-8")
    (course / "wrong" / "expected.toml").write_text(EXPECTED + expected, "utf-8")
    return course


def test_solution_that_is_made_from_a_design_is_graded(course: Path) -> None:
    """The design is right, what is made from it fails what its table says, and is found by its own
    name only.
    """
    four_times(course)
    command = [
        sys.executable,
        "-m",
        "pytest_mpgrade",
        "verify",
        str(course),
        "--right",
        str(course / "designs"),
    ]
    done = run_command([*command, "--only", "sum", "four_times"], course, seconds=300)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 gradings, 0 wrong verdicts" in done.stdout


def test_solution_that_is_made_from_a_design(course: Path) -> None:
    """The sentence takes the place of the design's docstring, and the right line stands above the
    wrong ones.
    """
    (case,) = (
        case
        for case in cases(assignments.find_assignment(str(four_times(course))))
        if case.name == "four_times"
    )
    assert (
        case.content().decode()
        == '"""Four times, as in \\"doubled twice\\"."""\n\n\ndef twice(x):\n    """Return twice'
        ' x."""\n    # wrong: the next 2 lines, instead of:\n    #     return x + x\n    doubled'
        " = x + x\n    return doubled + doubled\n"
    )


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('"sum"', '"sun"', r"four_times\.of: there is no right design 'sun'; did you mean 'sum'\?"),
        (
            'of = "sum"',
            "",
            r"four_times\.of: there is no right design ''.* \(there are: reference, sum\)",
        ),
        ("diff = ", "dif = ", "the tables and the files beside it differ: four_times"),
        ("of = ", "off = ", r"four_times\.off: is not known; did you mean 'of'\?"),
        ('of = "sum"', "of = 3", r"four_times\.of: must be text"),
        (
            "-    return x + x",
            "-    return 2 * x",
            r"four_times\.diff: the lines of hunk 1 stand in the design 0 times",
        ),
        (
            '["results"]',
            '["result"]',
            r"four_times\.concerns: must be a list of some of .*; did you mean 'results'\?",
        ),
    ],
)
def test_mistake_in_a_table(course: Path, old: str, new: str, said: str) -> None:
    """What does not fit is told with its place."""
    assert FOUR_TIMES.count(old) == 1
    with pytest.raises(AssignmentError, match=r"expected\.toml(:\d+)?: " + said):
        wrong_cases(
            assignments.find_assignment(str(four_times(course, FOUR_TIMES.replace(old, new))))
        )


def test_design_that_is_no_python(course: Path) -> None:
    """A syntax error in a right design is told with its own file and line, not the table's."""
    folder = four_times(course)
    (folder / "designs" / "sum.py").write_text("x = 1\ndef f(:\n", "utf-8")
    with pytest.raises(AssignmentError, match=r"designs/sum\.py:2: SyntaxError: "):
        wrong_cases(assignments.find_assignment(str(folder)))


def test_no_such_solution(course: Path) -> None:
    """Nothing is proposed where no name is like it."""
    with pytest.raises(UsageError, match=r"twice has no wrong solution 'qq'$"):
        wrong_solution(assignments.find_assignment(str(course)), "qq")


DESIGN = (
    "import os\n\n\ndef f(x):\n    if x:\n        os.close(x)\n    return x\n\n\ndef g(x):\n   "
    " return x\n"
)


@pytest.mark.parametrize(
    ("diff", "changed"),
    [
        (
            "@@\n def f(x):\n-    if x:\n-        os.close(x)\n",
            (
                "def f(x):\n    # wrong: missing here:\n    #     if x:\n    #        "
                " os.close(x)\n    return x\n"
            ),
        ),
        (
            "         os.close(x)\n+        os.sync()\n",
            "        # wrong: the next line\n        os.sync()\n    return x\n",
        ),
        (
            "--- a.py\n+++ b.py\n@@ -9,3 +9,3 @@\n\n-def g(x):\n+def g(x, y):\n     return x\n",
            "# wrong: the next line, instead of:\n#     def g(x):\ndef g(x, y):\n    return x\n",
        ),
        (
            "-import os\n+import sys\n\n\n-def f(x):\n+def f():\n",
            (
                "# wrong: the next line, instead of:\n#     import os\nimport sys\n\n\n"
                "# wrong: the next line, instead of:\n#     def f(x):\ndef f():\n"
            ),
        ),
    ],
    ids=["removed", "added", "line numbers", "two places in a hunk"],
)
def test_marks(diff: str, changed: str) -> None:
    """Each run of changed lines has a mark, by which it can be undone."""
    text = wrong_solution_text.with_fault(DESIGN, "It is wrong.", diff)
    assert text.startswith("# It is wrong.\n")
    assert changed in text
    assert undone(text) == f"# It is wrong.\n{DESIGN}"


@pytest.mark.parametrize("cell", ["# %%\n", "# ---\n# jupyter:\n# ---\n\n# %% tags=[]\n", ""])
def test_sentence_without_a_docstring(cell: str) -> None:
    """In a notebook the sentence stands in the first cell, also where a hunk begins there; else on
    the first line.
    """
    above = [f" {line}\n" for line in cell.splitlines()[-1:]]
    diff = "".join([*above, "-import os\n"])
    text = wrong_solution_text.with_fault(f"{cell}import os\n", "It is wrong.", diff)
    assert text == f"{cell}# It is wrong.\n# wrong: missing here:\n#     import os\n"


@pytest.mark.parametrize(
    ("diff", "said"),
    [
        ("", "changes nothing"),
        ("@@ f()\n", "changes nothing"),
        ("     if x:\n", "hunk 1 changes nothing"),
        ("+    x = 2\n", "hunk 1 needs a line of the design"),
        (
            "-    return x\n",
            "the lines of hunk 1 stand in the design 2 times, not once: '    return x'",
        ),
        ("@@\n-import os\n@@\n-import re\n", "the lines of hunk 2 stand in the design 0 times"),
        ("@@\n-import os\n@@\n-import os\n+import re\n", "two hunks change the same line"),
        ("return 5\n", "a line begins with neither ' ', '-', '+' nor '@@': 'return 5'"),
    ],
)
def test_diff_that_does_not_fit(diff: str, said: str) -> None:
    """A diff that changes nothing, or whose place is not clear, is a mistake."""
    with pytest.raises(ValueError, match=re.escape(said)):
        wrong_solution_text.with_fault(DESIGN, "It is wrong.", diff)


def test_example_of_the_docs_is_the_one_that_is_shipped() -> None:
    """What a page shows of expected.toml says what the file says."""
    (shown,) = re.findall(
        r"```toml\n(\[one_worker_too_many\].*?)```",
        (ROOT / "docs" / "how-to" / "wrong-solutions.md").read_text("utf-8"),
        re.DOTALL,
    )
    assert tomllib.loads(shown) == {
        "one_worker_too_many": expected("mp_apply")["one_worker_too_many"]
    }
