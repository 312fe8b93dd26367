"""The libraries that problems stand in for, called as their users call them: a design at a time.

Each function takes a problem and a seed and returns a call that evaluates `BATCH` random designs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ombo_gym.problems.core.base import Problem
from ombo_gym.randomness import KeyedGenerator, Stream

BATCH = 4

Call = Callable[[], Any]


def _drawn(problem: Problem, seed: int) -> tuple[dict[str, Any], Any]:
    """One instance and a batch of designs, without their leading row."""
    keys = np.array([seed], np.uint64)
    instances = problem.draw(KeyedGenerator(keys, Stream.INSTANCE))
    designs = problem.sample(instances, KeyedGenerator(keys, Stream.START), BATCH)
    return {name: array[0] for name, array in instances.items()}, designs[0]


def ehrlich(problem: Any, seed: int) -> Call:
    """pytorch-holo, which is not on the path unless `make bench` put it there."""
    import torch

    from tests.problems.ehrlich_reference import holo_ehrlich, sequences_of

    function = holo_ehrlich()(
        num_states=int(problem.design_space.categories[0]),
        dim=problem.design_space.length,
        num_motifs=problem.motifs,
        motif_length=problem.motif_length,
        quantization=problem.quantization,
        random_seed=seed,
    )
    sequences = torch.as_tensor(sequences_of(function, np.random.default_rng(seed)))
    return lambda: [function(sequence[None]) for sequence in sequences]


def snar(problem: Any, seed: int) -> Call:
    """The solve_ivp of scipy on the rate laws."""
    from scipy.integrate import solve_ivp

    from ombo_gym.problems.chemistry.snar import ENERGIES, RATES

    _, designs = _drawn(problem, seed)
    gas, reference = 8.314e-3, 363.15  # kJ / (mol K), K

    def outlet(units: Any) -> Any:
        minutes, equivalents, molar, celsius = units
        inverse = 1 / (celsius + 273.15) - 1 / reference
        a, b, c, d = np.asarray(RATES) * np.exp(-np.asarray(ENERGIES) / gas * inverse)

        def change(_: float, species: Any) -> Any:
            substrate, amine, ortho, para, _bis = species
            one, two = a * substrate * amine, b * substrate * amine
            three, four = c * ortho * amine, d * para * amine
            return [-one - two, -one - two - three - four, one - three, two - four, three + four]

        feed = [molar, equivalents * molar, 0.0, 0.0, 0.0]
        return solve_ivp(change, (0, minutes), feed, "LSODA", rtol=1e-6, atol=1e-9).y[:, -1]

    return lambda: [outlet(units) for units in problem.to_units(designs)]


def coating(problem: Any, seed: int) -> Call:
    """tmm, a wavelength at a time."""
    import tmm

    instance, designs = _drawn(problem, seed)
    instances = {name: np.asarray(value)[None] for name, value in instance.items()}
    wavelengths, _ = problem.spectra(instances, designs[None])
    stack = [1.0, *[2.3, 1.46] * (problem.layers // 2), 1.52]

    def spectrum(thicknesses: Any) -> list[float]:
        depths = [np.inf, *thicknesses.tolist()[: len(stack) - 2], np.inf]
        return [
            np.mean([tmm.coh_tmm(p, stack, depths, 0.0, float(w))["R"] for p in "sp"])
            for w in wavelengths[0]
        ]

    return lambda: [spectrum(each) for each in problem.to_units(designs)]


def rna_fold(problem: Any, seed: int) -> Call:
    """ViennaRNA."""
    import RNA

    length = problem.design_space.length
    target = "(" * 6 + "." * (length - 12) + ")" * 6
    _, designs = _drawn(problem, seed)

    def defect(design: Any) -> float:
        fold = RNA.fold_compound(problem.design_space.text(design))
        fold.pf()
        return float(fold.ensemble_defect(target))

    return lambda: [defect(design) for design in designs]


def ioh_suite(problem: Any, seed: int) -> Call:
    """The functions of ioh, the one that is drawn."""
    import ioh

    instance, designs = _drawn(problem, seed)
    dim = problem.design_space.shape[0]
    suite = ioh.ProblemClass[type(problem).__name__]
    function = ioh.get_problem(int(instance["function"]), int(instance["instance"]), dim, suite)
    points = problem.points(designs)
    return lambda: [function(point.tolist()) for point in points]


def gait(problem: Any, seed: int) -> Call:
    """Gymnasium's HalfCheetah, which steps the same body, for as many seconds."""
    import gymnasium as gym
    import mujoco

    mujoco.set_mju_user_warning(lambda message: None)  # else it leaves a log where it runs
    env = gym.make("HalfCheetah-v5")
    actions = np.random.default_rng(seed).uniform(-1, 1, (200, 6)).astype(np.float32)

    def episodes() -> None:
        for _ in range(BATCH):
            env.reset(seed=seed)
            for action in actions:
                env.step(action)

    return episodes


def lander(problem: Any, seed: int) -> Call:
    """Gymnasium's LunarLander and its own heuristic, on as many terrains."""
    import gymnasium as gym
    from gymnasium.envs.box2d.lunar_lander import heuristic

    env = gym.make("LunarLander-v3")

    def episodes() -> None:
        for terrain in range(seed, seed + problem.terrains * BATCH):
            state, _ = env.reset(seed=terrain)
            over = False
            while not over:
                action = heuristic(env.unwrapped, state)  # type: ignore[no-untyped-call]
                state, _, terminated, truncated, _ = env.step(action)
                over = terminated or truncated

    return episodes


def wind_farm(problem: Any, seed: int) -> Call:
    """PyWake's case study."""
    from py_wake.literature.iea37_case_study1 import IEA37CaseStudy1

    _, designs = _drawn(problem, seed)
    study = IEA37CaseStudy1(problem.design_space.dim // 2)
    layouts = 1300.0 * designs.reshape(BATCH, -1, 2)
    return lambda: [study(x, y).aep().sum() for x, y in layouts.swapaxes(1, 2)]


LOOPS: dict[str, Callable[[Any, int], Call]] = {
    "Ehrlich": ehrlich,
    "SnAr": snar,
    "Coating": coating,
    "RNAFold": rna_fold,
    "BBOB": ioh_suite,
    "PBO": ioh_suite,
    "Gait": gait,
    "Lander": lander,
    "WindFarm": wind_farm,
}
