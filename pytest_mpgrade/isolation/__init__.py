"""Isolation of student code: the choice of a layer, how a run enters it, what it can read."""
