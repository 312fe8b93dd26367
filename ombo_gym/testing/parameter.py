"""The conformance suite for kinds of parameters: what spaces, surrogates and files rely on."""

from __future__ import annotations

import json
import pickle
from collections.abc import Callable
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from ombo_gym.design_spaces import DesignSpace, design_space_of
from ombo_gym.design_spaces.own_kinds import column_of
from ombo_gym.design_spaces.parameter import Parameter
from ombo_gym.design_spaces.parameters import Parameters, parse_parameters
from ombo_gym.design_spaces.values import plain, same
from ombo_gym.problems.own.function import Function
from ombo_gym.randomness import GeneratorBatch
from ombo_gym.spec import CampaignSpec
from ombo_gym.surrogates import Posterior, make_surrogate
from ombo_gym.testing.base import SEED, Conformance, assert_same, play

_NAME, _BESIDE = "own", {"beside": (0.0, 1.0)}  # parameters of the spaces that are made
_MOST_VALUES, _COORDINATES = 100, 21  # that are looked at one by one
_CAMPAIGNS, _DESIGNS = 3, 8  # R, n
_CLOSE = 1e-5  # of a coordinate: designs are float32


class ParameterConformance:
    """All that a kind of parameter promises; subclass it in a test file, and pytest collects it.

    Attributes:
        parameter: As it stands in a dict of parameters: an object, or `{KIND: {field: value}}`
            once the module of the kind is imported.
        told_apart: Whether a surrogate sees no two values alike; False where some are meant to be
            the same to it.

    Example:
        >>> class TestLevels(ParameterConformance):
        ...     parameter = {"levels": [1, 10, 100], "scale": "log"}
    """

    parameter: ClassVar[Any]
    told_apart: ClassVar[bool] = True

    def made(self) -> Parameter:
        """The parameter as an object.

        Raises:
            AssertionError: It cannot be made; says what to write.
        """
        try:
            return parse_parameters({_NAME: self.parameter, **_BESIDE}).each[_NAME]
        except ValueError as error:
            raise AssertionError(str(error)) from error

    def spaces(self) -> list[DesignSpace]:
        """Design spaces of it beside a number and, where it is not fixed, of it alone."""
        own = {_NAME: self.made()}
        alone = [] if own[_NAME].count == 1 else [design_space_of(own)]
        return [design_space_of({**own, **_BESIDE}), *alone]

    # --- what it says of itself -----------------------------------------------------------------

    def test_the_kind_says_what_it_is(self) -> None:
        """For people: its docstring, which is not that of its fields alone."""
        kind = type(self.made())
        written = (kind.__doc__ or "").strip()
        assert written and not written.startswith(f"{kind.__name__}("), (
            f"{kind.__name__}: expected a docstring, which says what a design holds"
        )

    def test_it_is_built_again_from_json_and_pickles(self) -> None:
        """From its pickle, and the JSON of specs, as an equal one that surrogates see alike."""
        parameter = self.made()
        kind, columns = type(parameter).__name__, _columns(parameter)
        spec = CampaignSpec(self.spaces()[0])
        copies: dict[str, Callable[[], Parameter]] = {
            "its pickle": lambda: pickle.loads(pickle.dumps(parameter)),
            "the JSON of a CampaignSpec": lambda: _read(json.dumps(json.loads(spec.to_json()))),
        }
        for source, copy in copies.items():
            try:
                other = copy()
            except Exception as error:
                raise AssertionError(
                    f"{kind} from {source}: expected the same parameter, got "
                    f"{type(error).__name__}: {error}"
                ) from error
            assert other == parameter and hash(other) == hash(parameter), (
                f"{kind} from {source}: expected {parameter!r}, got {other!r}"
            )
            seen = (other.features(columns), parameter.features(columns))
            assert_same(*seen, f"{kind}.features from {source}")

    # --- values, and what a design holds of them ------------------------------------------------

    def test_values_come_back(self) -> None:
        """`column` is the inverse of `units`; values of many designs are those of each alone."""
        parameter = self.made()
        kind, columns = type(parameter).__name__, _columns(parameter)
        among = _values(parameter, columns)
        assert np.shape(among) == columns.shape, (
            f"{kind}.units: expected {len(columns)} values of {len(columns)} numbers, got {among!r}"
        )
        for column, value in zip(columns, among, strict=True):
            alone = _values(parameter, np.asarray(column))
            assert same(alone, plain(value)), (
                f"{kind}.units: expected of {column} the same value alone and among others, got "
                f"{alone!r} and {plain(value)!r}"
            )
            back = self._column(parameter, alone)
            assert abs(back - column) <= (_CLOSE if parameter.values is None else 0), (
                f"{kind}.column: expected {column} of {alone!r}, its value, got {back}"
            )

    def test_what_is_no_value_is_refused(self) -> None:
        """By a ValueError, which the messages of spaces are made of; never by a traceback."""
        parameter = self.made()
        for value in (object(), "no value of it", float("nan"), None):
            with np.errstate(all="ignore"):
                try:
                    found = column_of(parameter, value)
                except ValueError:
                    continue
                except Exception as error:
                    raise AssertionError(
                        f"{type(parameter).__name__}.column: expected a ValueError that says what "
                        f"was expected, of {value!r}, got {type(error).__name__}: {error}"
                    ) from error
            raise AssertionError(
                f"{type(parameter).__name__}.column: expected {value!r} refused, got {found!r}"
            )

    def test_values_are_printed(self) -> None:
        """Each as a text on one line."""
        parameter = self.made()
        for column in _columns(parameter):
            value = _values(parameter, np.asarray(column))
            text: Any = parameter.text(value)
            assert isinstance(text, str) and text.strip() and "\n" not in text, (
                f"{type(parameter).__name__}.text: expected one line for {value!r}, got {text!r}"
            )

    # --- what a surrogate sees ------------------------------------------------------------------

    def test_features_are_finite_in_any_shape(self) -> None:
        """(...,) -> (..., k), of one design as among others, and the same when asked again."""
        parameter = self.made()
        kind, columns = type(parameter).__name__, _columns(parameter)
        first = parameter.features(columns)  # (n, k)
        what = f"{kind}.features"
        good = first.ndim == 2 and len(first) == len(columns) and bool(np.isfinite(first).all())
        assert good, f"{what}: expected finite numbers ({len(columns)}, k), got {first!r}"
        assert_same(parameter.features(columns[None, :, None]), first[None, :, None], what)
        assert_same(parameter.features(columns[::-1]), first[::-1], f"{what}, in another order")
        assert_same(parameter.features(columns), first, f"{what}, asked again")

    def test_a_surrogate_tells_values_apart(self) -> None:
        """With `told_apart`; two values alike to it are measured as if they were one."""
        parameter = self.made()
        if not self.told_apart:
            return
        columns = _columns(parameter)
        seen = parameter.features(columns)
        for i in range(len(columns) - 1):
            alike = 1 + i + np.flatnonzero((seen[i + 1 :] == seen[i]).all(axis=-1))
            pair = [_values(parameter, np.asarray(columns[j])) for j in (i, *alike[:1])]
            assert not len(alike), (
                f"{type(parameter).__name__}.features: expected each value to be seen by numbers "
                f"of its own, got the same of {pair[0]!r} and {pair[-1]!r}; if that is meant, say "
                "told_apart = False in the test"
            )

    # --- in spaces and campaigns ----------------------------------------------------------------

    def test_designs_come_back_from_units(self) -> None:
        """Those that are drawn, spread, moved and recombined, alone and beside a number."""
        for space in self.spaces():
            rngs = GeneratorBatch(np.random.default_rng(SEED), _CAMPAIGNS)
            count = min(_DESIGNS, space.size or _DESIGNS)
            drawn = space.sample(rngs, count)
            moved = space.mutate(drawn, rngs, mutations=1.0, step=0.3)
            crossed = space.recombine(drawn, moved, rngs)
            for designs in (drawn, moved, crossed, space.spread(rngs, count)):
                assert_same(space.canonical(designs), designs, f"{space}, designs as they are read")
                self._check_units(space, designs)

    def test_a_surrogate_learns_on_it(self) -> None:
        """Predictions from measurements are finite, alone and beside a number."""
        for space in self.spaces():
            rngs = GeneratorBatch(np.random.default_rng(SEED), _CAMPAIGNS)
            count = min(_DESIGNS, space.size or _DESIGNS)
            features = np.tile(space.features(space.sample(rngs, count)), (1, 2, 1))  # twice each
            values = np.random.default_rng(0).normal(size=features.shape[:2])
            posterior = Posterior(make_surrogate(CampaignSpec(space)), features, values)
            score = posterior.leave_one_out_log_score
            assert np.isfinite(score).all(), (
                f"{space}: expected predictions from features in numbers, got scores {score}"
            )

    def test_campaigns_are_played_on_it(self) -> None:
        """A function is called with its values, a batch at a time, and with nothing else."""
        parameter = self.made()
        met: list[Any] = []

        def objective(design: dict[str, Any]) -> float:
            met.append(design[_NAME])
            return float(design["beside"])

        problem = Function(objective, {_NAME: parameter, **_BESIDE})
        members = {"env_id": problem, "env_kwargs": {"horizon": 2, "batch_size": 2}}
        case: Conformance = type("Case", (Conformance,), members)()
        for _ in play(case.single(), campaigns=1):
            pass
        assert met, f"{type(parameter).__name__}: expected a function to be called, it was not"
        for value in met:
            self._column(parameter, value)

    def _column(self, parameter: Parameter, value: Any) -> float | int:
        """Of a value that is one of the parameter's.

        Raises:
            AssertionError: It is refused.
        """
        try:
            return column_of(parameter, value)
        except Exception as error:
            raise AssertionError(
                f"{type(parameter).__name__}.column: expected a number for {value!r}, which units "
                f"gave, got {type(error).__name__}: {error}"
            ) from error

    def _check_units(self, space: DesignSpace, designs: NDArray[Any]) -> None:
        """Each of (R, n, *shape) designs is read from its own units."""
        for design in designs.reshape(-1, *space.shape):
            again = space.parse(space.units(design))
            assert np.allclose(again, design, rtol=0, atol=_CLOSE), (
                f"{space}: expected the design {design} from {space.units(design)!r}, its units, "
                f"got {again}"
            )


def _columns(parameter: Parameter) -> NDArray[Any]:
    """Codes or coordinates that are looked at, (n,): those at both ends among them."""
    if (count := parameter.count) is None:
        return np.linspace(-1.0, 1.0, _COORDINATES)
    return np.unique(np.linspace(0, count - 1, min(count, _MOST_VALUES)).astype(np.intp))


def _values(parameter: Parameter, columns: NDArray[Any]) -> Any:
    """What functions are called with, of codes or coordinates () or (n,)."""
    return Parameters({_NAME: parameter}).units([columns])[_NAME]


def _read(text: str) -> Parameter:
    """The parameter of a spec, as it is read."""
    space: Any = CampaignSpec.from_json(text).design_space
    found: Parameter = space.parameters.each[_NAME]
    return found
