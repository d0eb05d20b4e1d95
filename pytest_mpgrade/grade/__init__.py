"""One grading in a process of its own."""
