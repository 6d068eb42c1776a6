"""Card payments: customers who pay at terminals near home, and several habits of fraud among them."""

from collections.abc import Callable

import numpy as np

from fraudbrain_deploy.simulation.cards.habits import HABITS, World, with_compromised_terminals
from fraudbrain_deploy.simulation.cards.labelling import labels
from fraudbrain_deploy.simulation.cards.payments import Payments, joined, ordinary
from fraudbrain_deploy.simulation.cards.population import populate
from fraudbrain_deploy.simulation.cards.settings import DAY_MS, CardSettings, SettingsError, describe, settings_from
from fraudbrain_deploy.simulation.cards.waves import waves
from fraudbrain_deploy.simulation.identifiers import numbered
from fraudbrain_deploy.simulation.simulated import Rows, Simulated

__all__ = ["CardSettings", "SettingsError", "describe", "settings_from", "simulate"]


def simulate(settings: CardSettings, seed: int, told: Callable[[str, float], None] = lambda *_: None) -> Simulated:
    """The whole simulation, the same for the same settings and seed. `told` hears the stage and its share done."""
    people = populate(settings, seed, lambda share: told("people and terminals", share))
    told("ordinary payments", 0.0)
    world = World(settings, people, ordinary(settings, people, seed), seed)
    told("fraud", 0.0)
    parts = [with_compromised_terminals(world), *(habit(world) for habit in HABITS), *waves(world)]
    told("time order", 0.0)
    rows = _in_time_order(settings, joined(parts))
    told("labels", 0.0)
    return Simulated("payment", "card_id", rows, labels(settings.labels, rows, seed), _facts(settings))


def _in_time_order(settings: CardSettings, made: Payments) -> Rows:
    inside = np.flatnonzero((made.offset_ms >= 0) & (made.offset_ms < settings.days * DAY_MS))
    order = inside[np.lexsort((made.event_id[inside], made.offset_ms[inside]))]
    return Rows(
        event_id=made.event_id[order],
        event_time=settings.start_ms() + made.offset_ms[order],
        fields={
            "card_id": numbered("c", made.customer[order], 6),
            "terminal_id": numbered("t", made.terminal[order], 6),
            "amount": made.amount[order],
        },
        fraud=made.fraud[order],
        habit=made.habit[order],
    )


def _facts(settings: CardSettings) -> dict[str, object]:
    """When the waves begin, UTC milliseconds, by the name of their habit."""
    dated = {f"attack_{number}": wave for number, wave in enumerate(settings.attack, 1)}
    dated |= {f"rush_{number}": wave for number, wave in enumerate(settings.rush, 1)}
    return {"waves": {name: settings.start_ms() + wave.offset_ms() for name, wave in dated.items()}}
