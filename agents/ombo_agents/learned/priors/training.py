"""`ombo train --agent prior`: learns a prior of a family and writes it to a folder."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import save

from ombo_agents.learned.priors.bases import MOST_LOADINGS
from ombo_agents.learned.priors.deep import learn_deep, suits_deep
from ombo_agents.learned.priors.designs import hopeful, portfolio
from ombo_agents.learned.priors.families import TRAINING_SEED, Family, family_of
from ombo_agents.learned.priors.folders import family_of_folder
from ombo_agents.learned.priors.judging import folds_of
from ombo_agents.learned.priors.learning import Learned, best_curvature, learn_basis
from ombo_gym.arguments import whole
from ombo_gym.files import write_atomically
from ombo_gym.surrogates.learned_prior import AGENT, CONFIG, FORMAT, KINDS, TENSORS, described

DEFAULT_KIND = "interp"
_BEST = "best"  # of the kinds that suit
_PORTFOLIO = 128
_FEW_DESIGNS = 2_048  # that all but the final tables are learnt from
_HOPEFUL, _HOPEFUL_ANYWHERE = 1_024, 128  # designs, of finite spaces and of others


@dataclass(frozen=True)
class TrainedPrior:
    """What a folder of a prior holds.

    Attributes:
        config: `config.json`.
        tensors: `prior.safetensors`.
    """

    config: Mapping[str, Any]
    tensors: Mapping[str, NDArray[Any]]

    def save(self, folder: Path) -> None:
        """Writes it; the configuration last, which readers look for first.

        Raises:
            OSError: The disk is full, or the folder cannot be written to.
        """
        from ombo_agents.learned.storage import as_text

        folder.mkdir(parents=True, exist_ok=True)
        arrays = {name: np.ascontiguousarray(each) for name, each in self.tensors.items()}
        write_atomically(folder / TENSORS, save(arrays))
        write_atomically(folder / CONFIG, as_text(dict(self.config)))


def train_prior(
    tasks: Any,
    out: str | Path,
    kind: str = _BEST,
    seed: int = 0,
    *,
    instances: int | None = None,
    loadings: int = MOST_LOADINGS,
    env_kwargs: Mapping[str, Any] | None = None,
    **of_folder: Any,
) -> dict[str, Any]:
    """Learns a prior from the training instances of some tasks.

    Args:
        tasks: `NAME:train` of the environment `Ombo/NAME-v0`, such as "LCBench:train", or what
            `ombo_gym.tasks.make_tasks` takes; problems of one design space. Or a folder of past
            campaigns, a spreadsheet each.
        out: Folder that it is written to.
        kind: "tables" (all designs of the space are measured, and looked up), "interp" (training
            instances are interpolated), "deep" (a deep kernel, of numeric spaces), or "best": that
            of the highest log score on instances that were left out.
        seed: Of all that is drawn.
        instances: That are measured of each problem, drawn from a collection of more; None:
            all of a collection, and 32 of families of more than 5,000.
        loadings: Directions that instances vary in together, at most. A file of "tables" has
            so many numbers for each design, and two more.
        env_kwargs: Further arguments of the environment, where `tasks` is `NAME:train`.
        **of_folder: `space`, `target` and `minimise`, where `tasks` is a folder of spreadsheets,
            see `family_of_folder`.

    Returns:
        What `config.json` holds.

    Raises:
        ValueError: An unknown kind, or one that does not suit; tasks that are none, of different
            spaces or of a test; too few instances or loadings.
    """
    instances = None if instances is None else whole("instances", instances)
    loadings = whole("loadings", loadings)
    if kind not in (*KINDS, _BEST):
        raise ValueError(f"kind: expected one of {[*KINDS, _BEST]}, got {kind!r}")
    family = _family(tasks, seed, instances, env_kwargs, of_folder)
    prior = learn(family, kind, seed, loadings)
    prior.save(Path(out))
    return dict(prior.config)


def _family(
    tasks: Any,
    seed: int,
    instances: int | None,
    env_kwargs: Mapping[str, Any] | None,
    of_folder: Mapping[str, Any],
) -> Family:
    """The training instances that arguments of `train_prior` mean."""
    if isinstance(tasks, str | Path) and Path(tasks).is_dir():
        if {"space", "target"} - {name for name, given in of_folder.items() if given is not None}:
            raise ValueError(
                f"tasks: a folder of past campaigns, {tasks}, needs space, the path of a space "
                "file, and target, the column that was measured"
            )
        for name, of_an_environment in (("instances", instances), ("env_kwargs", env_kwargs)):
            if of_an_environment:
                raise ValueError(
                    f"{name}: it goes with tasks of environments, got {of_an_environment} and "
                    f"{tasks}, a folder of past campaigns"
                )
        return family_of_folder(tasks, **of_folder)
    if given := [name for name, each in of_folder.items() if each]:
        raise ValueError(
            f"{given[0]}: it goes with tasks that are a folder of past campaigns, got {tasks!r}"
        )
    return family_of(tasks, seed, instances, env_kwargs)


def learn(
    family: Family, kind: str = _BEST, seed: int = 0, most_loadings: int = MOST_LOADINGS
) -> TrainedPrior:
    """Learns a prior from a family; as `train_prior`."""
    began = time.perf_counter()
    rng = np.random.default_rng([TRAINING_SEED, seed])
    small = family.reduced(_FEW_DESIGNS, rng)
    scales = np.nanstd(small.values, axis=1)  # (I,)
    folds = folds_of(small, (small.values / scales[:, None]), rng)
    curvature = best_curvature(small, folds, scales, np.random.default_rng(seed), most_loadings)
    learned = [
        learn_deep(small, curvature, folds, scales, seed)
        if each == "deep"
        else learn_basis(
            each,
            family,
            small,
            curvature,
            folds,
            scales,
            np.random.default_rng([seed, i]),
            most_loadings,
        )
        for i, each in enumerate(_kinds(family, kind))
    ]
    best = learned[int(np.argmax(_log_scores(learned)))]
    return _as_trained(family, small, best, learned, seed, time.perf_counter() - began)


def _log_scores(learned: Sequence[Learned]) -> list[float]:
    """Of each, over the instances that all were judged by."""
    scores = np.stack([each.judgement.log_scores for each in learned])  # (kinds, I)
    found: list[float] = scores[:, ~np.isnan(scores).any(axis=0)].mean(axis=1).tolist()
    return found


def _kinds(family: Family, kind: str) -> Sequence[str]:
    """Which kinds are learnt: what is asked for, or all that suit, the default first.

    Raises:
        ValueError: What is asked for does not suit.
    """
    whole = family.covered and family.shared
    suited = [DEFAULT_KIND, *["tables"] * whole, *["deep"] * suits_deep(family)]
    if kind == _BEST:
        return suited
    if kind not in suited:
        why = {
            "tables": "all designs of a finite space, measured in every instance",
            "deep": "designs that are numbers from end to end",
        }
        raise ValueError(
            f"kind: {kind!r} needs {why[kind]}; expected one of {suited} for {family.space!r}"
        )
    return [kind]


def _as_trained(
    family: Family,
    small: Family,
    best: Learned,
    learned: Sequence[Learned],
    seed: int,
    seconds: float,
) -> TrainedPrior:
    """A prior with all that is said of it."""
    space, judgement = family.space, best.judgement
    most = _HOPEFUL_ANYWHERE if space.size is None else _HOPEFUL
    seen = small if best.kind == "deep" else family
    promising = seen.designs[seen.train[hopeful(best.upside, most)]]
    first = family.designs[family.train[portfolio(family.values[:, family.train], _PORTFOLIO)]]
    kinds = {np.dtype(np.float32): np.float32}
    as_stored = kinds.get(space.dtype, np.int64)
    tensors = {
        **best.tensors,
        "promising": promising.astype(as_stored),
        "portfolio": first.astype(as_stored),
    }
    config = {
        "agent": AGENT,
        "format": FORMAT,
        "kind": best.kind,
        **family.origin,
        "instances": list(family.names),
        "design_space": described(space),
        **best.config,
        "calibration": judgement.calibration,
        "scale": asdict(best.scale),
        "held_out": {
            "log_score": dict(zip([e.kind for e in learned], _log_scores(learned), strict=True)),
            "coverage_before_calibration": judgement.coverage,
        },
        "seed": seed,
        "seconds": round(seconds, 1),
    }
    return TrainedPrior(config, tensors)
