"""Batches beyond one machine: existing engines carry specs to nodes, and one contract makes them safe (see `one`)."""
