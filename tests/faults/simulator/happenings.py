"""What the sources send: payments and sign-ins of some cards, some late, some again, some changed, some no events."""

import json
from dataclasses import dataclass
from typing import Final

from tests.faults.simulator.circumstances import Circumstances
from tests.faults.simulator.world import BEGINNING_MS, World

DEADLY: Final = b'"deadly"'


@dataclass(frozen=True, slots=True)
class Happening:
    """An event as its source sends it, not before `due_s`."""

    due_s: float
    partition: int
    key: bytes
    value: bytes


def happenings(world: World, given: Circumstances) -> list[Happening]:
    """In the order in which they are sent. A card's are all in one partition."""
    sent: list[Happening] = []
    due_s = 0.0
    deadly = {world.up_to(given.events - 1) for _ in range(given.deadly)}
    for number in range(given.events):
        due_s += world.chance() * 2 * given.event_gap_s
        card = world.up_to(given.cards - 1)
        past = [each for each in sent[-12:] if each.key == b"c%d" % card and each.value != b"garbage"]
        roll = world.chance() / given.noise
        if past and roll < 0.5 and number not in deadly:
            value = world.random.choice(past).value
            if roll < 0.2:
                value = value.replace(b'"fields"', b'"changed": 1, "fields"')
            elif roll < 0.23:
                value = value.replace(b'"event_time": ', b'"event_time": 1')  # centuries ahead
        elif roll < 0.8:
            value = b"garbage"
        else:
            value = _event(world, number, card, due_s, is_deadly=number in deadly)
        sent.append(Happening(due_s, card % given.partitions, b"c%d" % card, value))
    return sent


def _event(world: World, number: int, card: int, due_s: float, *, is_deadly: bool) -> bytes:
    late_s = world.random.choice((60.0, 3_000.0, 9_000.0, 200_000.0)) if world.chance() < 0.3 else 0.0
    fields: dict[str, object] = {"card": f"c{card}"}
    kind = "sign_in"
    if is_deadly or world.chance() < 0.75:
        kind = "payment"
        fields["amount"] = 100 * (1 + world.up_to(9))
    event = {
        "event_id": f"e{number}",
        "type": kind,
        "event_time": BEGINNING_MS + int(1000 * (due_s - late_s)),
        "fields": fields,
    }
    if is_deadly:
        event["note"] = "deadly"
    return json.dumps(event).encode()
