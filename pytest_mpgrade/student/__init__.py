"""What a test holds: calls of the student's functions, the notebook, timings.

Every run is made once, however many tests ask for it.
"""

from pytest_mpgrade.student.calls import Student

__all__ = ["Student"]
