"""The conformance suite for utilities: what environments, planners and tables take for granted."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import numpy as np
from gymnasium.vector import AutoresetMode
from numpy.typing import NDArray

from ombo_gym.problems.core.base import Problem
from ombo_gym.spec import CampaignSpec, campaign_spec
from ombo_gym.testing.base import SEED, Conformance, assert_same, play
from ombo_gym.utilities import Aim, Utility, make_utility
from ombo_gym.utility_checks import checked_gain
from ombo_gym.utility_tracker import UtilityTracker

Floats = NDArray[np.float64]

_FLAGS = ("last_round_only", "repeats_pay", "needs_posterior", "linear")
_CLOSE: dict[str, Any] = {"rtol": 1e-9, "atol": 1e-9}
CAMPAIGNS, SLOTS, ROUNDS = 5, 3, 3  # R, q, N


class UtilityConformance:
    """All that a utility promises; subclass it in a test file, and pytest collects its checks.

    Attributes:
        utility: What environments take: an object, a dict, or a text such as
            `"module:Class:key=value"`.
        gains_add_up: Whether a finished campaign is worth the sum of its rounds' gains, times
            `share_of_gain`; False for one whose `value` says something else, for which planners
            are a guess.
        monotone: Whether a batch with larger values is worth no less; policies look for large ones.
        campaigns: Problem and arguments of the campaigns that are played; "Bandit" in place of
            problems without an exact posterior, where it is needed.

    Example:
        >>> class TestLastQuantile(UtilityConformance):
        ...     utility = "last_quantile:quantile=0.9"
    """

    utility: ClassVar[Any]
    gains_add_up: ClassVar[bool] = True
    monotone: ClassVar[bool] = True
    campaigns: ClassVar[Sequence[tuple[str | Problem, dict[str, Any]]]] = (
        ("GP", {"horizon": [1, 3], "batch_size": [1, 3], "start": {"kind": "none"}}),
        ("CrossedBarrel", {"plates": [2, 1, 3], "start": {"kind": "percentile", "size": 5}}),
    )

    def made(self) -> Utility:
        """The utility as an object.

        Raises:
            AssertionError: It cannot be made; says what to write.
        """
        try:
            return make_utility(self.utility)
        except ValueError as error:
            raise AssertionError(str(error)) from error

    # --- what it says of itself -----------------------------------------------------------------

    def test_the_utility_says_what_it_is(self) -> None:
        """For people: its docstring; for policies: its class attributes."""
        utility = self.made()
        kind = type(utility)
        assert (kind.__doc__ or "").strip() and kind.__doc__ != Utility.__doc__, (
            f"{kind.__name__}: expected a docstring, which says what a campaign is worth"
        )
        for flag in _FLAGS:
            given = getattr(utility, flag)
            assert isinstance(given, bool), (
                f"{kind.__name__}.{flag}: expected True or False, got {given!r}"
            )

    def test_it_is_built_again_from_what_tables_and_json_hold(self) -> None:
        """From its dict through JSON, its text, its pickle, and the spec of campaigns."""
        utility = self.made()
        spec = campaign_spec(self._cases()[0].single())
        copies: dict[str, Callable[[], Utility]] = {
            "JSON": lambda: make_utility(json.loads(json.dumps(utility.config()))),
            f"the text {str(utility)!r}": lambda: make_utility(str(utility)),
            "its pickle": lambda: pickle.loads(pickle.dumps(utility)),
            "the JSON of a CampaignSpec": lambda: CampaignSpec.from_json(spec.to_json()).utility,
        }
        batch, best = _batches(), _bests()
        for source, copy in copies.items():
            what = f"{type(utility).__name__} from {source}"
            try:
                other = copy()
            except Exception as error:
                raise AssertionError(
                    f"{what}: expected the same utility, got {type(error).__name__}: {error}"
                ) from error
            assert other == utility and hash(other) == hash(utility), (
                f"{what}: expected {utility!r}, got {other!r}"
            )
            assert_same(other.gain(batch, best, 1), utility.gain(batch, best, 1), what)

    # --- gains ----------------------------------------------------------------------------------

    def test_gains_are_numbers_one_a_campaign(self) -> None:
        """For campaigns in any shape, one alone too; planners try many batches, or bests, each."""
        utility = self.made()
        for shape in ((), (1,), (CAMPAIGNS,), (SLOTS,), (2, CAMPAIGNS)):
            for rounds_left in (1, 2, np.full(shape, 2), np.full(shape, 1)):
                for q in (1, SLOTS):
                    _gain(utility, _batches(*shape, q=q), _bests(*shape), rounds_left)
        batch, best = _batches(CAMPAIGNS), _bests(2, CAMPAIGNS)
        gains = np.broadcast_to(self._gain_of(utility, batch, best), best.shape)
        for row in range(2):
            _expect_equal(
                utility, "the same for each of several bests", gains[row], batch, best[row]
            )

    def _gain_of(self, utility: Utility, batch: Floats, best: Floats) -> Any:
        try:
            return utility.gain(batch, best, 1)
        except Exception as error:
            raise AssertionError(
                f"{type(utility).__name__}.gain: expected gains for a batch of shape {batch.shape} "
                f"with best of shape {best.shape}, got {type(error).__name__}: {error}; "
                "best[..., None] stands beside the designs of a batch"
            ) from error

    def test_a_campaigns_gain_is_its_own(self) -> None:
        """The same alone, in another order of campaigns, and in another order of its slots."""
        utility, batch, best = self.made(), _batches(CAMPAIGNS), _bests(CAMPAIGNS)
        for rounds_left in (1, 2):
            gains = _gain(utility, batch, best, rounds_left)
            for i in range(CAMPAIGNS):
                _expect_equal(
                    utility,
                    f"of campaign {i} what it is alone",
                    gains[i],
                    batch[i],
                    best[i],
                    rounds_left,
                )
            _expect_equal(
                utility,
                "the same in another order of campaigns",
                gains[::-1],
                batch[::-1],
                best[::-1],
                rounds_left,
            )
            _expect_equal(
                utility,
                "the same in another order of slots",
                gains,
                batch[:, ::-1],
                best,
                rounds_left,
            )

    def test_it_changes_nothing_and_says_the_same_again(self) -> None:
        """Batches stay as they were, and no state is kept."""
        utility, batch, best = self.made(), _batches(CAMPAIGNS), _bests(CAMPAIGNS)
        left = np.full(CAMPAIGNS, 2)
        first = _gain(utility, batch, best, left)
        for name, array, before in (
            ("batch", batch, _batches(CAMPAIGNS)),
            ("best", best, _bests(CAMPAIGNS)),
            ("rounds_left", left, np.full(CAMPAIGNS, 2)),
        ):
            assert np.array_equal(array, before), (
                f"{type(utility).__name__}.gain: expected {name} left as it was, got it changed"
            )
        _gain(utility, _batches(CAMPAIGNS, seed=1) + 3.0, best, 1)
        assert_same(_gain(utility, batch, best, left), first, f"{type(utility).__name__}.gain")

    # --- claims ---------------------------------------------------------------------------------

    def test_a_better_batch_is_worth_no_less(self) -> None:
        """With any of its values larger, with `monotone`; in the last round and before."""
        if not self.monotone:
            return
        utility, batch, best = self.made(), _batches(CAMPAIGNS), _bests(CAMPAIGNS)
        for rounds_left in (1, 2):
            gains = _gain(utility, batch, best, rounds_left)
            for slot in range(SLOTS):
                better = batch.copy()
                better[:, slot] += 2.0
                larger = _gain(utility, better, best, rounds_left)
                worse = np.flatnonzero(larger < gains - 1e-9)
                assert not len(worse), (
                    f"{type(utility).__name__}.gain: expected no less where a value is larger, got "
                    f"{gains[worse[0]]:g} for {batch[worse[0]]} and {larger[worse[0]]:g} for "
                    f"{better[worse[0]]}; if that is meant, say monotone = False in the test"
                )

    def test_what_only_the_last_round_pays_is_nothing_before(self) -> None:
        """With `last_round_only`; what is believed meanwhile, with `needs_posterior`, is."""
        utility, batch, best = self.made(), _batches(CAMPAIGNS), _bests(CAMPAIGNS)
        if utility.last_round_only:
            early = "nothing before the last round, as last_round_only says"
            _expect_equal(utility, early, np.zeros(CAMPAIGNS), batch, best, 2)
            _, utilities = _played(utility)
            assert utility.needs_posterior or not utilities[:-1].any(), (
                f"{type(utility).__name__}.value: expected {early}, got {utilities[:-1]}"
            )

    def test_what_repeats_or_improves_nothing_adds_nothing(self) -> None:
        """Without `repeats_pay`, or with `Aim.IMPROVEMENT`: slots no better than the best so far.

        Without `repeats_pay` slots of the value of another of the batch as well.
        """
        utility, batch, best = self.made(), _batches(CAMPAIGNS), _bests(CAMPAIGNS)
        gains = _gain(utility, batch, best, 1)
        if not utility.repeats_pay or utility.aim is Aim.IMPROVEMENT:
            claim = "aim is Aim.IMPROVEMENT" if utility.repeats_pay else "repeats_pay is False"
            for worse in (best, best - 1.0):
                more = np.concatenate([batch, worse[:, None]], axis=1)
                what = f"the same with a slot no better than the best so far, as {claim}"
                _expect_equal(utility, what, gains, more, best)
        if not utility.repeats_pay:
            twice = np.concatenate([batch, batch[:, :1]], axis=1)
            what = "the same with a design twice, as repeats_pay is False"
            _expect_equal(utility, what, gains, twice, best)

    def test_what_is_expected_follows_from_means(self) -> None:
        """With `linear`: the gain of a mean of batches is the mean of their gains."""
        utility, best = self.made(), _bests(CAMPAIGNS)
        if utility.linear:
            first, second = _batches(CAMPAIGNS), _batches(CAMPAIGNS, seed=1)
            mean = (_gain(utility, first, best, 1) + _gain(utility, second, best, 1)) / 2
            what = "of the mean of two batches the mean of their gains, as linear says"
            _expect_equal(utility, what, mean, (first + second) / 2, best)

    # --- whole campaigns ------------------------------------------------------------------------

    def test_a_campaign_is_worth_the_sum_of_its_gains(self) -> None:
        """Times `share_of_gain`, with `gains_add_up`; it is what planners add up."""
        utility = self.made()
        share = utility.share_of_gain(ROUNDS)
        assert np.ndim(share) == 0 and np.isfinite(share), (
            f"{type(utility).__name__}.share_of_gain: expected a finite number, got {share!r}"
        )
        gains, utilities = _played(utility)
        assert np.isfinite(utilities).all(), (
            f"{type(utility).__name__}.value: expected finite numbers, got {utilities}"
        )
        if not self.gains_add_up or utility.needs_posterior:
            return
        expected = share * gains.sum(axis=0)  # (R,)
        assert np.allclose(utilities[-1], expected, **_CLOSE), (
            f"{type(utility).__name__}: expected finished campaigns to be worth the sum of their "
            f"gains, {expected}, got {utilities[-1]}; if `value` is meant to be another, say "
            "gains_add_up = False in the test"
        )

    def test_a_campaign_that_is_worth_more_has_a_better_level(self) -> None:
        """`level` rises with the utility, so that scores do; beyond its bounds it may stay."""
        utility = self.made()
        worth, base = np.linspace(-2.0, 5.0, 8), np.full(8, 0.5)  # (B,)
        level: Any = utility.level(worth, base, 6)
        name = f"{type(utility).__name__}.level"
        assert np.shape(level) == worth.shape and np.isfinite(level).all(), (
            f"{name}: expected finite numbers of shape {worth.shape}, got {level!r}"
        )
        assert (np.diff(level) >= 0).all() and level[-1] > level[0], (
            f"{name}: expected larger ones for larger utilities, got {level} for {worth}"
        )

    def test_the_return_is_the_utility(self) -> None:
        """In environments, whose rows are worth what the single environments are."""
        for case in self._cases():
            where = f"{self.made()}, {case.env_id}"
            rewards, info = [], {}
            for _, result in play(case.single(), campaigns=1):
                info = result[-1]
                rewards += [result[1]] if len(result) > 2 else []
            assert np.isclose(sum(rewards), info["utility"], **_CLOSE), (
                f"{where}: expected rewards that add up to the utility, {info['utility']}, got "
                f"{rewards}"
            )
            _check_rows(case, where)

    def _cases(self) -> list[Any]:
        """What is played, as `Conformance`."""
        utility, cases = self.made(), []
        for problem, given in self.campaigns:
            arguments = {**given, "utility": utility.config()}  # of which each makes its own
            if utility.needs_posterior:
                problem = "Bandit"
                arguments.pop("start", None)
            members = {"env_id": problem, "env_kwargs": arguments}
            cases.append(type("Case", (Conformance,), members)())
        return cases


def _check_rows(case: Conformance, where: str) -> None:
    """Plays the native vector environment beside single ones."""
    native, sync = (make(2, AutoresetMode.SAME_STEP) for make in (case.vector, case.sync))
    native.reset(seed=SEED)
    sync.reset(seed=SEED)
    native.action_space.seed(SEED)
    for step in range(1, ROUNDS + 2):
        actions = native.action_space.sample()
        rewards = [env.step(actions)[1] for env in (native, sync)]
        assert_same(rewards[0], rewards[1], f"{where}, rewards of rows and single ones, {step}")


def _batches(*shape: int, q: int = SLOTS, seed: int = 0) -> Floats:
    """True values of batches, (*shape, q)."""
    return np.random.default_rng(seed).normal(size=(*shape, q))


def _bests(*shape: int) -> Floats:
    """Best values before a round, (*shape)."""
    return np.asarray(np.random.default_rng(2).normal(size=shape))


def _gain(utility: Utility, batch: Floats, best: Floats, rounds_left: Any) -> Floats:
    """Gains as numbers, one a campaign.

    Raises:
        AssertionError: They are none, or `gain` fails on these shapes.
    """
    where = f"batch of shape {batch.shape}, best {best.shape}, rounds_left "
    where += str(rounds_left) if np.ndim(rounds_left) == 0 else str(np.shape(rounds_left))
    try:
        gain = utility.gain(batch, best, rounds_left)
    except Exception as error:
        raise AssertionError(
            f"{type(utility).__name__}.gain: raised {type(error).__name__}: {error} ({where}); "
            "best[..., None] stands beside the designs of a batch, and numpy.where(rounds_left == "
            "1, ..., 0.0) in place of an if"
        ) from error
    try:
        return checked_gain(utility, gain, batch)
    except ValueError as error:
        raise AssertionError(f"{error} ({where})") from error


def _expect_equal(
    utility: Utility, what: str, expected: Any, batch: Floats, best: Floats, rounds_left: Any = 1
) -> None:
    """Checks gains against others, to rounding."""
    gains = _gain(utility, batch, best, rounds_left)
    assert np.allclose(gains, expected, **_CLOSE), (
        f"{type(utility).__name__}.gain: expected {what}, {expected}, got {gains}"
    )


def _played(utility: Utility) -> tuple[Floats, Floats]:
    """Gains and utilities of campaigns after each of their rounds, (N, R) each."""
    base = _bests(CAMPAIGNS)
    tracker, best, gains, utilities = UtilityTracker(utility, CAMPAIGNS), base, [], []
    tracker.begin(slice(None), base)
    for number in range(1, ROUNDS + 1):
        batch = _batches(CAMPAIGNS, seed=number)
        gains.append(_gain(utility, batch, best, ROUNDS - number + 1))
        worth, _ = tracker.update(
            slice(None),
            batch,
            batch.max(axis=1),
            rounds=np.full(CAMPAIGNS, number),
            horizon=np.full(CAMPAIGNS, ROUNDS),
            best_mean=batch.mean(axis=1),
        )
        best = np.maximum(best, batch.max(axis=1))
        utilities.append(worth.copy())
    return np.array(gains), np.array(utilities)
