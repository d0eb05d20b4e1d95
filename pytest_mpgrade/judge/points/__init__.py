"""From findings to points: which check a fault is blamed on, and what each question is worth."""
