"""Run folders that are damaged, or were made by somebody with bad intentions."""

from __future__ import annotations

import json
import os
import shutil
import struct

import gymnasium as gym
import numpy as np
import pytest
import safetensors.numpy
import safetensors.torch
import torch
from safetensors import safe_open

import ombo_agents
from ombo_agents.cli.arguments import report_errors
from ombo_agents.learned.storage import build_network, load, read_config, save, shape_of
from ombo_agents.learned.training_state import TrainingState
from tests.agents.accidents import fuzz
from tests.agents.direct_cases import BOX, ONCE, POOL, spec_of
from tests.agents.training_cases import Stops, left, run

ENV = "Ombo/GP-v0"
SPEC = gym.make(ENV).unwrapped.campaign_spec
NAME = "exploration"
LAYER = "mlp_extractor.policy_net.0.weight"


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    folder = tmp_path_factory.mktemp("whole") / "run"
    torch.manual_seed(0)
    network = build_network("exploration", SPEC, [8, 8])
    save(folder, network, {"agent": "exploration", "hidden": [8, 8], "seed": 0})
    return folder


@pytest.fixture
def folder(whole, tmp_path):
    return shutil.copytree(whole, tmp_path / "run")


def refusal(folder, spec=SPEC):
    """The line with which a folder is refused."""
    with pytest.raises(ValueError) as caught:
        ombo_agents.make(str(folder), spec)
    message = str(caught.value)
    assert str(folder) in message and "\n" not in message and len(message) < 1000
    with pytest.raises(SystemExit) as ended, report_errors():  # as the commands do
        ombo_agents.make(str(folder), spec)
    assert ended.value.code == f"error: {message}"
    return message


# --- weights ----------------------------------------------------------------------------------


def rewritten(folder, change):
    file = folder / "policy.safetensors"
    tensors = safetensors.torch.load_file(file)
    change(tensors)
    file.write_bytes(safetensors.torch.save(tensors))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("name", [LAYER, "log_std", "value_net.bias"])
def test_a_diverged_network_is_refused_with_the_name_of_its_tensor(folder, name, value):
    rewritten(folder, lambda tensors: tensors[name].view(-1)[-1:].fill_(value))
    message = refusal(folder)
    assert "policy.safetensors" in message and name in message and "NaN or infinity" in message


def test_what_overflows_single_precision_is_refused_too(folder):
    rewritten(folder, lambda tensors: tensors.update({LAYER: tensors[LAYER].double() * 1e300}))
    assert LAYER in refusal(folder)


TENSORS = {
    "another shape": (lambda t: t.update({LAYER: t[LAYER][:, :-1].contiguous()}), [LAYER, "(8, "]),
    "the same numbers in another shape": (
        lambda t: t.update({LAYER: t[LAYER].T.contiguous()}),
        [LAYER, "(8, "],
    ),
    "one that is missing": (lambda t: t.pop(LAYER), [LAYER, "missing"]),
    "all but one": (lambda t: [t.pop(name) for name in list(t)[1:]], ["missing"]),
    "none": (lambda t: t.clear(), ["missing"]),
    "one too many": (lambda t: t.update({"further": torch.zeros(3)}), ["'further'"]),
    "a long name": (lambda t: t.update({"x" * 10_000: torch.zeros(3)}), ["xxx"]),
    "a name of two lines": (lambda t: t.update({"a\nb": torch.zeros(3)}), ["'a\\nb'"]),
    "whole numbers": (lambda t: t.update({LAYER: t[LAYER].long()}), [LAYER, "I64"]),
    "truths": (lambda t: t.update({LAYER: t[LAYER] > 0}), [LAYER, "BOOL"]),
}


@pytest.mark.parametrize("case", TENSORS)
def test_tensors_that_are_not_the_network_s_are_refused_by_name(folder, case):
    change, named = TENSORS[case]
    rewritten(folder, change)
    message = refusal(folder)
    assert "policy.safetensors" in message and all(each in message for each in named)


@pytest.mark.parametrize("dtype", [torch.float64, torch.float16, torch.bfloat16])
def test_other_floats_are_read(folder, dtype):
    rewritten(folder, lambda tensors: tensors.update({n: t.to(dtype) for n, t in tensors.items()}))
    load(folder, SPEC)


def header(text):
    return struct.pack("<Q", len(text)) + text


BYTES = {
    "empty": b"",
    "eight bytes": bytes(8),
    "garbage": b"\x07" * 400,
    "a header that is longer than the file": struct.pack("<Q", 10**6) + b"{}",
    "a header of exabytes": struct.pack("<Q", 2**63) + b"{}",
    "a header that is no JSON": header(b"{{{{"),
    "a header that is a list": header(b"[]"),
    "a header that is nested too deeply": header(b'{"a":' + b"[" * 100_000),
    "offsets behind the end": header(
        b'{"log_std":{"dtype":"F32","shape":[2],"data_offsets":[0,8]}}'
    ),
    "offsets that are swapped": header(
        b'{"log_std":{"dtype":"F32","shape":[2],"data_offsets":[8,0]}}'
    )
    + bytes(8),
    "a shape of exabytes": header(
        b'{"log_std":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,8]}}'
    )
    + bytes(8),
    "a pickle": b"\x80\x04\x95\x0b\x00\x00\x00\x00\x00\x00\x00\x8c\x07builtin\x94.",
}


@pytest.mark.parametrize("case", BYTES)
def test_a_damaged_file_of_weights_is_one_line(folder, case):
    (folder / "policy.safetensors").write_bytes(BYTES[case])
    assert "policy.safetensors" in refusal(folder)


@pytest.mark.parametrize("share", [0.01, 0.3, 0.9, 0.999])
def test_a_truncated_file_of_weights_is_one_line(folder, share):
    content = (folder / "policy.safetensors").read_bytes()
    (folder / "policy.safetensors").write_bytes(content[: int(share * len(content))])
    assert "damaged" in refusal(folder)


@pytest.mark.parametrize("name", ["policy.safetensors", "config.json"])
@pytest.mark.parametrize("kind", ["a folder", "a pipe", "a loop of links", "nothing"])
def test_what_is_no_file_is_one_line(folder, name, kind):
    file = folder / name
    file.unlink()
    if kind == "a folder":
        file.mkdir()
    elif kind == "a pipe":
        os.mkfifo(file)
    elif kind == "a loop of links":
        file.symlink_to(file)
    with pytest.raises(ValueError, match=name.replace(".", r"\.")) as caught:
        load(folder, SPEC)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("case", [BOX, POOL, ONCE], ids=["box", "pool", "once"])
def test_networks_that_propose_designs_are_checked_likewise(case, tmp_path):
    spec = spec_of(case)
    config = {"agent": "direct", "hidden": [8, 8], **shape_of(spec)}
    save(tmp_path / "run", build_network("direct", spec, [8, 8]), config)
    names = safetensors.torch.load_file(tmp_path / "run/policy.safetensors")
    load(tmp_path / "run", spec)
    for name in names:
        copy = shutil.copytree(tmp_path / "run", tmp_path / "copy", dirs_exist_ok=True)
        rewritten(copy, lambda tensors, name=name: tensors[name].view(-1)[:1].fill_(torch.nan))
        assert "NaN or infinity" in refusal(copy, spec)  # a shared tensor has several names
        shutil.copy(tmp_path / "run/policy.safetensors", copy)
        rewritten(copy, lambda tensors, name=name: tensors.pop(name))
        assert "is missing" in refusal(copy, spec)


def test_weights_that_are_finite_but_overflow_in_play_are_an_error_and_not_a_proposal(tmp_path):
    spec = spec_of(BOX)
    config = {"agent": "direct", "hidden": [8, 8], **shape_of(spec)}
    network = build_network("direct", spec, [8, 8])
    with torch.no_grad():
        for weights in network.parameters():
            weights.fill_(3e38)
    save(tmp_path, network, config)
    env = gym.make_vec(BOX[0], 3, **BOX[1])
    policy = ombo_agents.make(str(tmp_path), env)
    observation, _ = env.reset(seed=0)
    for _ in range(2):
        observation["measurements"][1] = np.nan  # whatever was seen
        with pytest.raises(ValueError, match="outputs are not finite for campaign"):
            policy.act(observation, np.random.default_rng(0))


# --- configurations ---------------------------------------------------------------------------

CONFIGS = {
    "deeply nested": "[" * 100_000,
    "a deeply nested value": '{"agent": "exploration", "hidden": [8, 8], "x": ' + "[" * 10**5,
    "a number of a million digits": '{"agent": "exploration", "hidden": [' + "9" * 10**6 + "]}",
    "an agent that is null": '{"agent": null, "hidden": [8, 8]}',
    "an agent that is a dict": '{"agent": {}, "hidden": [8, 8]}',
    "layers that are a dict": '{"agent": "exploration", "hidden": {}}',
    "layers that are text": '{"agent": "exploration", "hidden": "88"}',
    "layers that are null": '{"agent": "exploration", "hidden": null}',
    "layers that are truths": '{"agent": "exploration", "hidden": [true, true]}',
    "layers that are broken": '{"agent": "exploration", "hidden": [8.0, 8]}',
    "negative layers": '{"agent": "exploration", "hidden": [-8, 8]}',
    "infinite layers": '{"agent": "exploration", "hidden": [Infinity]}',
    "text": '"exploration"',
    "null": "null",
    "not UTF-8": b"\xff\xfe\x00",
    "a byte order mark": b"\xef\xbb\xbf{}",
    "NUL bytes": bytes(100),
}


@pytest.mark.parametrize("case", CONFIGS)
def test_a_damaged_configuration_is_one_line(folder, case):
    content = CONFIGS[case]
    content = content.encode() if isinstance(content, str) else content
    (folder / "config.json").write_bytes(content)
    assert "config.json" in refusal(folder)
    with pytest.raises(ValueError, match=r"config\.json"):
        ombo_agents.supports(str(folder), SPEC)


@pytest.mark.parametrize(
    ("hidden", "why"),
    [
        ([8] * 3000, "at most 64 layers, got 3,000"),
        ([10**9], "weights"),
        ([10**9, 10**9], "GiB"),
        ([10**30], "weights"),
        ([8, 10**8], "weights"),
    ],
)
def test_layers_that_nobody_can_hold_are_refused_before_they_are_built(folder, hidden, why):
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "hidden": hidden}))
    assert why in refusal(folder)


# --- states -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def begun(tmp_path_factory):
    folder = tmp_path_factory.mktemp("begun") / "run"
    with pytest.raises(KeyboardInterrupt):
        run(NAME, folder, callback=Stops(12))
    return folder


@pytest.fixture
def state(begun, tmp_path):
    return shutil.copytree(begun, tmp_path / "begun") / "state.safetensors"


def resumption(state):
    """The line with which going on is refused."""
    with pytest.raises(ValueError) as caught:
        run(NAME, state.parent, resume=True)
    message = str(caught.value)
    assert str(state.parent) in message and "\n" not in message and len(message) < 1000
    return message


@pytest.mark.parametrize("case", BYTES)
def test_a_damaged_state_is_one_line(state, case):
    state.write_bytes(BYTES[case])
    message = resumption(state)
    assert "state.safetensors" in message and "damaged" in message


def test_a_changed_bit_anywhere_is_noticed(state):
    content, rng = state.read_bytes(), np.random.default_rng(0)
    begins = 8 + struct.unpack("<Q", content[:8])[0]
    for position in (begins, len(content) - 1, *rng.integers(begins, len(content), 3)):
        changed = bytearray(content)
        changed[position] ^= 1
        state.write_bytes(changed)
        assert "checksum" in resumption(state)


def forged(state, change):
    """A state whose checksum is right, whatever was changed."""
    with safe_open(state, framework="numpy") as opened:
        facts = json.loads(opened.metadata()["training"])["facts"]
        arrays = {name: opened.get_tensor(name).copy() for name in opened.keys()}
    change(arrays, facts)
    TrainingState(arrays, facts).write(state)


def _set(name, value):
    return lambda arrays, facts: arrays.update({name: value(arrays[name])})


WEIGHTS = f"weights.{LAYER}"
FORGED = {
    "weights that are NaN": _set(WEIGHTS, lambda a: a * np.nan),
    "weights of another shape": _set(WEIGHTS, lambda a: a[:-1]),
    "weights of another kind": _set(WEIGHTS, lambda a: a.astype(np.float64)),
    "weights that are missing": lambda arrays, facts: arrays.pop(WEIGHTS),
    "an array too many": lambda arrays, facts: arrays.update({"further": np.zeros(3)}),
    "rounds beyond the horizon": _set("campaigns.rounds", lambda a: a + 100),
    "negative rounds": _set("campaigns.rounds", lambda a: a - 100),
    "other campaigns": _set("campaigns.keys", lambda a: a + np.uint64(1)),
    "actions out of bounds": _set("campaigns.actions", lambda a: a + 5),
    "actions that are NaN": _set("campaigns.actions", lambda a: a * np.nan),
    "generators of torch that are none": _set("generators.torch", lambda a: a * 0 + 255),
    "facts about nothing": lambda arrays, facts: facts.clear(),
    "no rounds": lambda arrays, facts: facts.pop("rounds"),
    "rounds that are text": lambda arrays, facts: facts.update(rounds="many"),
    "rounds that are negative": lambda arrays, facts: facts.update(rounds=-5),
    "updates that are broken": lambda arrays, facts: facts.update(updates=0.5),
    "generators that are none": lambda arrays, facts: facts.update(generators=[1, 2]),
    "too few generators": lambda arrays, facts: facts["generators"].pop(),
    "a generator of another kind": lambda arrays, facts: facts["generators"][0].update(
        bit_generator="MT19937"
    ),
    "a generator that is too large": lambda arrays, facts: facts["generators"][0]["state"].update(
        state=2**200
    ),
    "a position out of bounds": lambda arrays, facts: facts["numpy"].update(pos=10**6),
    "a position that is text": lambda arrays, facts: facts["numpy"].update(pos="0"),
    "steps that are text": lambda arrays, facts: facts["run"]["settings"].update(steps="160"),
    "settings that are none": lambda arrays, facts: facts["run"].update(settings=[]),
    "seconds that are text": lambda arrays, facts: facts.update(seconds="long"),
    "an extension that is none": lambda arrays, facts: facts.update(extended=3),
}


@pytest.mark.parametrize("case", FORGED)
def test_a_state_that_was_forged_is_one_line(state, case):
    forged(state, FORGED[case])
    resumption(state)


def test_what_is_forged_here_is_nothing_but_what_was_changed(state, tmp_path):
    """Or the test above would say nothing."""
    forged(state, lambda arrays, facts: None)
    run(NAME, state.parent, resume=True)
    run(NAME, tmp_path / "whole")
    assert left(state.parent) == left(tmp_path / "whole")


def fuzz_all(folder, state, inputs):
    from ombo_agents.learned import training_state

    env = gym.make(ENV)
    fuzz(folder, "config.json", inputs, lambda: read_config(folder))
    shutil.copy(folder / "config.json", folder / "kept")
    save(
        folder,
        build_network("exploration", SPEC, [8, 8]),
        {"agent": "exploration", "hidden": [8, 8]},
    )
    fuzz(folder, "policy.safetensors", inputs, lambda: ombo_agents.make(str(folder), env))
    with safe_open(state, framework="numpy") as opened:
        arrays = {name: opened.get_tensor(name) for name in opened.keys()}
    like = TrainingState(arrays, {})

    def read():
        training_state.read_facts(state)
        training_state.read_state(state, like)

    fuzz(state.parent, "state.safetensors", inputs, read)


def test_a_hundred_damaged_files_of_each_kind_are_one_line_or_read(folder, state, tmp_path):
    fuzz_all(folder, state, 100)


@pytest.mark.slow
def test_ten_thousand_damaged_files_of_each_kind_are_one_line_or_read(folder, state, tmp_path):
    fuzz_all(folder, state, 10_000)
