"""A pipe for each worker; the parent hands out one fold at a time and puts results where they belong."""

import multiprocessing as mp
from multiprocessing.connection import wait

import numpy as np


def cv_fold(fit, x, y, idx_train, idx_val, score, label=None):
    """Fit and score one fold."""
    return (label, score(fit(x[idx_train], y[idx_train]), x[idx_val], y[idx_val]))


def gb_score(res, x_v, y_v):
    """Return cross entropy and accuracy by stage."""
    p = np.array([stage[:, 1] for stage in res.staged_predict_proba(x_v)])
    ce_val = -(y_v * np.log(p) + (1 - y_v) * np.log1p(-p)).mean(axis=1)
    ac_val = ((p >= 0.5).astype(int) == y_v).mean(axis=1)
    return dict(ce_val=ce_val, ac_val=ac_val)


def serve(conn, estimator, x, y):
    """Fit folds until None comes."""
    while (job := conn.recv()) is not None:
        train, val, label = job
        conn.send(cv_fold(estimator.fit, x, y, train, val, gb_score, label))
    conn.close()


def cross_validate(estimator, x, y, folds, n_processes=2):
    """Return [(label, metrics), ...]."""
    jobs = [(train, val, k) for k, (train, val) in enumerate(folds)]
    results = [None] * len(jobs)
    workers = {}
    for _ in range(min(n_processes, len(jobs))):
        here, there = mp.Pipe()
        p = mp.Process(target=serve, args=(there, estimator, x, y))
        p.start()
        there.close()
        workers[here] = p
    waiting = iter(jobs)
    for conn in workers:
        conn.send(next(waiting, None))
    left = len(jobs)
    while left:
        for conn in wait(list(workers)):
            label, metrics = conn.recv()
            results[label] = (label, metrics)
            left -= 1
            job = next(waiting, None)
            if job is not None:
                conn.send(job)
    for conn, p in workers.items():
        conn.send(None)
        p.join()
        conn.close()
    return results
