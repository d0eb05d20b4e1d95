"""Examples for the checks of random numbers, of floats and of cross-validations. Pure.

Arrays are written as the child sends them: the base64 of 64-bit floats.
"""

from __future__ import annotations

from pytest_mpgrade.inside import plain_data
from pytest_mpgrade.judge import checks
from pytest_mpgrade.judge.check import Check
from pytest_mpgrade.judge.examples.runs import changed, made, worker_processes
from pytest_mpgrade.records import Run

_SIX = "AIBecGyBQUIAgBE3P39RQgAAoCCYaBVCAECZsRdzUUIAgCM0rWBEQgAAlB1Iu0JC"
_THREE_ALIKE = "AIBecGyBQUIAgF5wbIFBQgCAXnBsgUFC"
_PAIRS = "AAAAAAAA8D8AAAAAAAAAQAAAAAAAAPA/"


def _boot(content: str, count: int, call: str = "bootstrap_means(x, n_boot=6, seed=0)") -> Run:
    return made(call, tasked=False, encoded=["ndarray", "<f8", [count], content])


def _pi(count: int, seed: int = 0) -> Run:
    value = 4 * count / 600_000
    call = f"estimate_pi(600000, seed={seed})"
    return made(call, tasked=False, encoded=["float", value.hex()])


def _state(second: str) -> Run:
    digests = [["str", "4f0c"], ["str", second]]
    return made("our look: random_state()", tasked=False, encoded=["tuple", digests])


_BOOT = _boot(_SIX, 6)
_ALIKE = _boot(_THREE_ALIKE * 2, 6)
_NEXT = _boot(_THREE_ALIKE, 3, "bootstrap_means(x, n_boot=3, seed=1)")
_EVEN = tuple(_pi(471_240 + (7918 * seed) % 602 - 300, seed) for seed in range(44))
_STARTED = changed(_BOOT, processes=worker_processes(2))

_SCORES: list[dict[str, list[float]]] = [
    {"ce_val": [0.61, 0.55], "ac_val": [0.75, 1.0]},
    {"ce_val": [0.66, 0.5], "ac_val": [0.5, 0.75]},
]


def _validated(*labelled: tuple[object, int]) -> Run:
    """Return a call of cross_validate that returned these labels, with metrics of these folds."""
    value = [(label, _SCORES[fold]) for label, fold in labelled]
    return made("cross_validate(estimator, x, y, 2 folds)", encoded=plain_data.encode(value))


def _look(*, fitted: bool) -> Run:
    return made("our look: is_fitted()", encoded=["bool", fitted])


_FOLDS = _validated(("a", 0), ("b", 1))
_SWAPPED = _validated(("b", 1), ("a", 0))
_OBJECTS = _validated((object(), 0), (object(), 1))
_SCORE = made("gb_score(res, x_v, y_v)", encoded=plain_data.encode(_SCORES[0]))
_OTHER = changed(_SCORE, encoded=plain_data.encode(_SCORES[1]))


def _executed(small: int, large: int) -> Run:
    counts = ["list", [["int", str(small)], ["int", str(large)]]]
    return made("our look: lines_executed()", encoded=counts)


def _described(n_jobs: int = 2, seed: int = 3, share: float = 0.9, found: float = 1.0) -> Run:
    told = {
        "classes": [f"sklearn.ensemble._forest.{_FOREST[0]}", "builtins.object"],
        "n_jobs": n_jobs,
        "random_state": seed,
        "fitted": True,
        "found": found,
        "odds": [[1 - share, share]],
    }
    return made("our look: described()", encoded=plain_data.encode(told))


_FOREST = ("RandomForestClassifier", "fit_forest(x, y, n_jobs=2, seed=3)")

NUMERIC: tuple[tuple[Check, Run, Run], ...] = (
    (checks.returns_close(_SCORES[0], 1e-12), _SCORE, _OTHER),
    (checks.fold_metrics(_SCORES), _SWAPPED, _validated((0, 0), (0, 1))),
    (checks.fold_metrics(_SCORES), _FOLDS, _validated(("a", 0), ("b", 0))),
    (checks.fold_metrics(_SCORES), _OBJECTS, _validated((object(), 0), (object(), 0))),
    (checks.in_fold_order(_SCORES), _FOLDS, _SWAPPED),
    (
        checks.no_python_loop("pairwise_sq_dists()", 30, 240),
        _executed(11, 11),
        _executed(2794, 173_054),
    ),
    (
        checks.not_drawn_from((), [{"RandomState(1)": [4 * 471_239 / 600_000]}]),
        _pi(471_240),
        _pi(471_239),
    ),
    (checks.fitted(*_FOREST), _described(), _described(found=0.5)),
    (checks.left_as_returned(*_FOREST, _described()), _described(), _described(seed=8, share=0.8)),
    (checks.given_n_jobs(*_FOREST, 2), _described(), _described(n_jobs=1)),
    (checks.given_seed(*_FOREST, 3), _described(), _described(seed=0)),
    (checks.same_predictions(*_FOREST, _described()), _described(), _described(share=0.8)),
    (checks.left_unfitted(_FOLDS), _look(fitted=False), _look(fitted=True)),
)

RANDOM: tuple[tuple[Check, Run, Run], ...] = (
    (checks.means_of_samples(12, 6), _BOOT, changed(_BOOT, encoded=["list", []])),
    (checks.streams_apart(12, _NEXT), _BOOT, _ALIKE),
    (checks.no_overlap(), _boot(_PAIRS, 3), _boot(_PAIRS * 20, 60)),
    (checks.same_streams(_BOOT), _BOOT, _ALIKE),
    (checks.seeds_matter(_pi(471_240, 1)), _pi(471_001), _pi(471_240)),
    (checks.estimates_pi(600_000), _pi(471_001), _pi(117_750)),
    (checks.points_apart(600_000, *_EVEN[1:]), _pi(471_001), _EVEN[0]),
    (checks.leaves_global_state(_state("9a31"), _BOOT), _state("9a31"), _state("77e2")),
    (
        checks.follows_n_processes(2),
        _STARTED,
        changed(_BOOT, processes=worker_processes(2) * 2),
    ),
    (
        checks.follows_n_processes(3, least=2),
        _STARTED,
        changed(_BOOT, processes=worker_processes(1)),
    ),
)
