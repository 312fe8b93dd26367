"""Gaits of the MuJoCo cheetah: how far does it run in ten seconds?"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from typing_extensions import override

from ombo_gym.design_spaces import BoxDesigns, Designs
from ombo_gym.problems.core.base import Instances
from ombo_gym.problems.core.simulated import Simulated, require
from ombo_gym.randomness import BatchedGenerator

_MOTORS = 6  # of the hind and the front leg: thigh, shin, foot
_STATES = 17  # 8 positions and 9 velocities, see `Gait`
_STEPS, _SUBSTEPS = 200, 5  # torques change every 5 steps of 10 ms: 0.05 s, as in HalfCheetah-v5
_PERIOD = 0.05
_FREQUENCIES = (0.5, 5.0)  # Hz
_VELOCITIES = 0.1  # a linear policy sees velocities in units of 10 m/s and 10 rad/s
_SIZES = {"sine": 2 * _MOTORS + 1, "linear": _MOTORS * _STATES}

# Found by CMA-ES (pycma 4.5.0) on designs rounded to two decimals, from the middle of the box, with
# seed 1: `CMAEvolutionStrategy([0] * 13, 0.5, {"bounds": [-1, 1], "popsize": 16, "seed": 1})` until
# it stopped after 313 generations, and `([0] * 102, 0.3, ... "popsize": 32 ...)`, 151 generations.
# From there (45.7 m and 48.5 m) by 6,000 and 1,500 mutations, those kept that run further: about
# four entries by normal steps, of a standard deviation from 0.01 to 0.2, to two decimals.
BEST_SINE = (0.95, 0.97, 0.86, 0.45, 1.0, 0.34, -0.74, -0.26, 0.82, -0.04, -0.08, -0.19, 0.59)
# fmt: off
BEST_LINEAR = (
    -0.87, 0.71, 0.28, -0.2, 0.93, -0.97, 0.24, 0.44, -0.94, 0.9, -0.94, -0.3,
    -0.26, 0.63, 0.83, 0.12, 0.84, -0.18, -0.28, -0.8, 0.25, -0.91, -0.95, 0.61,
    0.68, 0.69, 0.06, -0.45, -0.94, -1.0, -0.97, 0.2, 0.66, -0.55, -0.43, 0.1,
    -0.63, 0.01, 0.25, 0.12, -0.94, -0.68, 0.08, 0.41, 0.61, -0.73, 0.99, 0.35,
    0.86, 0.2, 0.16, -0.43, -0.79, -0.55, 0.42, -0.91, 1.0, 0.31, 0.81, -1.0,
    0.74, 0.33, -0.55, 0.47, 0.79, -0.66, 0.32, -0.06, -0.11, 0.87, 0.48, -0.98,
    -0.05, 1.0, -0.71, -0.57, 0.83, 0.41, 0.34, -0.59, 0.77, -0.51, -0.81, -0.51,
    -0.8, 0.61, -0.58, 0.12, 0.8, -0.64, -0.68, 0.04, -0.47, -0.46, -0.94, -0.05,
    -0.84, -0.89, 0.92, -0.16, 0.69, -0.74,
)
# fmt: on


class Gait(Simulated):
    """Distance run by the half cheetah of MuJoCo in ten seconds, by a gait or a linear policy.

    The robot is the planar, two-legged cheetah of Gymnasium's `HalfCheetah-v5` (its own model file,
    14 kg, six motors). It starts at rest, always in the same pose, and there is no noise: a design
    has one value. Motors are set every 0.05 s, in the order hind thigh, shin, foot, front thigh,
    shin, foot; a setting from -1 to 1 is a share of the motor's torque (120, 90, 60, 120, 60,
    30 N m).

    A design is a point of [-1, 1]^d. With `controller="sine"` d is 13 and motor i is set to
    a_i sin(2 pi f t + p_i): entries 0 to 5 are the amplitudes a_i, from 0 to 1, entries 6 to 11 the
    phases p_i, from -pi to pi, and entry 12 is the frequency f that all share, from 0.5 to 5 Hz,
    each linear in its entry (`Gait.to_units`). With `controller="linear"` d is 102: the entries of
    a 6 x 17 matrix W, row after row, and motors are set to W s, clipped to [-1, 1]. The state s has
    17 entries in the order of HalfCheetah's observation: height of the torso above its start (m),
    its pitch and the six joint angles (rad), then the velocities of x, height, pitch and joints,
    divided by 10.

    The value is the distance travelled forward after 10 s of simulated time, in metres, maximised;
    running backwards is negative. Every design is feasible. A simulation that diverges (MuJoCo
    reports a value that is not finite or huge) counts as not having moved, 0 m; with bounded
    torques this is rare. The default start is 4 random designs; `reference`, where there is none,
    is 0 m, standing still. There is one instance, and no split.

    The optimum is not known. Score 1 is the best design that a search found (`BEST_SINE` or
    `BEST_LINEAR` of this module: 46.1 m and 50.0 m), simulated anew. Changes of it by hundredths
    can run further, so that scores slightly above 1 occur. Contacts amplify the last bit of some
    gaits to a metre in ten seconds: values are the same in every run on one machine, and can differ
    between processors and versions of MuJoCo.

    Args:
        controller: "sine" or "linear".
        workers: Processes that designs are simulated in.

    Raises:
        ValueError: An unknown controller, or fewer than one worker.
        ImportError: MuJoCo is not installed.

    References:
        Todorov, Erez and Tassa, MuJoCo: a physics engine for model-based control, IROS 2012.
        The cheetah: Wawrzynski, A cat-like robot real-time learning to run, ICANNGA 2009.
        Linear policies of 102 parameters: Mania, Guy and Recht, Simple random search of static
        linear policies is competitive for reinforcement learning, NeurIPS 2018.

    Example:
        >>> import gymnasium as gym, ombo_gym
        >>> env = gym.make("Ombo/Gait-v0", controller="sine", horizon=5, batch_size=4)
        >>> observation, info = env.reset(seed=0)
        >>> observation, reward, *_ = env.step(env.action_space.sample())
    """

    domain = "robotics"
    rounds = (1, 20)
    extra = "robotics"

    def __init__(self, *, controller: str = "sine", workers: int = 1) -> None:
        if not isinstance(controller, str) or controller not in _SIZES:
            raise ValueError(f"controller: expected one of {list(_SIZES)}, got {controller!r}")
        require("Gait", "robotics", "mujoco")
        super().__init__(workers)
        self.controller = controller
        self.design_space = BoxDesigns(_SIZES[controller])

    @property
    @override
    def simulator(self) -> Callable[..., NDArray[np.float64]]:
        return distances

    @override
    def arguments(self, instances: Instances, row: int) -> tuple[Any, ...]:
        return (self.controller,)

    @override
    def draw(self, rngs: BatchedGenerator) -> Instances:
        return {"robot": np.zeros(len(rngs), np.int64)}  # there is one

    def to_units(self, designs: Designs) -> NDArray[np.float64]:
        """Amplitudes, phases (rad) and frequency (Hz) of gaits, or entries of W, (..., d)."""
        return units(designs, self.controller)

    @override
    def best_known(self, instances: Instances) -> NDArray[np.float64]:
        return np.full(len(instances["robot"]), _best_known(self.controller))


def units(designs: Designs, controller: str) -> NDArray[np.float64]:
    """Parameters of a controller from designs, (..., d)."""
    parameters = np.array(designs, np.float64)
    if controller == "sine":
        low, high = _FREQUENCIES
        parameters[..., :_MOTORS] = (parameters[..., :_MOTORS] + 1) / 2
        parameters[..., _MOTORS:-1] *= math.pi
        parameters[..., -1] = low + (parameters[..., -1] + 1) / 2 * (high - low)
    return parameters


def distances(designs: Designs, controller: str) -> NDArray[np.float64]:
    """Metres travelled by each design, (n, d) -> (n,)."""
    run = _sine if controller == "sine" else _linear
    with _silent():
        return np.array([run(parameters) for parameters in units(designs, controller)])


def _sine(parameters: NDArray[np.float64]) -> float:
    """A gait that does not look where it is."""
    from mujoco import mj_step

    model, data = _at_rest()
    amplitudes, phases = parameters[:_MOTORS], parameters[_MOTORS:-1]
    times = _PERIOD * np.arange(_STEPS)[:, None]
    settings = amplitudes * np.sin(2 * np.pi * parameters[-1] * times + phases)  # (steps, motors)
    motors = data.ctrl
    for setting in settings:
        motors[:] = setting
        mj_step(model, data, _SUBSTEPS)
    return travelled(data)


def _linear(parameters: NDArray[np.float64]) -> float:
    """A policy that sets motors by what the robot's state is."""
    from mujoco import mj_step

    model, data = _at_rest()
    policy = parameters.reshape(_MOTORS, _STATES)
    state = np.empty(_STATES)
    positions, velocities, motors = data.qpos, data.qvel, data.ctrl
    num_positions = len(positions) - 1
    for _ in range(_STEPS):
        state[:num_positions] = positions[1:]
        np.multiply(velocities, _VELOCITIES, out=state[num_positions:])
        # Not by BLAS, whose sums depend on its build and threads.
        np.clip((policy * state).sum(axis=1), -1.0, 1.0, out=motors)
        mj_step(model, data, _SUBSTEPS)
    return travelled(data)


def travelled(data: Any) -> float:
    """Metres from the start; 0 where the simulation diverged on its way."""
    from mujoco import mjtWarning

    # MuJoCo puts the robot back to its start when it diverges, and counts.
    unstable = (mjtWarning.mjWARN_BADQPOS, mjtWarning.mjWARN_BADQVEL, mjtWarning.mjWARN_BADQACC)
    if any(data.warning[kind].number for kind in unstable):
        return 0.0
    distance = float(data.qpos[0])
    return distance if math.isfinite(distance) else 0.0


@cache
def _robot() -> tuple[Any, Any]:
    """The model and the state that this process simulates with."""
    import gymnasium.envs
    import mujoco

    assert gymnasium.envs.__file__ is not None
    assets = Path(gymnasium.envs.__file__).parent / "mujoco" / "assets"
    model = mujoco.MjModel.from_xml_path(str(assets / "half_cheetah.xml"))
    return model, mujoco.MjData(model)


def _at_rest() -> tuple[Any, Any]:
    from mujoco import mj_resetData

    model, data = _robot()
    mj_resetData(model, data)
    return model, data


@contextmanager
def _silent() -> Iterator[None]:
    """Keeps MuJoCo from writing its warnings to MUJOCO_LOG.TXT, wherever the process runs."""
    import mujoco

    before = mujoco.get_mju_user_warning()
    mujoco.set_mju_user_warning(lambda message: None)
    try:
        yield
    finally:
        mujoco.set_mju_user_warning(before)


@cache
def _best_known(controller: str) -> float:
    best = BEST_SINE if controller == "sine" else BEST_LINEAR
    return float(distances(np.array([best], np.float32), controller)[0])
