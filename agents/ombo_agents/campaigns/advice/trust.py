"""Whether what is simulated can be trusted: do the data look like data of the model?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from ombo_agents.campaigns.advice.models import Model, log_evidence, log_score
from ombo_agents.campaigns.data.known import Known
from ombo_agents.campaigns.data.reading import FAILED, MEASURED
from ombo_agents.campaigns.data.values import posterior_of
from ombo_agents.campaigns.space.factors import Floats
from ombo_agents.campaigns.space.space import keys_of
from ombo_gym.spec import CampaignSpec
from ombo_gym.surrogates.learned_posterior import LearnedPosterior
from ombo_gym.surrogates.posterior import Posterior
from ombo_gym.surrogates.surrogate import make_surrogate

_FEWEST = 8  # different designs, from which what a model says of the future is worth a look
_REFERENCES = 200  # data sets that are drawn from the model
_MOST_ROWS = 96  # of each
_RARE = 0.03  # share of them that look worse, below which the data are not of the model
_NOTHING = -1.42  # log score of predictions that say nothing, in standardised units
_WORSE = 0.2  # nats a well below that, from which predictions mislead
_WELL = "most surprising well"
_POOR = 0.2  # correlation below which that is said


@dataclass(frozen=True)
class Trust:
    """What was looked at before anything was simulated.

    Attributes:
        reasons: Why the advice is not to be trusted; none: it may be.
        designs: Different designs that were measured.
        correlation: Of each well and what the others predict of it; None: not known.
        log_score: Mean log density of each well by what the others predict, standardised: to say
            nothing is worth -1.42; None: not known.
        shares: Of data sets drawn from the model, how many look at least as unlike it: by their
            leave-one-out log score, their marginal likelihood, their most surprising well, and the
            skewness of their values.
        quality: The correlation of the model that `suggest` chooses with, of values that are not
            warped; None: not known.
    """

    reasons: tuple[str, ...]
    designs: int
    correlation: float | None
    log_score: float | None
    shares: dict[str, float]
    quality: float | None = None

    @property
    def trusted(self) -> bool:
        """Whether nothing speaks against it."""
        return not self.reasons

    def lines(self) -> list[str]:
        """In words."""
        found = [f"  not to be trusted: {reason}" for reason in self.reasons]
        if self.correlation is not None and self.log_score is not None:
            poor = ", predictions say little" if self.correlation < _POOR else ""
            found.append(
                f"  each well predicted from the others: correlation {self.correlation:.2f}{poor}, "
                f"log score {self.log_score:.2f} (to say nothing: {_NOTHING})"
            )
        if self.quality is not None:
            found.append(
                "  (the likeliest of the models that objectives are drawn from; the one that "
                f"suggest chooses with, of values as they are, has {self.quality:.2f})"
            )
        if self.shares:
            rarest = ", ".join(f"{name} {share:.2f}" for name, share in self.shares.items())
            found.append(f"  data sets of the model that look at least as odd: {rarest}")
        return found


def too_few(known: Known) -> Trust | None:
    """What there is to say where the data are too few to simulate anything; None: they are not."""
    number, done = _measured(known)
    if number < _FEWEST:
        few = f"{number} different {'designs were' if number != 1 else 'design was'} measured"
        return Trust((f"{few}, at least {_FEWEST} are needed",), number, None, None, {})
    if np.ptp(known.values[done]) == 0:
        same = "all measured values are the same"
        return Trust((same,), number, None, None, {})
    return None


def _measured(known: Known) -> tuple[int, NDArray[np.intp]]:
    """How many different designs were measured, and which rows are of these."""
    done = np.flatnonzero(known.rows.mask(MEASURED) | known.rows.mask(FAILED))
    keys = keys_of(known.rows.columns)
    return len({keys[row] for row in done.tolist()}), done


def trust_of(known: Known, models: Sequence[Model], seed: int) -> Trust:
    """Looks at data and models, where the data are not `too_few`.

    Args:
        known: What was measured.
        models: That objectives are to be drawn from.
        seed: Of the data sets that are drawn.
    """
    number, done = _measured(known)
    values = known.values[done]
    likeliest = max(models, key=lambda model: model.weight)
    correlation = float(likeliest.posterior.leave_one_out_correlation[0])
    own = posterior_of(known.spec, known.designs, known.values, known.num_start)
    quality = float(own.leave_one_out_correlation[0])
    score = log_score(likeliest) + float(np.log(values.std()))
    shares = reference_shares(known.spec, models, values, known.designs[done], seed)
    reasons = [
        f"only {share:.0%} of data sets that are drawn from the model look as odd by their {name}"
        + (_which_well(known, done, likeliest.posterior) if name == _WELL else "")
        for name, share in shares.items()
        if share < _RARE
    ]
    if score < _NOTHING - _WORSE:
        reasons.append(
            f"each well predicted from the others has a log score of {score:.2f}, and to say "
            f"nothing has {_NOTHING}"
        )
    return Trust(
        tuple(reasons),
        number,
        correlation if np.isfinite(correlation) else None,
        score if np.isfinite(score) else None,
        shares,
        quality if np.isfinite(quality) else None,
    )


def _which_well(known: Known, done: NDArray[np.intp], posterior: Posterior) -> str:
    """Which well is the most surprising one, in words."""
    surprises = np.abs(posterior.leave_one_out_surprises[0])
    if len(surprises) != len(done) or not np.isfinite(surprises).all():
        return ""
    place = known.rows.places[int(done[surprises.argmax()])]
    return f", {place}: look at it first; without it, or corrected, the advice may be another"


def reference_shares(
    spec: CampaignSpec,
    models: Sequence[Model],
    values: Floats,
    designs: Floats,
    seed: int,
) -> dict[str, float]:
    """How odd the data are among data sets that the models draw at the same designs.

    All are fitted anew in the same way, by recipe `isotropic`.

    Args:
        spec: Of the campaign.
        models: To draw from.
        values: (n,) scores.
        designs: (n, *shape).
        seed: Of what is drawn.
    """
    rng = np.random.default_rng([seed, 0x7E57])
    n = len(values)
    kept = np.sort(rng.permutation(n)[:_MOST_ROWS])
    features = spec.design_space.features(designs[kept][None])  # (1, n, k)
    weights = np.array([model.weight for model in models])
    which = np.sort(rng.choice(len(models), _REFERENCES, p=weights / weights.sum()))
    drawn = [values[kept]]
    for at in which.tolist():
        posterior = models[at].posterior
        correlation = posterior.correlation
        lifted = correlation.lifted(correlation.scaled(features))
        matrix = correlation.between(lifted, lifted)[0]
        matrix[np.diag_indices(len(kept))] += posterior.noise[0] + 1e-9
        sample = np.linalg.cholesky(matrix) @ rng.standard_normal(len(kept))
        sample *= np.sqrt(posterior.outputscale[0])
        if isinstance(posterior, LearnedPosterior):  # whose values have a mean, and are warped
            sample += posterior.correlation.mean(lifted)[0]
        drawn.append(models[at].scores(posterior.in_units(sample[None])[0]))
    recipe = make_surrogate(replace(spec, surrogate={"kernel": "isotropic"}))
    many = np.stack(drawn)  # (1 + references, n)
    fitted = Posterior(recipe, np.repeat(features, len(many), axis=0), many)
    found = {
        "leave-one-out log score": fitted.leave_one_out_log_score,
        "marginal likelihood": log_evidence(fitted),
        _WELL: -largest_error(fitted),
        "skewness": -np.abs(skewness(fitted.targets)),
    }
    return {
        name: float((1 + (column[1:] <= column[0]).sum()) / (1 + _REFERENCES))
        for name, column in found.items()
    }


def skewness(values: Floats) -> Floats:
    """Of each row of standardised values (R, n), (R,).

    Draws of the model have none on average: where low values are far and high ones close together,
    the best that is left to find is not as far above as the model believes.
    """
    centred = values - values.mean(axis=1, keepdims=True)
    found: Floats = (centred**3).mean(axis=1) / (centred**2).mean(axis=1) ** 1.5
    return found


def largest_error(posterior: Posterior) -> Floats:
    """Largest error of a well predicted from the others, in standard deviations, (R,)."""
    precision = (posterior.whiten**2).sum(axis=1)  # (R, n)
    weights = np.matmul(posterior.whiten.swapaxes(1, 2), posterior.white)[..., 0]
    sizes = np.sqrt(posterior.outputscale)[:, None]
    found: Floats = (np.abs(weights) / np.sqrt(precision) / sizes).max(axis=1)
    return found
