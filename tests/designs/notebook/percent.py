# ---
# jupyter:
#   jupytext:
#     text_representation:
#       extension: .py
#       format_name: percent
# ---

# %%
import multiprocessing as mp

import numpy as np

import cv_funcs as cvf

# %%
tasks = [(cvf.wait, (i,)) for i in range(6)]
results = cvf.mp_apply(tasks, n_processes=2)
results2 = cvf.mp_apply(tasks, n_processes=3)

# %%
pool = mp.Pool(2)
results1 = pool.map(cvf.wait, range(6))
pool.close()
pool.join()

# %%
rng = np.random.default_rng(507)
x = rng.normal(size=(200, 5))
y = x @ np.arange(5) + rng.normal(size=200)
folds = np.array_split(rng.permutation(200), 5)

# %% tags=["parallel-cv"]
for fold, mse in sorted(cvf.mp_apply([(cvf.cv_fold, (x, y, k, folds)) for k in range(len(folds))])):
    print(f"fold {fold}: mean squared error {mse:.3f}")
