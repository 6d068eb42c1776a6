"""Customers and terminals on a map, and which terminals each customer visits."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fraudbrain_deploy.simulation.cards.settings import CardSettings, Customers, Map
from fraudbrain_deploy.simulation.streams import stream

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

_CHUNK = 256  # customers whose distances to all terminals are in memory at once


@dataclass(frozen=True, slots=True)
class Population:
    """One entry per customer; `favourites` has a row per customer, of terminals from near to far.

    `amount` is the median of the customer's payments in minor units, `hour` the middle of his day.
    """

    amount: Floats
    payments_a_day: Floats
    hour: Floats
    favourites: Ints
    terminals: int

    @property
    def customers(self) -> int:
        """How many there are."""
        return len(self.amount)


def populate(settings: CardSettings, seed: int, told: Callable[[float], None]) -> Population:
    """Draws everybody's home and ways. `told` is called with the share done."""
    rng = stream(seed, "towns")
    towns = rng.uniform(0, settings.map.side_km, size=(settings.map.towns, 2))
    people = settings.customers
    homes = _places(settings.map, towns, people.count, stream(seed, "homes"))
    terminals = _places(settings.map, towns, settings.terminals.count, stream(seed, "terminals"))
    return Population(
        amount=_spread(people.amount, people.amount_spread, people.count, stream(seed, "amounts")),
        payments_a_day=_spread(people.payments_a_day, people.payments_spread, people.count, stream(seed, "frequency")),
        hour=_hours(people, stream(seed, "hours")),
        favourites=_nearest(homes, terminals, min(people.favourites, settings.terminals.count), told),
        terminals=settings.terminals.count,
    )


def _places(land: Map, towns: Floats, count: int, rng: np.random.Generator) -> Floats:
    # Towns grow unequally: the first is the largest (Zipf).
    weights = 1 / np.arange(1, len(towns) + 1)
    town = rng.choice(len(towns), size=count, p=weights / weights.sum())
    around = towns[town] + rng.normal(0, land.town_km, size=(count, 2))
    anywhere = rng.uniform(0, land.side_km, size=(count, 2))
    outside = rng.random(count) < land.countryside
    return np.where(outside[:, None], anywhere, around)


def _spread(median: float, sigma: float, count: int, rng: np.random.Generator) -> Floats:
    return median * np.exp(sigma * rng.standard_normal(count))


def _hours(people: Customers, rng: np.random.Generator) -> Floats:
    return (people.hour + people.hour_spread * rng.standard_normal(people.count)) % 24


def _nearest(homes: Floats, terminals: Floats, wanted: int, told: Callable[[float], None]) -> Ints:
    nearest = np.empty((len(homes), wanted), dtype=np.int64)
    for first in range(0, len(homes), _CHUNK):
        here = homes[first : first + _CHUNK]
        away = (here[:, :1] - terminals[:, 0]) ** 2 + (here[:, 1:] - terminals[:, 1]) ** 2
        close = np.argpartition(away, wanted - 1, axis=1)[:, :wanted]
        by_distance = np.argsort(np.take_along_axis(away, close, axis=1), axis=1, kind="stable")
        nearest[first : first + _CHUNK] = np.take_along_axis(close, by_distance, axis=1)
        told(min(1.0, (first + _CHUNK) / len(homes)))
    return nearest
