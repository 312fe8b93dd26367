"""What is said of the wells of a plate."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ombo_agents.campaigns.data.campaign_data import CampaignData
from ombo_agents.campaigns.data.known import Known
from ombo_agents.campaigns.data.number_words import in_digits
from ombo_agents.campaigns.data.reading import MEASURED
from ombo_agents.campaigns.data.values import predicted, predicted_interval
from ombo_agents.campaigns.plates.plate import Plate, Well
from ombo_agents.campaigns.plates.policy_words import trust_in_words
from ombo_agents.campaigns.plates.wells import Chosen
from ombo_agents.campaigns.space.factors import Columns, Floats
from ombo_agents.campaigns.space.space import count_of, keys_of
from ombo_gym.design_spaces import Designs
from ombo_gym.randomness import GeneratorBatch
from ombo_gym.surrogates.posterior import Posterior

_INTERVAL = 1.2815515655446004  # standard deviations on either side of the mean that hold 80%
_REFERENCES = 512  # designs that a well's mean and sd are ranked among
_MANY = 0.2  # of the wells of a plate, that are foretold by the others, which is said


@dataclass(frozen=True)
class _AsLast:
    """What would be different if the plate were the last one.

    Attributes:
        also: Whether each well would be there, too.
        words: Of each that would with other shared values only, which these are; of others "".
        shared: Of columns that the plate shares, values now and then, where these differ.
    """

    also: list[bool]
    words: list[str]
    shared: dict[str, tuple[Any, Any]]

    @classmethod
    def of(cls, data: CampaignData, chosen: Chosen, last: Columns) -> _AsLast:
        """Compares a plate with the one that would be the last."""
        known, columns = chosen.known, chosen.columns
        names = list(known.rows.columns)
        shared = {
            name: (_plain(columns[name][0]), _plain(last[name][0]))
            for name, most in data.space.plate.items()
            if most == 1 and columns[name][0] != last[name][0]
        }
        there = set(keys_of({name: last[name] for name in names}))
        also = [key in there for key in keys_of({name: columns[name] for name in names})]
        words = [""] * len(also)
        if shared and (rest := [name for name in names if name not in shared]):
            near = set(keys_of({name: last[name] for name in rest}))
            at = ", ".join(f"{name} {then}" for name, (_, then) in shared.items())
            for i, key in enumerate(keys_of({name: columns[name] for name in rest})):
                words[i] = f"also, at {at}" if key in near else ""
        in_sheet = data.names_in_sheet
        return cls(also, words, {in_sheet[name]: pair for name, pair in shared.items()})


def described(
    data: CampaignData, chosen: Chosen, last: Columns, posterior: Posterior, reason: str
) -> Plate:
    """The plate, with what is said of each well.

    Args:
        data: Of the campaign.
        chosen: What goes on it.
        last: What would, were it the last one.
        posterior: What is believed of all designs.
        reason: For the policy.
    """
    known, names = chosen.known, data.space.columns
    as_last = _AsLast.of(data, chosen, last)
    quality = float(posterior.leave_one_out_correlation[0]) if len(known.values) else np.nan
    nearest = None
    if known.predictable and known.measured.any_result:
        nearest = _nearest_measured(known, chosen.designs)  # (q,)
    return Plate(
        wells=_wells(data, chosen, posterior, as_last, nearest)
        if known.predictable
        else _wells_unknown(data, chosen, as_last),
        names=data.names_in_sheet,
        targets=data.target_columns,
        measured_name=data.measured_name,
        reason=f"{reason}; {_quality_in_words(quality, known)}",
        quality=quality if np.isfinite(quality) else None,
        if_last=tuple(
            {name: _plain(last[name][i]) for name in names} for i in range(count_of(last))
        ),
        shared_if_last=as_last.shared,
        notes=(*_doubts(data, nearest), *_alike(chosen, posterior)),
    )


def _wells(
    data: CampaignData,
    chosen: Chosen,
    posterior: Posterior,
    as_last: _AsLast,
    nearest: NDArray[np.intp] | None,
) -> tuple[Well, ...]:
    """The wells, with what would be of them on the last plate."""
    known, columns, sign = chosen.known, chosen.columns, data.settings.sign
    mean, sd, _ = predicted(posterior, known.spec, chosen.designs)  # (q,) each
    interval = predicted_interval(posterior, known.spec, chosen.designs, _INTERVAL)
    shares = _explore_shares(known, posterior, mean, sd)
    already = set(keys_of(known.rows.columns))
    wells = []
    for i, key in enumerate(keys_of({name: columns[name] for name in known.rows.columns})):
        role = "replicate" if key in already else "explore" if shares[i] > 0.5 else "exploit"
        row = None if nearest is None else int(nearest[i])
        ends = sorted(sign * end[i] for end in interval)
        wells.append(
            Well(
                design={name: _plain(columns[name][i]) for name in data.space.columns},
                mean=float(sign * mean[i]),
                low=float(ends[0]),
                high=float(ends[1]),
                role=role,
                share=float(shares[i]),
                nearest=None if row is None else known.rows.places[row],
                nearest_value=None if row is None else _measured_there(data, known, row),
                also_if_last=as_last.also[i],
                as_last=as_last.words[i],
            )
        )
    return tuple(wells)


def _measured_there(data: CampaignData, known: Known, row: int) -> float:
    """What stands in the sheet; of several targets the score."""
    if data.settings.scored:
        return float(data.settings.sign * known.measured.values[row])
    return float(known.rows.targets[row, 0])


def _wells_unknown(data: CampaignData, chosen: Chosen, as_last: _AsLast) -> tuple[Well, ...]:
    """The wells of a plate before any result: as `_wells`, with nothing that is expected."""
    columns = chosen.columns
    return tuple(
        Well(
            design={name: _plain(columns[name][i]) for name in data.space.columns},
            mean=None,
            low=None,
            high=None,
            role="explore",
            share=1.0,
            nearest=None,
            nearest_value=None,
            also_if_last=as_last.also[i],
            as_last=as_last.words[i],
        )
        for i in range(count_of(columns))
    )


def _nearest_measured(known: Known, designs: Designs) -> NDArray[np.intp]:
    """The row that is most like each design, (q,)."""
    space = known.spec.design_space
    features = space.features(designs)
    measured = np.flatnonzero(known.rows.mask(MEASURED))
    known_features = space.features(known.designs[measured])
    nearest = (
        (features**2).sum(-1)[:, None]
        - 2 * features @ known_features.T
        + (known_features**2).sum(-1)
    ).argmin(axis=1)
    found: NDArray[np.intp] = measured[nearest]
    return found


def _doubts(data: CampaignData, nearest: NDArray[np.intp] | None) -> list[str]:
    """Wells that are better than the others predict, and that much of the plate is near to."""
    if nearest is None or np.bincount(nearest).max() <= _MANY * len(nearest):
        return []
    counts = {well.row: int((nearest == well.row).sum()) for well in data.unlikely}
    return [
        f"{counts[well.row]} of the {len(nearest)} wells are most like "
        f"{data.rows.places[well.row]}, which the other wells do not predict; look at it before "
        "they are run"
        for well in data.unlikely
        if well.value > well.mean and counts[well.row] > _MANY * len(nearest)
    ]


def _alike(chosen: Chosen, posterior: Posterior) -> tuple[str, ...]:
    """Whether many wells tell nothing that the others do not, and how to ask for other ones."""
    known, wells = chosen.known, chosen.columns
    most = {
        n: min(len(v), len(chosen.designs)) for n, v in known.encoding.space.values.items() if v
    }
    texts = {name: len(set(wells[name].tolist())) for name in most}
    texts = {name: count for name, count in texts.items() if count < most[name]}
    numbers = any(v is None for v in known.encoding.space.values.values())
    learned = (known.spec.surrogate or {}).get("kernel") == "learned"
    if not known.predictable or learned or not (texts or numbers):
        return ()
    features = known.spec.design_space.features(chosen.designs)
    noise = float(posterior.noise[0] * posterior.outputscale[0])
    covariance = posterior.covariance(features[None])[0]  # (q, q)
    lower = np.linalg.cholesky(covariance + noise * np.eye(len(covariance)))
    given_others = np.diag(lower) ** 2 - noise  # (q,) variances, the wells before measured
    before = np.diag(covariance)  # (q,) variances, without the others
    foretold = int(((given_others < noise) & (before >= noise)).sum())
    if foretold <= _MANY * len(covariance):
        return ()
    sd = in_digits(float(np.sqrt(noise) * posterior.scale[0]), 2)
    remedies = ["wider steps"] if numbers else []
    if texts:
        column = min(texts, key=lambda name: texts[name])
        more = min(texts[column] + 2, most[column])
        remedies.insert(0, f"distinct: {{{column}: at least {more}}}")
    return (
        f"{foretold} of the {len(covariance)} wells are foretold by the others as well as a second "
        f"measurement would tell them (within {sd}): they are where the best is expected; for "
        f"more variety write {', or '.join(remedies)} in the space file",
    )


def _quality_in_words(quality: float, known: Known) -> str:
    if not known.predictable:
        return "predictions are unknown until a result is there"
    if not np.isfinite(quality):
        return "too few wells to tell how well others predict one"
    return trust_in_words(quality)


def _explore_shares(known: Known, posterior: Posterior, mean: Floats, sd: Floats) -> Floats:
    """How much of a well's choice is due to its uncertainty, (q,) from 0 to 1.

    The rank of its standard deviation among designs of the space, over the sum of that and of the
    rank of its mean.
    """
    rngs = GeneratorBatch([np.random.default_rng(0)], 1)
    some = known.spec.design_space.sample(rngs, _REFERENCES)[0]
    means, sds, _ = predicted(posterior, known.spec, some)
    by_mean = (means < mean[:, None]).mean(axis=1) + 1e-3
    by_sd = (sds < sd[:, None]).mean(axis=1) + 1e-3
    found: Floats = by_sd / (by_sd + by_mean)
    return found


def _plain(value: Any) -> Any:
    """A number or text of a cell: whole numbers without a point."""
    value = value.item() if isinstance(value, np.generic) else value
    if isinstance(value, float):
        value = float(f"{value:.10g}")
        return int(value) if value.is_integer() and abs(value) < 1e15 else value
    return value
