"""Stand-ins for models: a fit, a score and an estimator that show what each was given, and where.

They are picklable, like all workloads.
"""

from __future__ import annotations

from pytest_mpgrade.inside import workloads

TYPE_CHECKING = False
if TYPE_CHECKING:  # every spawned worker pays for an import
    from typing import Any


def remember(x: object, y: object) -> list[object]:
    """Stand for a fit: return what it was given."""
    return [x, y]


def lay_open(remembered: list[object], x: object, y: object) -> list[object]:
    """Stand for a score: return what the fit was given, and what the score is."""
    return [*remembered, x, y]


class GatedPrior:
    """The `init` of scikit-learn's GradientBoostingClassifier, with a gate in its fit.

    So the process that fits a model stands at a gate, whose key is the number of its training rows.
    What it predicts depends on the scale of the first feature: its log-odds are *middle* less that.
    """

    def __init__(self, middle: float, *, gated: bool = True) -> None:
        self.middle, self.gated = middle, gated

    def fit(self, x: object, y: list[object], sample_weight: object = None) -> GatedPrior:  # noqa: ARG002 - scikit-learn's signature
        """Learn nothing; wait at the gate."""
        if self.gated:
            workloads.stand_at_gate(len(y))
        return self

    def predict_proba(self, x: Any) -> object:
        """Return the probabilities of the classes 0 and 1 for each row."""
        import numpy

        odds = numpy.exp(numpy.clip(self.middle - x[:, 0].astype(float), -9, 9))
        return numpy.stack([1 / (1 + odds), odds / (1 + odds)], axis=1)

    def predict(self, x: Any) -> object:
        """Return the likelier class of each row, as scikit-learn asks of an estimator."""
        return x[:, 0] < self.middle
