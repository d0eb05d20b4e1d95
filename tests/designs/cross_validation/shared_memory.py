"""Features and labels in shared memory; workers draw numbers of folds; arrays of metrics by hand."""

import multiprocessing as mp
from multiprocessing.shared_memory import SharedMemory

import numpy as np
import sklearn.base


def cv_fold(fit, x, y, idx_train, idx_val, score, label=None):
    """Fit on the training rows, score the validation rows; return the label too."""
    res = fit(x[idx_train], y[idx_train])
    metrics = score(res, x[idx_val], y[idx_val])
    return (label, metrics)


def gb_score(res, x_v, y_v):
    """Return cross entropy and accuracy at each stage."""
    p = np.array([stage[:, 1] for stage in res.staged_predict_proba(x_v)])
    y = np.asarray(y_v, dtype=float)[None, :]
    entropy = -(y * np.log(p) + (1 - y) * np.log1p(-p)).mean(axis=1)
    accuracy = ((p > 0.5) == (y == 1)).mean(axis=1)
    return dict(ce_val=entropy, ac_val=accuracy)


def work(name, shape, dtype, y, estimator, folds, todo, done):
    """Process: compute folds whose numbers it draws, until 'STOP'."""
    memory = SharedMemory(name=name)
    x = np.ndarray(shape, dtype, buffer=memory.buf)
    for number in iter(todo.get, "STOP"):
        model = sklearn.base.clone(estimator)
        done.put(cv_fold(model.fit, x, y, *folds[number], gb_score, label=number))
    del x
    memory.close()


def cross_validate(estimator, x, y, folds, n_processes=2):
    """Return (label, metrics) of each fold."""
    x, folds = np.ascontiguousarray(x), list(folds)
    memory = SharedMemory(create=True, size=max(1, x.nbytes))
    try:
        np.ndarray(x.shape, x.dtype, buffer=memory.buf)[...] = x
        todo, done = mp.SimpleQueue(), mp.SimpleQueue()
        common = (memory.name, x.shape, x.dtype, y, estimator, folds, todo, done)
        workers = [mp.Process(target=work, args=common) for _ in range(n_processes)]
        for p in workers:
            p.start()
        for number in [*range(len(folds)), *["STOP"] * n_processes]:
            todo.put(number)
        results = dict(done.get() for _ in folds)
        for p in workers:
            p.join()
        todo.close()
        done.close()
    finally:
        memory.close()
        memory.unlink()
    return [(number, results[number]) for number in range(len(folds))]
