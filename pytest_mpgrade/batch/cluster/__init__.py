"""Batches beyond one machine: engines carry specs to nodes, and one contract makes them safe:
`submission_worker`.
"""
