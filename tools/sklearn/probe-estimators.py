"""Prints, as JSON, every estimator class of the installed scikit-learn, imbalanced-learn, xgboost, lightgbm and catboost:
its constructor parameters with their defaults, its kind and which prediction methods it has.
Run by make-estimators.mjs in several environments."""
import inspect
import importlib
import json
import pkgutil
import sys
import warnings

warnings.filterwarnings("ignore")

METHODS = [
    "predict", "predict_proba", "predict_log_proba", "decision_function", "score_samples", "transform",
    "inverse_transform", "apply", "kneighbors", "staged_predict", "fit_predict", "fit_transform",
]


def text_of(value):
    """The default as the reader prints a pickled value: literals as repr, functions and classes by dotted name."""
    if inspect.isclass(value) or inspect.isroutine(value) or type(value).__name__ == "ufunc":
        module = getattr(value, "__module__", None)
        name = getattr(value, "__qualname__", getattr(value, "__name__", repr(value)))
        return name if module in (None, "builtins") else "%s.%s" % (module, name)
    text = repr(value)
    if " at 0x" in text:
        text = type(value).__module__ + "." + type(value).__name__ + "()"
    if "np.float64(" in text:
        text = repr(float(value))
    return " ".join(text.split())


def kinds_of(cls):
    import sklearn.base as base
    kinds = []
    for name, word in [("ClassifierMixin", "classifier"), ("RegressorMixin", "regressor"), ("ClusterMixin", "clusterer"),
                       ("OutlierMixin", "outlier"), ("TransformerMixin", "transformer"), ("BiclusterMixin", "bicluster"),
                       ("DensityMixin", "density"), ("MetaEstimatorMixin", "meta")]:
        mixin = getattr(base, name, None)
        if mixin is not None and issubclass(cls, mixin):
            kinds.append(word)
    return kinds


def parameters_of(cls):
    init = getattr(cls.__init__, "deprecated_original", cls.__init__)
    if init is object.__init__:
        return {}
    out = {}
    for parameter in inspect.signature(init).parameters.values():
        if parameter.name == "self" or parameter.kind in (parameter.VAR_KEYWORD, parameter.VAR_POSITIONAL):
            continue
        out[parameter.name] = None if parameter.default is parameter.empty else text_of(parameter.default)
    return out


def gather(root, base_class):
    found = {}
    package = importlib.import_module(root)
    names = [root]
    for info in pkgutil.walk_packages(package.__path__, root + ".", onerror=lambda name: None):
        if any(part in info[1] for part in ("test", "conftest", "externals", "setup", "__main__")):
            continue
        names.append(info[1])
    for name in names:
        try:
            module = importlib.import_module(name)
        except Exception:
            continue
        for cls in list(vars(module).values()):
            if inspect.isclass(cls) and issubclass(cls, base_class) and cls.__module__.split(".")[0] == root:
                found[cls.__name__] = cls
    return found


def describe(cls):
    parameters = parameters_of(cls)
    # xgboost and lightgbm pass **kwargs on; their base class knows the full list.
    if cls.__module__.split(".")[0] in ("xgboost", "lightgbm", "imblearn", "catboost"):
        for parent in cls.__mro__[1:]:
            if parent.__module__.split(".")[0] == cls.__module__.split(".")[0]:
                for name, default in parameters_of(parent).items():
                    parameters.setdefault(name, default)
    return {
        "kinds": kinds_of(cls),
        "methods": [m for m in METHODS if any(m in vars(k) for k in cls.__mro__)],
        "parameters": parameters,
    }


def main():
    from sklearn.base import BaseEstimator
    import sklearn
    result = {"python": list(sys.version_info[:2]), "libraries": {}}
    for root in ("sklearn", "imblearn", "xgboost", "lightgbm", "catboost"):
        try:
            package = importlib.import_module(root)
        except Exception:
            continue
        base = BaseEstimator
        if root == "catboost":
            base = package.CatBoost
        classes = {}
        for name, cls in gather(root, base).items():
            try:
                classes[name] = describe(cls)
            except (TypeError, ValueError):
                continue
        result["libraries"][root] = {"version": package.__version__, "classes": classes}
    print("\n" + json.dumps(result))


main()
