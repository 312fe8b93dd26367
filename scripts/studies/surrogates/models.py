"""The models that are compared, each with what its predictions depend on."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from importlib.metadata import version
from pathlib import Path

import numpy as np

import ombo_gym
from ombo_gym.evaluation.identity import LEFT_OUT
from ombo_gym.evaluation.import_graph import ImportGraph, Modules
from ombo_gym.evaluation.module_text import Import
from ombo_gym.priors import GaussianProcess
from ombo_gym.spec import CampaignSpec
from scripts.studies.surrogates import recipes
from scripts.studies.surrogates.data_sets import DataSets, spec_with
from scripts.studies.surrogates.prediction import Floats, Prediction
from scripts.studies.surrogates.settings import Setting

_HERE = "scripts.studies.surrogates"
_OF_RECIPES = (f"{_HERE}.recipes", "ombo_gym.surrogates", "ombo_gym.design_spaces")


@dataclass(frozen=True)
class Model:
    """A model.

    Attributes:
        name: On the page.
        kernel: Of a surrogate of this package; empty: another library's model.
        module: Here; its `predict(features, measurements, held_out)` is called.
        libraries: Distributions whose versions numbers depend on.
    """

    name: str
    kernel: str = ""
    module: str = ""
    libraries: tuple[str, ...] = ()

    def suits(self, setting: Setting) -> bool:
        """Whether the problem has what the model needs: a prior that is known."""
        known = isinstance(_spec(setting).prior, GaussianProcess)
        return known or self.kernel != "prior"

    def key(self, setting: Setting, data: DataSets) -> str:
        """Hash of all that its predictions depend on."""
        found = hashlib.sha256(self.name.encode())
        if self.kernel:
            found.update(_recipe_code().encode())
            found.update(_spec(setting, self.kernel).to_json().encode())
            arrays = [data.designs, data.measurements, data.held_out]
        else:
            found.update(Path(__file__).with_name(f"{self.module}.py").read_bytes())
            found.update(" ".join(map(version, self.libraries)).encode())
            arrays = list(self._features(setting, data))
        for array in arrays:
            found.update(f"{array.shape} {array.dtype}".encode())
            found.update(np.ascontiguousarray(array).tobytes())
        return found.hexdigest()[:32]

    def predict(self, setting: Setting, data: DataSets) -> Prediction:
        """Fits every data set and predicts what is held out."""
        if self.kernel:
            return recipes.predict(_spec(setting, self.kernel), data)
        predict: Callable[..., Prediction] = import_module(f"{_HERE}.{self.module}").predict
        return predict(*self._features(setting, data))

    def _features(self, setting: Setting, data: DataSets) -> tuple[Floats, Floats, Floats]:
        """Features (D, n, k), measurements (D, n) and features of what is held out (D, H, k)."""
        space = _spec(setting).design_space
        features, held_out = space.features(data.designs), space.features(data.held_out)
        return features, data.measurements, held_out


def num_features(setting: Setting) -> int:
    """How many features designs have, k."""
    return len(_spec(setting).design_space.feature_groups)


FIT, BOTORCH = "fit", "SingleTaskGP"
_GP_LIBRARIES = ("botorch", "gpytorch", "numpy", "scipy", "torch")
_SKLEARN = ("numpy", "scikit-learn")
MODELS = (
    Model(FIT, kernel="fit"),
    Model("isotropic", kernel="isotropic"),
    Model("prior", kernel="prior"),
    Model(BOTORCH, module="single_task_gp", libraries=_GP_LIBRARIES),
    Model("random forest", module="forest", libraries=_SKLEARN),
    Model("linear", module="linear", libraries=_SKLEARN),
)


@cache
def _spec(setting: Setting, kernel: str = "fit") -> CampaignSpec:
    return spec_with(setting.env, setting.env_kwargs, kernel)


@cache
def _recipe_code() -> str:
    """Hashes of the source files behind this package's surrogates.

    What else a prediction depends on is in the spec and in the data.
    """
    packages = {
        "ombo_gym": Path(str(ombo_gym.__file__)).parent,
        "scripts": Path(__file__).parents[2],
    }
    graph = ImportGraph(Modules(packages), left_out=LEFT_OUT, name=None)
    modules = graph.closure([Import(recipes.__name__, "predict")]).modules
    behind = [module for module in sorted(modules) if module.startswith(_OF_RECIPES)]
    return " ".join(map(graph.digest, behind))
