"""Payments as columns, and the ordinary ones: everybody pays near home, by his own rhythm and habit."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from fraudbrain_deploy.simulation.cards.population import Floats, Ints, Population
from fraudbrain_deploy.simulation.cards.settings import DAY_MS, CardSettings, Customers
from fraudbrain_deploy.simulation.identifiers import Strings, event_ids
from fraudbrain_deploy.simulation.streams import stream

HOUR_MS = 3_600_000


@dataclass(frozen=True, slots=True)
class Payments:
    """Payments in no order; `offset_ms` counts from the start of the first day, `amount` is minor units."""

    event_id: Strings
    offset_ms: Ints
    customer: Ints
    terminal: Ints
    amount: Ints
    fraud: npt.NDArray[np.bool_]
    habit: Strings

    def __len__(self) -> int:
        return len(self.event_id)


def payments(  # each argument is a column
    seed: int, habit: str, *, offset_ms: Ints, customer: Ints, terminal: Ints, amount: Floats, fraud: bool
) -> Payments:
    """The payments of one habit, of which `event_ids` makes the ids; an amount is at least 1."""
    count = len(offset_ms)
    return Payments(
        event_id=event_ids(seed, habit, count),
        offset_ms=offset_ms,
        customer=customer,
        terminal=terminal,
        amount=np.maximum(1, np.rint(amount)).astype(np.int64),
        fraud=np.full(count, fraud),
        habit=np.full(count, habit.encode()),
    )


def joined(parts: list[Payments]) -> Payments:
    """All parts as one."""
    return Payments(
        event_id=np.concatenate([part.event_id for part in parts]),
        offset_ms=np.concatenate([part.offset_ms for part in parts]),
        customer=np.concatenate([part.customer for part in parts]),
        terminal=np.concatenate([part.terminal for part in parts]),
        amount=np.concatenate([part.amount for part in parts]),
        fraud=np.concatenate([part.fraud for part in parts]),
        habit=np.concatenate([part.habit for part in parts]),
    )


def ordinary(settings: CardSettings, people: Population, seed: int) -> Payments:
    """What customers pay when nothing special happens. Their habit is empty."""
    rng = stream(seed, "ordinary")
    customer = np.repeat(np.arange(people.customers), rng.poisson(people.payments_a_day * settings.days))
    count = len(customer)
    day = rng.choice(settings.days, size=count, p=_day_shares(settings))
    hour = (people.hour[customer] + settings.customers.hour_habit * rng.standard_normal(count)) % 24
    made = payments(
        seed,
        "",
        offset_ms=day * DAY_MS + (hour * HOUR_MS).astype(np.int64),
        customer=customer,
        terminal=visited(settings.customers, people, customer, rng),
        amount=usual_amounts(settings.customers, people, customer, rng),
        fraud=False,
    )
    return made


def visited(settings: Customers, people: Population, customer: Ints, rng: np.random.Generator) -> Ints:
    """A terminal for each payment: mostly one of the customer's favourites, the nearest most often."""
    weights = 1 / np.arange(1, people.favourites.shape[1] + 1)
    rank = np.searchsorted(np.cumsum(weights / weights.sum()), rng.random(len(customer)))
    near = people.favourites[customer, np.minimum(rank, len(weights) - 1)]
    anywhere = rng.integers(people.terminals, size=len(customer))
    return np.where(rng.random(len(customer)) < settings.travel, anywhere, near)


def usual_amounts(settings: Customers, people: Population, customer: Ints, rng: np.random.Generator) -> Floats:
    """An amount for each payment by the customer's habit, in minor units."""
    return people.amount[customer] * np.exp(settings.amount_habit * rng.standard_normal(len(customer)))


def _day_shares(settings: CardSettings) -> Floats:
    weights = np.resize(np.asarray(settings.calendar.weekdays), settings.days)
    return np.asarray(weights / weights.sum())
