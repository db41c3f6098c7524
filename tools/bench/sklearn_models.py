"""
Fits the models of tools/bench/sklearn.mjs, pickles them and answers its rows with scikit-learn, all cores.

    python sklearn_models.py FOLDER ROWS RUNS [CASE…]

FOLDER gets a pickle a case, the rows (X.bin: float64, 20 columns; texts.json) and the answers (labels as int32, numbers as float64).
Prints {case: {"seconds": median, "processor": median}} of predicting.
"""

import json
import pickle
import sys
import time

import numpy as np
from sklearn.cluster import KMeans
from sklearn.ensemble import (
    AdaBoostClassifier,
    BaggingClassifier,
    ExtraTreesRegressor,
    GradientBoostingClassifier,
    HistGradientBoostingClassifier,
    IsolationForest,
    RandomForestClassifier,
)
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import RBF
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC
from sklearn.tree import DecisionTreeClassifier

folder, rows, runs, only = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4:]
rng = np.random.RandomState(0)
X = rng.normal(size=(3000, 20))
y = (X[:, :5].sum(axis=1) + rng.normal(size=3000) > 0).astype(int) + (X[:, 5] > 1)
target = X[:, 0] * X[:, 1] + X[:, 2]
test = rng.normal(size=(rows, 20))
words = np.array(["w%d" % i for i in range(5000)])
weights = 1 / np.arange(1, 5001)
weights /= weights.sum()


def texts(count):
    return [" ".join(rng.choice(words, size=rng.randint(5, 20), p=weights)) for _ in range(count)]


few = slice(0, 1000)
CASES = {
    "forest": lambda: RandomForestClassifier(100, max_depth=12, random_state=0, n_jobs=-1).fit(X, y),
    "deep_forest": lambda: ExtraTreesRegressor(100, random_state=0, n_jobs=-1).fit(X, target),
    "tree": lambda: DecisionTreeClassifier(random_state=0).fit(X, y),
    "gradient_boosting": lambda: GradientBoostingClassifier(random_state=0).fit(X, y),
    "hist_boosting": lambda: HistGradientBoostingClassifier(random_state=0, early_stopping=False).fit(X, y),
    "isolation_forest": lambda: IsolationForest(random_state=0, n_jobs=-1).fit(X),
    "bagging": lambda: BaggingClassifier(n_estimators=50, random_state=0, n_jobs=-1).fit(X, y),
    "adaboost": lambda: AdaBoostClassifier(random_state=0).fit(X, y),
    "svc": lambda: SVC(gamma="scale").fit(X[few], y[few]),
    "scaled_svc": lambda: make_pipeline(StandardScaler(), SVC(gamma="scale", probability=True, random_state=0)).fit(X[few], y[few]),
    "neighbors": lambda: KNeighborsClassifier(n_jobs=-1).fit(X[few], y[few]),
    "mlp": lambda: MLPClassifier(random_state=0, max_iter=50).fit(X, y),
    "gaussian_process": lambda: GaussianProcessRegressor(RBF(3.0), alpha=0.1).fit(X[few], target[few]),
    "kmeans": lambda: KMeans(8, n_init=1, random_state=0).fit(X),
    "logistic": lambda: LogisticRegression().fit(X, y),
    "text": lambda: make_pipeline(TfidfVectorizer(), LogisticRegression()).fit(texts(2000), rng.randint(0, 3, size=2000)),
}

test.tofile(folder + "/X.bin")
asked_texts = texts(20000)
with open(folder + "/texts.json", "w") as file:
    json.dump(asked_texts, file)
times = {}
for name, fit in CASES.items():
    if only and name not in only:
        continue
    model = fit()
    with open(f"{folder}/{name}.pkl", "wb") as file:
        pickle.dump(model, file)
    asked = asked_texts if name == "text" else test
    ask = model.predict_proba if name == "scaled_svc" else model.predict
    seconds, processor = [], []
    for _ in range(runs):
        start, used = time.perf_counter(), time.process_time()
        answer = ask(asked)
        seconds.append(time.perf_counter() - start)
        processor.append(time.process_time() - used)
    whole = np.issubdtype(answer.dtype, np.integer)
    answer.astype(np.int32 if whole else np.float64).tofile(f"{folder}/{name}.bin")
    times[name] = dict(seconds=sorted(seconds)[runs // 2], processor=sorted(processor)[runs // 2], whole=bool(whole))
print(json.dumps(times))
