"""The cheetah, against a plain MuJoCo loop and against Gymnasium's HalfCheetah."""

from __future__ import annotations

import math
import os
from pathlib import Path
from typing import Any

import gymnasium as gym
import mujoco
import numpy as np
import numpy.typing as npt
import pytest

import ombo_gym  # noqa: F401
from ombo_gym.problems.robotics import gait
from ombo_gym.problems.robotics.gait import BEST_LINEAR, BEST_SINE, Gait

Array = npt.NDArray[Any]
XML = Path(gym.__file__).parent / "envs" / "mujoco" / "assets" / "half_cheetah.xml"


@pytest.fixture(autouse=True)
def quiet(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)  # MuJoCo writes a log where it runs: the plain loop does


def instance(num_campaigns: int = 1) -> dict[str, Array]:
    return {"robot": np.zeros(num_campaigns, np.int64)}


def plain_gait(design: Array) -> float:
    """Ten seconds of steps of 10 ms, with new torques every 50 ms."""
    model = mujoco.MjModel.from_xml_path(str(XML))
    data = mujoco.MjData(model)
    x = [float(entry) for entry in design]
    hertz = 0.5 + 4.5 * (x[12] + 1) / 2
    for step in range(1000):
        if step % 5 == 0:
            seconds = 0.05 * (step // 5)
            for motor in range(6):
                amplitude, phase = (x[motor] + 1) / 2, math.pi * x[6 + motor]
                data.ctrl[motor] = amplitude * math.sin(2 * math.pi * hertz * seconds + phase)
        mujoco.mj_step(model, data)
    assert data.time == pytest.approx(10)
    return float(data.qpos[0])


def test_a_gait_travels_as_in_a_plain_mujoco_loop() -> None:
    # Of the 24 designs these do not amplify the last bit of a sine to more than a micrometre.
    steady = [1, 3, 6, 9, 11, 13, 16, 20]
    designs = np.random.default_rng(0).uniform(-1, 1, (24, 13)).astype(np.float32)[steady]
    expected = [plain_gait(design) for design in designs]
    values = Gait().evaluate(instance(2), designs.reshape(2, 4, 13))
    assert values.ravel() == pytest.approx(expected, abs=1e-4)
    assert min(expected) < -2 and max(expected) > 5


def test_a_linear_policy_travels_as_in_gymnasiums_halfcheetah() -> None:
    env = gym.make("HalfCheetah-v5", reset_noise_scale=0.0)
    rng = np.random.default_rng(1)
    designs = np.stack([rng.uniform(-1, 1, 102), BEST_LINEAR]).astype(np.float32)[None]
    expected = []
    for design in designs[0].astype(np.float64):
        state, _ = env.reset(seed=0)
        weights = design.reshape(6, 17)
        for _ in range(200):
            # Contacts amplify the last bit to metres in ten seconds, so that sums are as there.
            seen = np.concatenate([state[:8], state[8:] * 0.1])
            state, *_, info = env.step(np.clip((weights * seen).sum(axis=1), -1, 1))
        expected.append(info["x_position"])
    env.close()
    values = Gait(controller="linear").evaluate(instance(), designs)
    assert values[0] == pytest.approx(expected, abs=1e-3)


def test_units_are_shares_radians_and_hertz() -> None:
    ends = np.array([[-1.0] * 13, [1.0] * 13], np.float32)
    low, high = Gait().to_units(ends)
    assert low == pytest.approx([0.0] * 6 + [-np.pi] * 6 + [0.5])
    assert high == pytest.approx([1.0] * 6 + [np.pi] * 6 + [5.0])
    assert Gait(controller="linear").to_units(np.full(102, 0.5)) == pytest.approx([0.5] * 102)


def test_a_gait_without_torque_goes_nowhere() -> None:
    still = np.array([-1.0] * 6 + [0.3] * 7, np.float32)
    assert abs(Gait().evaluate(instance(), still[None, None])[0, 0]) < 0.5
    policy = Gait(controller="linear").evaluate(instance(), np.zeros((1, 1, 102), np.float32))
    assert policy == pytest.approx(Gait().evaluate(instance(), still[None, None]))


def test_the_best_known_designs_run() -> None:
    for controller, best, metres in (("sine", BEST_SINE, 46.1), ("linear", BEST_LINEAR, 50.0)):
        problem = Gait(controller=controller)
        known = problem.best_known(instance(2))
        assert known.shape == (2,) and known[0] == known[1]
        assert known[0] == pytest.approx(metres, rel=0.1)  # another processor rounds otherwise
        value = problem.evaluate(instance(), np.array([[best]], np.float32))
        assert value[0, 0] == known[0]


def test_a_value_depends_on_nothing_that_was_simulated_before() -> None:
    designs = np.random.default_rng(2).uniform(-1, 1, (1, 4, 102)).astype(np.float32)
    problem = Gait(controller="linear")
    values = problem.evaluate(instance(), designs)
    assert values.tobytes() == problem.evaluate(instance(), designs[:, ::-1])[:, ::-1].tobytes()
    parallel = Gait(controller="linear", workers=2).evaluate(instance(), designs)
    assert values.tobytes() == parallel.tobytes()


def test_a_simulation_that_diverges_goes_nowhere(monkeypatch: pytest.MonkeyPatch) -> None:
    model, _ = gait._robot()
    hasty = mujoco.MjModel.from_xml_path(str(XML))
    hasty.opt.timestep = 0.3  # MuJoCo cannot integrate that
    monkeypatch.setattr(gait, "_robot", lambda: (hasty, mujoco.MjData(hasty)))
    assert Gait().evaluate(instance(), np.array([[BEST_SINE]], np.float32)) == 0
    data = mujoco.MjData(model)
    data.qpos[0] = np.nan
    assert gait.travelled(data) == 0


def test_nothing_is_written_where_the_process_runs(tmp_path: Path) -> None:
    gait._robot.cache_clear()
    Gait().evaluate(instance(), np.zeros((1, 1, 13), np.float32))
    assert os.listdir(tmp_path) == []


@pytest.mark.parametrize("controller", ["cosine", 1, None, ["sine"]])
def test_an_unknown_controller_is_refused(controller: Any) -> None:
    with pytest.raises(ValueError, match=r"controller: expected one of \['sine', 'linear'\]"):
        Gait(controller=controller)


def test_a_missing_mujoco_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ImportError, match=r"Gait needs mujoco.*ombo-gym\[robotics\]"):
        Gait()
