"""Loading assignments: what is read, and where each mistake is said to be."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest

from pytest_mpgrade import cli
from pytest_mpgrade.course import assignment
from pytest_mpgrade.errors import AssignmentError, UsageError
from pytest_mpgrade.records import Limits
from support.assignment_toml import GOOD, folder, write

__all__ = ["folder"]  # a fixture


def changed(old: str, new: str) -> str:
    """Return the good document with one change."""
    assert GOOD.count(old) == 1, f"{old!r} is not in the document once"
    return GOOD.replace(old, new)


def mistake(folder: Path, text: str) -> str:
    """Return what is said of a document, without the folder's name."""
    with pytest.raises(AssignmentError) as caught:
        assignment.load_assignment(write(folder, text))
    message = str(caught.value)
    assert "\n" not in message
    place, colon, what = message.partition("assignment.toml:")
    assert (place, colon) == ("hw3/", "assignment.toml:")
    return what


def test_everything_in_the_file_reaches_the_record(folder: Path) -> None:
    """Each key becomes a field; functions become names with their parameters, in order."""
    write(folder, changed('test = "test_hw3.py"', 'test = "test_hw3.py"\nordering = "submission"'))
    loaded = assignment.load_assignment(folder)
    assert (loaded.name, loaded.title, loaded.module) == ("hw3", "Home work", "cv_funcs.py")
    assert list(loaded.functions.items()) == [
        ("calculate", ("func", "args")),
        ("mp_apply", ("tasks", "n_processes=2")),
    ]
    assert (loaded.start_methods, loaded.ordering) == (("fork", "spawn"), "submission")
    assert (Path(loaded.folder), loaded.test_file) == (folder.resolve(), "test_hw3.py")
    assert [(c.name, c.points, c.title) for c in loaded.criteria] == [
        ("results", 3.0, "Right results"),
        ("shutdown", 2.0, ""),
    ]
    assert loaded.limits == dataclasses.replace(Limits(), seconds=12.0)
    assert loaded.points == 5


@pytest.mark.parametrize("limit", [field.name for field in dataclasses.fields(Limits)])
def test_every_limit_can_be_set(folder: Path, limit: str) -> None:
    """The keys of [limits] are the fields of the record, no more and no fewer."""
    write(folder, changed("seconds = 12", f"{limit} = 7"))
    assert getattr(assignment.load_assignment(folder).limits, limit) == 7


@pytest.mark.parametrize(
    "prefix", ["", "\ufeff", "# Größe\n\n"], ids=["plain", "byte order mark", "comment"]
)
@pytest.mark.parametrize("end", ["\n", "\r\n"], ids=["unix", "windows"])
def test_a_file_is_read_as_editors_save_it(folder: Path, prefix: str, end: str) -> None:
    """Byte order marks, Windows line ends and comments in any language do not matter, nor to the
    line numbers.
    """
    write(folder, (prefix + GOOD).replace("\n", end))
    assert assignment.load_assignment(folder).points == 5
    line = 4 + prefix.count("\n")
    assert mistake(
        folder, (prefix + changed("points = 5", "points = 6")).replace("\n", end)
    ).startswith(f"{line}: ")


def test_points_may_be_fractions(folder: Path) -> None:
    """Tenths that binary floats cannot add exactly still add up."""
    write(
        folder,
        GOOD.replace("points = 5", "points = 0.3")
        .replace("= 3\n", "= 0.1\n")
        .replace("= 2\n", "= 0.2\n"),
    )
    assert assignment.load_assignment(folder).points == pytest.approx(0.3)


@pytest.mark.parametrize("step", ["0.01", "0.1", "0.25", "0.5", "1", "5", "1e-3"])
def test_score_may_be_rounded(folder: Path, step: str) -> None:
    """Any step that the points are a multiple of will do; without one it is a hundredth."""
    write(folder, GOOD)
    assert assignment.load_assignment(folder).round == 0.01
    write(folder, changed("points = 5", f"points = 5\nround = {step}"))
    assert assignment.load_assignment(folder).round == float(step)


def test_criterion_may_require_others(folder: Path) -> None:
    """What a criterion requires reaches the record; another may stand before or after it in the
    rubric.
    """
    write(folder, changed("points = 3", 'points = 3\nrequires = ["shutdown"]'))
    assert [each.requires for each in assignment.load_assignment(folder).criteria] == [
        ("shutdown",),
        (),
    ]


def test_criteria_that_require_each_other(folder: Path) -> None:
    """A circle over any number of criteria is a mistake, told where it first shows."""
    more = "".join(
        f'\n[[criteria]]\nname = "{name}"\npoints = 0\nrequires = ["{other}"]\n'
        for name, other in (("a", "b"), ("b", "c"), ("c", "a"), ("d", "a"))
    )
    what = mistake(folder, GOOD + more)
    assert what == "24: criteria[2].requires[0]: in the end 'b' requires 'a' itself"


SYNTAX = [
    (changed("points = 5", "points 5"), "4: not valid TOML: "),
    (changed('"results"', '"results'), "13: not valid TOML: "),
    (GOOD + 'name = "twice"\n', "20: not valid TOML: "),
    (GOOD + 'text = """\nnever closed\n', "21: not valid TOML: "),
    (GOOD + "x = " + "[" * 100_000, "20: not valid TOML: "),
    ("", "1: the key 'name' is missing"),
]


@pytest.mark.parametrize(
    ("text", "what"), SYNTAX, ids=["equals", "quote", "twice", "unclosed", "nested", "empty"]
)
def test_syntax_errors_have_their_line(folder: Path, text: str, what: str) -> None:
    """What is not TOML is said with the line where the parser gave up."""
    assert mistake(folder, text).startswith(what)


def test_all_mistakes_are_told_at_once(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """An author need not come back for each."""
    (folder / "assignment.toml").write_text('title = "T"\npoints = 5\n')
    assert cli.main(["rubric", str(folder)]) == 2
    lines = capsys.readouterr().err.splitlines()
    missing = ["name", "module", "start_methods", "test", "criteria"]
    assert [line.partition(".toml:")[2] for line in lines] == [
        f"1: the key {key!r} is missing" for key in missing
    ]
    text = changed('test = "test_hw3.py"', 'test = "none.py"').replace("points = 5", "points = 9")
    (folder / "assignment.toml").write_text(text)
    assert cli.main(["rubric", str(folder)]) == 2
    first, second = capsys.readouterr().err.splitlines()
    assert "test: there is no Python file 'none.py'" in first
    assert "points" in second
    text = changed('test = "test_hw3.py"', 'test = "none.py"')
    for old, new in (
        ('"spawn"]', '"spwan", 3]'),
        ("seconds = 12", 'seconds = "12"\nsecond = 1'),
        ("points = 2", "points = -2"),
    ):
        text = text.replace(old, new)
    (folder / "assignment.toml").write_text(text)
    assert cli.main(["rubric", str(folder)]) == 2
    told = capsys.readouterr().err.splitlines()
    assert [line.partition(".toml:")[2].split(": ")[1] for line in told] == [
        "start_methods[1]",
        "start_methods[2]",
        "limits.seconds",
        "limits.second",
        "criteria[1].points",
        "test",
    ]


def test_another_encoding_has_its_line(folder: Path) -> None:
    """A file that is not UTF-8 is said to be so, with the first such line."""
    (folder / "assignment.toml").write_bytes(changed("Home work", "Übung").encode("latin-1"))
    with pytest.raises(AssignmentError, match=r"hw3/assignment\.toml:2: not saved as UTF-8"):
        assignment.load_assignment(folder)


SCHEMA = [
    ("points = 2\n", 'points = "2"\n', "19: criteria[1].points: expected a number, got text"),
    (
        "points = 2\n",
        "points = true\n",
        "19: criteria[1].points: expected a number, got true or false",
    ),
    ("points = 2\n", "points = -2\n", "19: criteria[1].points: expected a number >= 0.0"),
    ("points = 2\n", "points = nan\n", "19: criteria[1].points: expected a number >= 0.0"),
    ("points = 2\n", "points = inf\n", "19: criteria[1].points: expected a number <= 1000000.0"),
    ("points = 2\n", "", "17: criteria[1]: the key 'points' is missing"),
    (
        "points = 2\n",
        "pionts = 2\n",
        "19: criteria[1].pionts: there is no such key; did you mean 'points'?",
    ),
    (
        '"shutdown"',
        '"shut\\ndown"',
        "18: criteria[1].name: expected text of letters, digits, '_', '-' and '.'",
    ),
    ('"shutdown"', '"results"', "18: criteria[1].name: 'results' is there twice"),
    (
        "points = 2\n",
        'points = 2\nrequires = ["result"]\n',
        "20: criteria[1].requires[0]: there is no criterion 'result'; did you mean 'results'?",
    ),
    (
        "points = 2\n",
        'points = 2\nrequires = ["speed"]\n',
        "20: criteria[1].requires[0]: there is no criterion 'speed'",
    ),
    (
        "points = 2\n",
        'points = 2\nrequires = ["shutdown"]\n',
        "20: criteria[1].requires[0]: in the end 'shutdown' requires 'shutdown' itself",
    ),
    (
        "points = 2\n",
        'points = 2\nrequires = "results"\n',
        "20: criteria[1].requires: expected a list, got text",
    ),
    (
        "points = 2\n",
        "points = 2\nrequires = [1]\n",
        "20: criteria[1].requires[0]: expected text, got a whole number",
    ),
    ("points = 5", "points = 5\nround = 0", "5: round: expected a number > 0.0"),
    ("points = 5", "points = 5\nround = -0.5", "5: round: expected a number > 0.0"),
    ("points = 5", "points = 5\nround = nan", "5: round: expected a number > 0.0"),
    ("points = 5", 'points = 5\nround = "0.5"', "5: round: expected a number, got text"),
    (
        "points = 5",
        "points = 5\nround = 2",
        "5: round: 5 points are no multiple of 2: nobody could have them all",
    ),
    (
        "points = 5",
        "points = 5\nround = 0.3",
        "5: round: 5 points are no multiple of 0.3: nobody could have them all",
    ),
    (
        "points = 5",
        "points = 5\nrounds = 0.5",
        "5: rounds: there is no such key; did you mean 'round'?",
    ),
    ("points = 5", "points = 6", "4: points: the criteria add up to 5, not 6"),
    ("points = 5", "points = 0", "4: points: expected a number > 0.0"),
    ('module = "cv_funcs.py"\n', "", "1: the key 'module' is missing"),
    ('title = "Home work"', 'title = ""', "2: title: expected text of length >= 1"),
    (
        'title = "Home work"',
        'titel = "Home work"',
        "2: titel: there is no such key; did you mean 'title'?",
    ),
    ('title = "Home work"', '"a\\nb" = 1', "2: 'a\\nb': there is no such key"),
    (
        'name = "hw3"',
        'name = "../hw3"',
        "1: name: expected text of letters, digits, '_', '-' and '.'",
    ),
    ("seconds = 12", "seconds = 0", "10: limits.seconds: expected a number > 0.0"),
    ("seconds = 12", "seconds = inf", "10: limits.seconds: expected a number <= 1000000.0"),
    (
        "seconds = 12",
        "answer_bytes = 1.5",
        "10: limits.answer_bytes: expected a whole number, got a number",
    ),
    (
        "seconds = 12",
        "second = 12",
        "10: limits.second: there is no such key; did you mean 'seconds'?",
    ),
    ("[limits]\nseconds = 12", "limits = 12", "9: limits: expected a table, got a whole number"),
    ("module = ", "ordering = 1\nmodule = ", "3: ordering: expected text, got a whole number"),
    (
        "module = ",
        'ordering = "submision"\nmodule = ',
        "3: ordering: expected one of any, submission, got 'submision'; did you mean 'submission'?",
    ),
    (
        '"spawn"]',
        '"spwan"]',
        (
            "6: start_methods[1]: expected one of fork, spawn, forkserver, got 'spwan'; did you"
            " mean 'spawn'?"
        ),
    ),
    ('"spawn"]', '"fork"]', "6: start_methods[1]: 'fork' is there twice"),
    ('["fork", "spawn"]', "[]", "6: start_methods: expected a list of length >= 1"),
    ('["fork", "spawn"]', '"fork"', "6: start_methods: expected a list, got text"),
    (
        '"test_hw3.py"',
        '"test_hw4.py"',
        "7: test: there is no Python file 'test_hw4.py' beside assignment.toml",
    ),
    (
        '"test_hw3.py"',
        '"../hw3/test_hw3.py"',
        "7: test: there is no Python file '../hw3/test_hw3.py' beside",
    ),
    (
        '"cv_funcs.py"',
        '"cv_funcs"',
        "3: module: expected a file name that ends in .py or .ipynb, got 'cv_funcs'",
    ),
    (
        '"cv_funcs.py"',
        '"cv_funcs.ipynb"',
        "5: functions: cv_funcs.ipynb is a notebook, of which no functions can be asked for",
    ),
    ('"cv_funcs.py"', '"cv-funcs.py"', "3: module: 'cv-funcs.py' cannot be imported"),
    ('"cv_funcs.py"', '"../cv_funcs.py"', "3: module: '../cv_funcs.py' cannot be imported"),
    ('"cv_funcs.py"', '"class.py"', "3: module: 'class.py' cannot be imported"),
    (
        '"cv_funcs.py"',
        '"queue.py"',
        "3: module: 'queue.py' would hide the standard library's module 'queue'",
    ),
]


@pytest.mark.parametrize(("old", "new", "what"), SCHEMA)
def test_mistakes_have_their_place(folder: Path, old: str, new: str, what: str) -> None:
    """Each mistake is one line with file, line, key and what was expected."""
    assert mistake(folder, changed(old, new)).startswith(what)


@pytest.mark.parametrize(
    "signature",
    [
        "",
        "worker",
        "worker(input, output",
        "worker(input output)",
        "worker(input, input)",
        "worker(*tasks)",
        "worker(**options)",
        "class(a)",
        "lambda a: (a)",
        "f(a): g(); h()",
        "f(a): pass\ndef g(b)",
        "f(a): pass #",
        "f(a):\n if (b)",
        "f(a):\n pass\n if (b)",
        "(" * 10_000 + ")",
    ],
)
def test_bad_signatures_have_their_place(folder: Path, signature: str) -> None:
    """What is not one function's signature with named parameters is refused, not guessed at, nor
    run.
    """
    escaped = signature.replace("\n", "\\n")
    what = mistake(folder, changed('"calculate(func, args)"', f'"f(a)",\n  "{escaped}"'))
    assert what.startswith("6: functions[1]: expected ")


def test_a_function_that_is_asked_for_twice_is_a_mistake(folder: Path) -> None:
    """Two signatures for one name leave open which one holds."""
    what = mistake(folder, changed("async mp_apply(tasks, n_processes=2)", "calculate(other)"))
    assert what == "5: functions[1]: 'calculate' is there twice"


def test_lines_are_found_in_long_lists_and_texts(folder: Path) -> None:
    """An element of a list over several lines is told by its own line, what follows a long text by
    its own.
    """
    assert mistake(folder, changed('name = "hw3"', 'name = """\nHome\nwork\n"""')).startswith(
        "1: name: "
    )
    text = changed('title = "Home work"', 'title = """\npoints = "no"\n[[criteria]]\n"""')
    text = text.replace('["fork", "spawn"]', '[\n  "fork",  # ]\n  "spwan",\n]')
    assert mistake(folder, text).startswith("11: start_methods[1]: ")
    assert mistake(folder, text.replace("spwan", "spawn").replace("= 2\n", "= false\n")).startswith(
        "25: criteria[1]."
    )


def test_lines_are_found_in_inline_tables(folder: Path) -> None:
    """Criteria written as a list of inline tables are found as well."""
    head = GOOD.partition("[limits]")[0]
    text = (
        head
        + 'criteria = [\n  {name = "results", points = 3},\n  {name = "edge", points = "2"},\n]\n'
    )
    assert mistake(folder, text).startswith("11: criteria[1].points: expected a number, got text")


@pytest.mark.parametrize("name", ["missing", "hw3", "hw3/other.toml", "hw3/test_hw3.py"])
def test_no_assignment_at_a_path_is_wrong_usage(folder: Path, name: str) -> None:
    """A path that leads to no assignment.toml is said to, and is no mistake in a file."""
    with pytest.raises(UsageError, match="there is no assignment at") as caught:
        assignment.load_assignment(folder.parent / name)
    assert not isinstance(caught.value, AssignmentError)


@pytest.mark.parametrize("name", ["hw3", "./hw3", "hw3/", "hw3/assignment.toml", "../{parent}/hw3"])
def test_authors_name_their_own_by_path(folder: Path, name: str) -> None:
    """Any path of a folder with an assignment.toml, or of that file, will do."""
    write(folder, GOOD)
    assert assignment.find_assignment(name.format(parent=folder.parent.name)).name == "hw3"


def test_a_folder_named_like_a_shipped_assignment_does_not_stand_in_the_way(folder: Path) -> None:
    """A bare name means the shipped assignment, also where a student's folder has the same name."""
    (folder.parent / "mp_apply").mkdir()
    assert (
        assignment.find_assignment("mp_apply").title == "Apply tasks in parallel with a task queue"
    )


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("./hw33", "there is no assignment at hw33; did you mean 'hw3'?"),
        ("./wh3/assignment.toml", "there is no assignment at wh3; did you mean 'hw3'?"),
        ("hw33", "vectorize); did you mean 'hw3'?"),
    ],
)
def test_a_path_that_is_misspelt_is_answered_with_the_nearest(
    folder: Path, monkeypatch: pytest.MonkeyPatch, name: str, near: str
) -> None:
    """An author's own assignments beside the path are among those that may be meant."""
    write(folder, GOOD)
    monkeypatch.chdir(folder.parent)
    with pytest.raises(UsageError) as caught:
        assignment.find_assignment(name)
    assert str(caught.value).endswith(near)


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("mp_aply", "; did you mean 'mp_apply'?"),
        ("bgtask", "; did you mean 'bg_task'?"),
        ("", assignment.OWN),
    ],
)
def test_an_unknown_name_is_answered_with_the_nearest(folder: Path, name: str, near: str) -> None:
    """A name that nobody knows is answered with all names and, where one is near, that one."""
    with pytest.raises(UsageError) as caught:
        assignment.find_assignment(name)
    message = str(caught.value)
    assert message.startswith(f"there is no assignment {name!r} (there are: ")
    assert "bg_task, " in message
    assert "mp_apply" in message
    assert message.endswith(")" + near)


def test_shipped_assignments_load_and_have_reference_solutions() -> None:
    """Each one loads under its folder's name, and a source tree has its trusted solution."""
    found = {each.name: each for each in assignment.shipped()}
    assert list(found) == sorted(found)
    assert {"mp_apply": 20.0, "bg_task": 12.0}.items() <= {
        name: each.points for name, each in found.items()
    }.items()
    for name, each in found.items():
        assert Path(each.folder).name == name
        assert assignment.find_assignment(name) == each
        reference = assignment.reference_folder(each)
        assert reference is not None
        assert reference.name == name


@pytest.mark.parametrize(
    "place", ["hw3/reference", "reference/hw3", "reference", "../reference/hw3"]
)
def test_an_authors_reference_solution_is_found(folder: Path, place: str) -> None:
    """It may lie in the assignment's folder, beside it, or as in this project's own source tree."""
    loaded = assignment.load_assignment(write(folder, GOOD))
    assert assignment.reference_folder(loaded) is None
    reference = (folder.parent / place).resolve()
    (reference / "deeper").mkdir(parents=True)
    assert assignment.reference_folder(loaded) is None
    (reference / "cv_funcs.py").write_text("", "utf-8")
    assert assignment.reference_folder(loaded) == reference


RUBRIC = [
    ({"results": "t.py::a", "shutdown": "t.py::b"}, ""),
    ({"results": "t.py::a"}, "18: criteria[1].name: no test names the criterion 'shutdown'"),
    ({}, "13: criteria[0].name: no test names the criterion 'results'"),
    (
        {"results": "t.py::a", "shutdwon": "t.py::b"},
        "12: criteria: t.py::b names an unknown criterion 'shutdwon'; did you mean 'shutdown'?",
    ),
]


@pytest.mark.parametrize(
    ("used", "what"), RUBRIC, ids=["all used", "one unused", "none used", "misspelt"]
)
def test_rubric_and_tests_must_name_the_same_criteria(
    folder: Path, used: dict[str, str], what: str
) -> None:
    """A criterion without a test and a test without a criterion are mistakes with their line in the
    rubric.
    """
    loaded = assignment.load_assignment(write(folder, GOOD))
    if not what:
        assignment.check_criteria(loaded, used)
        return
    with pytest.raises(AssignmentError) as caught:
        assignment.check_criteria(loaded, used)
    assert str(caught.value) == f"hw3/assignment.toml:{what}"
