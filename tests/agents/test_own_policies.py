"""What `make` says of classes, folders and environments that are not what it takes."""

from __future__ import annotations

import gymnasium as gym
import pytest

import ombo_agents
import ombo_gym
from ombo_agents.policy import ControlPolicy, DesignsPolicy
from ombo_gym.problems.synthetic.gp import GP
from ombo_gym.utilities import Best, make_utility


class Step(DesignsPolicy):
    """Has a setting."""

    def __init__(self, spec, *, step=1.0):
        super().__init__(spec)
        self.step = step


class Player:
    """No policy."""


def test_settings_of_ones_own_class_are_read_from_the_name_and_from_keywords():
    env, name = gym.make("Ombo/GP-v0"), f"{__name__}:Step"
    assert ombo_agents.make(f"{name}:step=0.5", env).step == 0.5
    assert ombo_agents.make(f"{name}:step=0.5", env, step=2).step == 2
    assert ombo_agents.make(name, env).step == 1.0
    assert ombo_agents.supports(f"{name}:step=0.5", env)
    with pytest.raises(ValueError, match="unexpected keyword argument 'stop'"):
        ombo_agents.make(f"{name}:stop=0.5", env)


@pytest.mark.parametrize("attribute", ["Player", "__doc__", "gym"])
def test_what_is_no_policy_is_refused_with_the_base_class(attribute):
    with pytest.raises(ValueError, match=r"expected a subclass of ombo_agents\.Policy"):
        ombo_agents.make(f"{__name__}:{attribute}", gym.make("Ombo/GP-v0"))


def test_what_takes_the_place_of_a_name_a_spec_or_an_environment_is_refused_with_the_way():
    env = gym.make("Ombo/GP-v0")
    with pytest.raises(ValueError, match=r"policy: expected.*Class\(ombo_gym.campaign_spec\(env"):
        ombo_agents.make(Step, env)
    for build in (Step, lambda given: ControlPolicy.__init__(Step.__new__(Step), given, "designs")):
        with pytest.raises(ValueError, match=r"spec: expected a CampaignSpec, got .*campaign_spec"):
            build(env)
    with pytest.raises(ValueError, match=r"expected a CampaignSpec or an environment of ombo_gym"):
        ombo_agents.make("ucb", GP())


def test_an_unfinished_run_is_named_as_one(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run = tmp_path / "runs" / "a"
    run.mkdir(parents=True)
    env = gym.make("Ombo/GP-v0")
    with pytest.raises(ValueError, match=r"'runs/a', which has no config\.json"):
        ombo_agents.make("runs/a", env)
    (run / "state.safetensors").write_bytes(b"")
    for function in (ombo_agents.make, ombo_agents.supports):
        with pytest.raises(ValueError, match=r"runs/a is a run that is unfinished, .*--resume"):
            function("runs/a", env)


def test_a_class_in_place_of_an_object_is_refused_with_the_object():
    with pytest.raises(ValueError, match="or module:Class of your own, or an object of it"):
        make_utility(Best)
    with pytest.raises(ValueError, match="or an object of a class of your own"):
        ombo_gym.CampaignEnv(GP)


def test_an_argument_that_a_utility_cannot_read_is_named(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "worth.py").write_text(
        "from ombo_gym.utilities import LastMean\n"
        "class Worth(LastMean):\n"
        "    name = 'worth'\n"
        "    def __init__(self, top): self.top = float(top)\n"
        "class Nobody: pass\n"
    )
    with pytest.raises(ValueError, match=r"utility: 'worth' cannot take .*'top': 'x'"):
        make_utility({"name": "worth:Worth", "top": "x"})
    with pytest.raises(ValueError, match=r"expected a subclass of ombo_gym\.Utility"):
        make_utility("worth:Nobody")
