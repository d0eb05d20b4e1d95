"""One grading as pytest runs it."""
