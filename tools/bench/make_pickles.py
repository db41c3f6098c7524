"""Writes the inputs of the pickle benchmarks into a folder. usage: make_pickles.py FOLDER (Python with scikit-learn)"""
import os
import pickle
import random
import sys

folder = sys.argv[1]
os.makedirs(folder, exist_ok=True)


def write(name, make):
    path = os.path.join(folder, name)
    if not os.path.exists(path):
        with open(path + ".part", "wb") as out:
            pickle.dump(make(), out, protocol=4)
        os.rename(path + ".part", path)


def floats():
    rng = random.Random(0)
    return [rng.random() for _ in range(2_000_000)]


def forest():
    import numpy as np
    from sklearn.ensemble import RandomForestClassifier
    rng = np.random.RandomState(0)
    X = rng.rand(20000, 10)
    y = rng.randint(0, 2, 20000)
    return RandomForestClassifier(n_estimators=190, random_state=0).fit(X, y)


write("floats.pkl", floats)
write("dict.pkl", lambda: {"key_%d" % i: i for i in range(300_000)})
write("forest.pkl", forest)
