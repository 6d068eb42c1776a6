"""The habits of fraud. Each draws from its own stream: turning one off leaves the others as they are.

All add payments but one: at a compromised terminal ordinary payments turn fraud. `HABITS` lists those that add.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from fraudbrain_deploy.simulation.cards.payments import HOUR_MS, Payments, payments, usual_amounts
from fraudbrain_deploy.simulation.cards.population import Ints, Population
from fraudbrain_deploy.simulation.cards.settings import DAY_MS, CardSettings, Habit
from fraudbrain_deploy.simulation.streams import stream

MINUTE_MS = 60_000


@dataclass(frozen=True, slots=True)
class World:
    """What a habit sees: the settings, everybody, and what they pay when nothing special happens."""

    settings: CardSettings
    people: Population
    ordinary: Payments
    seed: int


def stolen_card(world: World) -> Payments:
    """A lost or stolen card: a burst of amounts far over the card's habit, anywhere, within hours."""
    habit, people = world.settings.stolen_card, world.people
    rng = stream(world.seed, "stolen_card")
    begin = _beginnings(habit, habit.rate * people.customers / 1000, world.settings.days, rng)
    sizes = 1 + rng.poisson(max(0.0, habit.payments - 1), size=len(begin))
    customer = np.repeat(rng.integers(people.customers, size=len(begin)), sizes)
    within = (rng.random(len(customer)) * habit.hours * HOUR_MS).astype(np.int64)
    return payments(
        world.seed,
        "stolen_card",
        offset_ms=np.repeat(begin, sizes) + within,
        customer=customer,
        terminal=rng.integers(people.terminals, size=len(customer)),
        amount=habit.amount_times * usual_amounts(world.settings.customers, people, customer, rng),
        fraud=True,
    )


def copied_details(world: World) -> Payments:
    """Details used where no card is shown: beside the customer's own payments come another's, larger ones."""
    habit, people, usual = world.settings.copied_details, world.people, world.ordinary
    rng = stream(world.seed, "copied_details")
    begin = _beginnings(habit, habit.rate * people.customers / 1000, world.settings.days, rng)
    victims = rng.integers(people.customers, size=len(begin))
    model = _within(usual.customer, usual.offset_ms, victims, begin, round(habit.days_long * DAY_MS))
    copies = rng.poisson(habit.share, size=len(model))
    model = np.repeat(model, copies)
    shift = rng.integers(-12 * HOUR_MS, 12 * HOUR_MS, size=len(model))
    customer = usual.customer[model]
    return payments(
        world.seed,
        "copied_details",
        offset_ms=np.clip(usual.offset_ms[model] + shift, 0, world.settings.days * DAY_MS - 1),
        customer=customer,
        terminal=rng.integers(people.terminals, size=len(model)),
        amount=habit.amount_times * usual_amounts(world.settings.customers, people, customer, rng),
        fraud=True,
    )


def card_testing(world: World) -> Payments:
    """Somebody tries many card numbers at one terminal with tiny amounts."""
    habit, people = world.settings.card_testing, world.people
    rng = stream(world.seed, "card_testing")
    begin = _beginnings(habit, habit.rate, world.settings.days, rng)
    count = len(begin) * habit.cards
    within = (rng.random(count) * habit.minutes * MINUTE_MS).astype(np.int64)
    return payments(
        world.seed,
        "card_testing",
        offset_ms=np.repeat(begin, habit.cards) + within,
        customer=rng.integers(people.customers, size=count),
        terminal=np.repeat(rng.integers(people.terminals, size=len(begin)), habit.cards),
        amount=rng.integers(1, habit.amount_up_to, endpoint=True, size=count).astype(np.float64),
        fraud=True,
    )


def with_compromised_terminals(world: World) -> Payments:
    """The ordinary payments, of which some at compromised terminals are fraud; their amounts stay."""
    habit, usual = world.settings.compromised_terminal, world.ordinary
    rng = stream(world.seed, "compromised_terminal")
    begin = _beginnings(habit, habit.rate * world.people.terminals / 1000, world.settings.days, rng)
    terminals = rng.integers(world.people.terminals, size=len(begin))
    there = _within(usual.terminal, usual.offset_ms, terminals, begin, round(habit.days_long * DAY_MS))
    turned = there[rng.random(len(there)) < habit.share]
    fraud, habits = usual.fraud.copy(), usual.habit.astype("S20")
    fraud[turned], habits[turned] = True, b"compromised_terminal"
    return replace(usual, fraud=fraud, habit=habits)


HABITS: tuple[Callable[[World], Payments], ...] = (stolen_card, copied_details, card_testing)


def _beginnings(habit: Habit, a_day: float, days: int, rng: np.random.Generator) -> Ints:
    """When episodes begin, milliseconds from the start of the first day, in time order."""
    first, after = habit.days(days)
    count = rng.poisson(a_day * (after - first))
    return np.sort(first * DAY_MS + (rng.random(count) * (after - first) * DAY_MS).astype(np.int64))


def _within(keys: Ints, offset_ms: Ints, wanted: Ints, begin: Ints, length_ms: int) -> Ints:
    """Positions of the payments whose key is wanted, each once, within `length_ms` from that one's beginning."""
    order = np.lexsort((offset_ms, keys))
    sorted_keys, sorted_times = keys[order], offset_ms[order]
    chosen = [np.empty(0, dtype=np.int64)]
    for key, since in zip(wanted, begin, strict=True):
        low, high = np.searchsorted(sorted_keys, (key, key + 1))
        from_, to = low + np.searchsorted(sorted_times[low:high], (since, since + length_ms))
        chosen.append(order[from_:to])
    return np.unique(np.concatenate(chosen))
