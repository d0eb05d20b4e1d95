"""Findings to points: whom a failure is laid to, and what each question is worth."""
