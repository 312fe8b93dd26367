"""Rounds of different sizes, from the command line to the report; utilities that take arguments."""

from __future__ import annotations

import json
import re

import gymnasium as gym
import numpy as np
import pytest
import tyro
from pages_apart import leave_out_pictures

import ombo_gym
from ombo_agents.cli.arguments import report_errors
from ombo_agents.policy import DesignsPolicy
from ombo_gym.design_spaces import MixedDesigns
from ombo_gym.evaluation import evaluate as evaluate_module
from ombo_gym.evaluation import resampling
from ombo_gym.evaluation.cells import Cell, play
from ombo_gym.evaluation.grid import read_grid
from ombo_gym.evaluation.plan import EvaluationPlan
from ombo_gym.evaluation.plates import batch_words, measurements, plates_of
from ombo_gym.evaluation.run import run
from ombo_gym.evaluation.tables import read_table
from ombo_gym.problems.core.base import Problem
from scripts import evaluate

ENV = "Ombo/GP-v0"
PLATES = [5, 3, 2]
KWARGS = json.dumps({"plates": PLATES})
POLICIES = ("random", "ucb", "explore_then_exploit")
UTILITIES = ("best", "auc", "last_quantile:quantile=0.9")


def command(*arguments):
    with report_errors():
        evaluate.main(tyro.cli(evaluate.Args, args=list(map(str, arguments))))


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """What `evaluate --plates` leaves."""
    out = tmp_path_factory.mktemp("plates")
    flags = ("--plates", "5,3,2", "--utility", ",".join(UTILITIES), "--campaigns", 4)
    where = ("--policies", ",".join(POLICIES), "--backend", "sequential", "--out", out)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(resampling, "RESAMPLES", 100)
        leave_out_pictures(patch)
        command(*flags, *where)
    return out


def by_hand(plates, utility, seed, policy):
    """A campaign of the single environment; its worth by the definition of the utility."""
    env = gym.make(ENV, plates=plates)
    _, info = env.reset(seed=seed)
    base, batches = info["best_value"], []
    spec = ombo_gym.campaign_spec(env)
    assert spec.horizon == len(plates)
    for size, action in zip(plates, policy, strict=True):
        _, _, _, _, info = env.step(action)
        batches.append(info["true_values"][:size])
        assert np.isnan(info["true_values"][size:]).all()
    so_far = np.maximum.accumulate([max(base, batch.max()) for batch in batches])
    return {
        "best": so_far[-1] - base,
        "auc": so_far.mean() - base,
        "last_quantile:quantile=0.9": np.quantile(batches[-1], 0.9),
    }[utility]


class Recorded(DesignsPolicy):
    """Random batches that anybody can draw again."""

    @staticmethod
    def batch(number, rows):
        return np.random.default_rng(number).uniform(-1, 1, (rows, max(PLATES), 2))

    def propose(self, observation, rngs, q):
        rows = len(observation["rounds_left"])
        number = int(observation["rounds_left"].max())
        return self.batch(number, rows)[:, :q].astype(np.float32)


@pytest.mark.parametrize("utility", UTILITIES)
def test_a_campaign_of_plates_is_worth_what_the_single_env_pays_by_definition(utility):
    plan = EvaluationPlan(
        ENV, [f"{__name__}:Recorded"], plates=PLATES, utilities=[utility], campaigns=3
    )
    found = run(plan).campaigns
    batches = [Recorded.batch(len(PLATES) - n, 3).astype(np.float32) for n in range(len(PLATES))]
    for row in found[found["told_horizon"] == "true"].itertuples():
        actions = [batch[row.campaign] for batch in batches]
        assert row.value == pytest.approx(by_hand(PLATES, utility, row.seed, actions))


def test_the_tables_say_how_many_plates_the_largest_and_all_of_them(folder):
    campaigns = read_table(folder / "campaigns.csv")
    assert set(campaigns["horizon"]) == {3} and set(campaigns["batch_size"]) == {5}
    assert set(campaigns["env_kwargs"]) == {KWARGS}
    assert list(dict.fromkeys(campaigns["utility"])) == list(UTILITIES)
    assert len(campaigns) == 3 * 2 * 3 * 4
    for name in ("summary", "paired", "ranks", "exploration"):
        table = read_table(folder / f"{name}.csv")
        assert set(table["env_kwargs"]) == {KWARGS} and set(table["horizon"]) == {3}
        assert set(table["utility"]) <= set(UTILITIES)
    config = json.loads((folder / "config.json").read_text())
    assert config["plates"] == PLATES and not {"horizons", "batch_size", "budget"} & set(config)
    assert config["utilities"] == list(UTILITIES)
    assert (folder / "errors.csv").read_text().count("\n") == 1


def test_the_report_speaks_of_batches_of_2_to_5_and_of_each_utility(folder):
    page = (folder / "report.html").read_text()
    assert "a batch of <b>q = 2 to 5</b> designs a round" in page
    assert "Ombo/GP-v0 (plates=[5, 3, 2])" in page
    assert "q = 5/3/2" in page.replace("\xa0", " ") and "distinct of 5/3/2" in page
    for words in ("mean over rounds of the best true value", "A quantile of the last batch"):
        assert words in page


def test_replays_hold_each_round_s_own_number_of_designs(folder):
    replays = json.loads((folder / "replays.json").read_text())
    assert {each["policy"] for each in replays["plays"]} == set(POLICIES)
    for each in replays["plays"]:
        assert each["rounds"] == [0] * 4 + [1] * 5 + [2] * 3 + [3] * 2
        assert len(each["designs"]) == len(each["values"]) == 14
    data = re.search(r'id="replays">(.*?)</script>', (folder / "report.html").read_text())
    assert {each["batch"] for each in json.loads(data[1])["plays"]} == {"5/3/2"}


def test_what_was_printed_names_the_plates(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(evaluate_module, "write_report", lambda folder: None)  # takes seconds
    where = ("--policies", "random", "--backend", "sequential", "--out", tmp_path)
    command("--plates", "4,1", "--campaigns", 2, *where)
    said = capsys.readouterr().out
    assert "Ombo/GP-v0 (plates=[4, 1]), utility best, q=4/1, 2 campaigns" in said


class OneDesign:
    """The same design in every slot that is measured, others behind; tells what it sees."""

    seen: list = []  # noqa: RUF012

    def __init__(self, spec):
        self.spec = spec

    def act(self, observation, rng):
        self.seen.append((observation["rounds_left"].copy(), observation["plates"].copy()))
        batch = np.zeros((len(observation["plates"]), self.spec.batch_size, 2), np.float32)
        size = int(observation["plates"][0, 0])
        batch[:, size:] = np.linspace(0.1, 1, batch.shape[1] - size)[:, None]
        return batch


@pytest.mark.parametrize("told", ["true", "one"])
def test_only_slots_that_are_measured_count_as_distinct_and_told_one_hides_plates(told):
    OneDesign.seen.clear()
    cell = Cell(ENV, f"{__name__}:OneDesign", told, 3, 5, "best", 0, 0, 2, env_kwargs=KWARGS)
    assert play(cell).columns["distinct"].tolist() == [1.0, 1.0]
    rounds, plates = (np.array(each)[:, 0] for each in zip(*OneDesign.seen, strict=True))
    if told == "true":
        assert rounds.ravel().tolist() == [3, 2, 1]
        assert plates.tolist() == [[5, 3, 2], [3, 2, 0], [2, 0, 0]]
    else:
        assert rounds.ravel().tolist() == [1, 1, 1]
        assert plates.tolist() == [[5, 0, 0], [3, 0, 0], [2, 0, 0]]


def test_plates_make_other_cells_of_the_same_campaigns():
    plates, reverse = (
        EvaluationPlan(ENV, ["random"], plates=each, campaigns=3) for each in ([4, 2], [2, 4])
    )
    plain = EvaluationPlan(ENV, ["random"], [2], batch_size=4, campaigns=3)
    assert len({plan.cells()[0].key for plan in (plates, reverse, plain)}) == 3
    table = run([plates, reverse, plain]).campaigns
    assert len(table) == 3 * 2 * 3
    starts = (table["best_value"] - table["value"]).groupby(table["seed"])
    assert (starts.max() - starts.min()).max() < 1e-12  # utility "best" counts from the start's


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ({"horizons": [2]}, r"plates: .*go without horizons, .*got plates=\[5, 3, 2\].*'horizons'"),
        ({"batch_size": 4}, r"plates: .*together with \{'batch_size': 4\}"),
        ({"budget": 12}, r"plates: .*together with \{'budget': 12\}"),
        ({"plates": []}, r"plates: expected batch sizes of at least 1, one a round, got \[\]"),
        ({"plates": [3, 0]}, r"plates: expected batch sizes of at least 1, .* got \[3, 0\]"),
        ({"plates": [3, True]}, "plates: expected batch sizes"),
        ({"plates": None}, r"horizons: expected at least one, each once, got \[\]"),
        ({"env_kwargs": {"plates": [2]}}, r"env_kwargs: .*\['plates'\].*the plan says itself"),
    ],
)
def test_plates_beside_what_they_replace_are_refused(given, message):
    with pytest.raises(ValueError, match=message):
        EvaluationPlan(**{"env": ENV, "policies": ["random"], "plates": PLATES, **given})


@pytest.mark.parametrize(
    ("flag", "value"), [("--horizons", "1,2"), ("--batch-size", 4), ("--budget", 10)]
)
def test_the_command_refuses_plates_beside_what_they_replace(flag, value, tmp_path):
    with pytest.raises(SystemExit, match=r"error: plates: they lay down .* together with"):
        command("--policies", "random", "--plates", "3,2", flag, value, "--out", tmp_path)
    with pytest.raises(SystemExit, match="error: --plates: expected whole numbers"):
        command("--policies", "random", "--plates", "3;2", "--out", tmp_path)


def test_a_problem_of_a_grid_has_plates_or_rounds_of_its_own_and_utilities_as_dicts(tmp_path):
    file = tmp_path / "grid.yaml"
    file.write_text(
        "horizons: [1, 2]\nbatch_size: 6\npolicies: [random, 'ucb']\nproblems:\n"
        "- {env: Ombo/GP-v0, plates: [24, 24, 8]}\n"
        "- {env: Ombo/GP-v0, utilities: [{name: last_quantile, quantile: 0.25}, auc]}\n"
    )
    laid_down, plain = read_grid(file)
    assert laid_down.plates == [24, 24, 8] and laid_down.rounds == [(3, 24)]
    assert plain.plates is None and plain.rounds == [(1, 6), (2, 6)]
    assert plain.utilities == ["last_quantile:quantile=0.25", "auc"]
    assert {cell.utility for cell in plain.cells()} == set(plain.utilities)
    file.write_text(
        "plates: [3, 2]\npolicies: all\nwithout: [random]\nutilities: [auc]\nproblems:\n"
        "- {env: Ombo/TFBinding-v0}\n- {env: Ombo/GP-v0, horizons: [4], budget: 8}\n"
    )
    laid_down, plain = read_grid(file)
    assert "genetic" in laid_down.policies and "sobol" not in laid_down.policies
    assert plain.plates is None and plain.rounds == [(4, 2)] and "sobol" in plain.policies


@pytest.mark.parametrize(
    "given", ["last_quantile:quantile=.50", {"name": "last_quantile", "quantile": 0.5}]
)
def test_a_utility_has_one_text_however_it_was_given(given):
    (cell,) = EvaluationPlan(ENV, ["random"], [1], utilities=[given]).cells()[:1]
    assert cell.utility == "last_quantile:quantile=0.5"
    with pytest.raises(ValueError, match="utilities: expected at least one, each once"):
        EvaluationPlan(ENV, ["random"], [1], utilities=[given, "last_quantile:quantile=0.5"])


def test_words_about_plates():
    assert plates_of(KWARGS) == PLATES and plates_of("{}") is None and plates_of("x") is None
    assert (batch_words(KWARGS, 5), batch_words('{"dim": 2}', 5)) == ("5/3/2", "5")
    assert (measurements(KWARGS, 3, 5), measurements("{}", 3, 5)) == (10, 15)


# --- numbers and categories -------------------------------------------------------------------


class Brew(Problem):
    """Warm, and in the right solvent."""

    optimum_known = optimum_exact = True

    def __init__(self):
        self.design_space = MixedDesigns({"degrees": (20, 100), "solvent": ["DMF", "THF"]})

    def draw(self, rngs):
        return {"top": rngs.random(())}

    def evaluate(self, instances, designs):
        return designs[..., 2] - (designs[..., 0] - instances["top"][:, None]) ** 2

    def optimum(self, instances):
        return 1.0 + 0 * instances["top"]


gym.register(
    "Test/Brew-v0",
    entry_point="ombo_gym.env:CampaignEnv",
    vector_entry_point="ombo_gym.vector_env:CampaignVectorEnv",
    kwargs={"problem": f"{__name__}:Brew"},
)


class SoftChoices:
    """One design in many ways to write it: the largest level is meant."""

    def __init__(self, spec):
        self.spec = spec

    def act(self, observation, rng):
        rows, q = len(observation["plates"]), self.spec.batch_size
        levels = np.linspace(0.1, 1, q)
        return np.broadcast_to(
            np.column_stack([np.zeros(q), -levels, levels]), (rows, q, 3)
        ).astype(np.float32)


def test_designs_of_numbers_and_categories_are_replayed_as_text_and_told_apart_by_what_they_mean():
    policies = ["random", "ucb", f"{__name__}:SoftChoices"]
    results = run(
        EvaluationPlan("Test/Brew-v0", policies, plates=[4, 2], campaigns=2, told=["true"])
    )
    distinct = results.campaigns.groupby("policy")["distinct"].unique()
    assert distinct["random"] == [3.0] and distinct[policies[-1]] == [1.0]
    (first, _) = results.replays["scenes"]
    assert first["space"] == "mixed" and first["landscape"] is None and first["optimum"] == 1.0
    for each in results.replays["plays"]:
        assert len(each["designs"]) == 4 + 6
        assert all("DMF" in design or "THF" in design for design in each["designs"])
    assert results.campaigns["score"].between(0, 1).all()


# --- what a policy of one's own is given, and which instance it played -------------------------


class Cheat:
    """Looks its values up, in what it was given."""

    def __init__(self, game):
        self.game = game

    def act(self, observation, rng):
        x = np.zeros((len(observation["rounds_left"]), 4, 2), np.float32)
        self.game.problem.evaluate(self.game.campaigns.instances, x)
        return x


def test_a_policy_that_looks_its_values_up_fails():
    plan = EvaluationPlan(ENV, [f"{__name__}:Cheat", "random"], [1], campaigns=2, told=["true"])
    results = run(plan)
    assert results.campaigns["policy"].unique().tolist() == ["random"]
    (error,) = results.errors["error"]
    assert error.startswith("AttributeError")


@pytest.mark.parametrize("split", ["train", "test"])
def test_the_instance_is_the_number_within_the_split_that_the_reset_tells(split):
    arguments = {"split": split, "start": {"kind": "none"}}
    plan = EvaluationPlan(
        "Ombo/TFBinding-v0", ["random"], [1], campaigns=5, block=2, env_kwargs=arguments
    )
    found = run(plan).campaigns
    assert str(found["instance"].dtype) == "Int64"
    env = gym.make("Ombo/TFBinding-v0", **arguments)
    for seed, group in found.groupby("seed"):
        _, info = env.reset(seed=seed)
        assert group["instance"].tolist() == [info["instance"]] * 2


def test_without_a_collection_there_is_no_instance():
    assert run(EvaluationPlan(ENV, ["random"], [1], campaigns=2)).campaigns["instance"].isna().all()
