"""Batches on several machines.

Engines (Dask, Slurm) carry specs to nodes. `submission_worker` is the contract that makes it safe
to lose or to repeat a spec.
"""
