"""Attack waves, and legitimate rushes that look as large: many payments at a few terminals within minutes."""

import numpy as np

from fraudbrain_deploy.simulation.cards.habits import MINUTE_MS, World
from fraudbrain_deploy.simulation.cards.payments import Payments, payments, usual_amounts
from fraudbrain_deploy.simulation.cards.settings import Wave
from fraudbrain_deploy.simulation.streams import stream


def waves(world: World) -> list[Payments]:
    """All attacks and rushes of the settings that begin within the simulated days."""
    attacks, rushes = enumerate(world.settings.attack, 1), enumerate(world.settings.rush, 1)
    made = [_wave(world, f"attack_{number}", wave, fraud=True) for number, wave in attacks]
    made += [_wave(world, f"rush_{number}", wave, fraud=False) for number, wave in rushes]
    return [part for part in made if part is not None]


def _wave(world: World, name: str, wave: Wave, *, fraud: bool) -> Payments | None:
    if wave.day >= world.settings.days:
        return None
    people = world.people
    rng = stream(world.seed, name)
    count = round(wave.minutes * wave.per_minute) * wave.terminals
    terminals = rng.choice(people.terminals, size=min(wave.terminals, people.terminals), replace=False)
    cards = rng.choice(people.customers, size=min(wave.cards, people.customers), replace=False)
    customer = cards[rng.integers(len(cards), size=count)]
    return payments(
        world.seed,
        name,
        offset_ms=wave.offset_ms() + np.sort((rng.random(count) * wave.minutes * MINUTE_MS).astype(np.int64)),
        customer=customer,
        terminal=terminals[rng.integers(len(terminals), size=count)],
        amount=wave.amount_times * usual_amounts(world.settings.customers, people, customer, rng),
        fraud=fraud,
    )
