"""What a decision logs by name: the entities of its event, and what it used of what is known of them."""

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple, TypeAlias

from fraudbrain_shared.expressions.compiler import function_of
from fraudbrain_shared.scenario.description import EventType, Scenario
from fraudbrain_shared.scenario.scope import context_reads

Named: TypeAlias = Callable[[object, Sequence[object]], tuple[dict[str, str], dict[str, float | None]]]
"""(event, context) → the ids of the entities that it names, and the numbers used of the context."""


class NamedInputs(NamedTuple):
    """For events of one type. `stale_after_ms` is how far the context may be behind for the most impatient of the
    features used; None where none is used."""

    of: Named
    stale_after_ms: int | None


def named_inputs(scenario: Scenario, event_type: EventType, paths: Iterable[str]) -> NamedInputs:
    """What decisions on events of a type log of what is read by `paths`."""
    used = set(paths)
    reads = [(place, each) for place, each in enumerate(context_reads(scenario, event_type)) if each.path in used]
    entities = [field for field in event_type.fields.values() if field.entity]
    numbers = (f"{each.name!r}: context[{place}]" for place, each in reads)
    lines = [
        f"entities = {{{', '.join(f'{field.name!r}: event.{field.name}' for field in entities)}}}",
        *(f"if event.{field.name} is None: del entities[{field.name!r}]" for field in entities if field.optional),
        f"return entities, {{{', '.join(numbers)}}}",
    ]
    stale_after_ms = min((each.feature.stale_after_ms for _, each in reads), default=None)
    return NamedInputs(function_of("named", ("event", "context"), lines, {}), stale_after_ms)
