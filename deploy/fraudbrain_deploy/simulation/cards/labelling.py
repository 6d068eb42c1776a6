"""Late labels: what the bank learns of each payment, and when."""

import numpy as np

from fraudbrain_deploy.simulation.cards.population import Floats
from fraudbrain_deploy.simulation.cards.settings import DAY_MS, Labelling
from fraudbrain_deploy.simulation.identifiers import Strings
from fraudbrain_deploy.simulation.mixing import mixed, unit_interval
from fraudbrain_deploy.simulation.simulated import Labels, Rows


def labels(settings: Labelling, rows: Rows, seed: int) -> Labels:
    """A report for most frauds, late; for everything else, when it has matured, that nobody complained."""
    chance = _chances(rows.event_id, seed)
    reported = rows.fraud & (chance[0] >= settings.unreported)
    wait = settings.fraud_days * np.exp(settings.fraud_days_spread * _normal(chance[1], chance[2]))
    days = np.where(reported, np.minimum(wait, settings.fraud_days_most), settings.good_days)
    return Labels(
        fraud=reported,
        known_at=rows.event_time + np.rint(days * DAY_MS).astype(np.int64),
        source=np.where(reported, b"report", b"maturity"),
    )


def _chances(event_id: Strings, seed: int) -> list[Floats]:
    """Three numbers in [0, 1) for each event, of its id alone: other habits do not move its label."""
    digits = np.ascontiguousarray(event_id).view(np.uint64).reshape(len(event_id), 2)
    folded = digits[:, 0] * np.uint64(0x9E3779B97F4A7C15) + digits[:, 1]
    return [unit_interval(mixed(folded, 3 * seed + salt)) for salt in (1, 2, 3)]


def _normal(u: Floats, v: Floats) -> Floats:
    # Box and Muller's way from two uniform numbers to a normal one.
    return np.asarray(np.sqrt(-2 * np.log1p(-u)) * np.cos(2 * np.pi * v))
