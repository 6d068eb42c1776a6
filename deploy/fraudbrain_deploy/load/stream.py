"""Events without end, made of templates: other subjects, other ids, times of their own."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate, count, cycle, islice
from random import Random
from typing import Any, Final, Literal, NamedTuple

import msgspec

Template = Mapping[str, Any]
"""An event as a dict."""

Distribution = Literal["zipf", "uniform", "each"]
"""How often subjects come: by Zipf's law with exponent 1 (the n-th most frequent is 1 / n as frequent as the first),
all alike by chance, or each once before any comes again. Which one that is is drawn, since neighbours in memory would
be quicker to reach."""

_SEED: Final = 7
# What no event holds stands for what differs from one to the next.
_ID, _TIME, _SUBJECT = "«id»", 1_111_111_111_111_111, "«subject»"


class StreamEvent(NamedTuple):
    """A record as it stands in the log; `time` is the event's, UTC ms."""

    key: bytes
    value: bytes
    time: int


@dataclass(frozen=True, slots=True)
class Plan:
    """What a stream is made of: templates, the field that names the subject, how many subjects there are, and how often
    each comes. Events are `step_ms` apart, the first so long after `begin_ms`."""

    templates: Sequence[Template]
    subject_field: str
    subjects: int
    begin_ms: int
    step_ms: float
    distribution: Distribution = "zipf"


class Stream:
    """Events of templates in random order, the same for the same plan; `ids` are what they are called, else random."""

    def __init__(self, plan: Plan, ids: Iterable[str] | None = None) -> None:
        self._random = Random(_SEED)
        self._forms = [_form(template, plan.subject_field) for template in plan.templates]
        self._next_subject = _subjects(plan, self._random)
        self._ids = None if ids is None else iter(ids)
        self._events = self._made(plan.begin_ms, plan.step_ms)

    def take(self, count: int) -> list[StreamEvent]:
        """The next events."""
        return list(islice(self._events, count))

    def _made(self, begin_ms: int, step_ms: float) -> Iterator[StreamEvent]:
        random, ids, next_subject = self._random, self._ids, self._next_subject
        for number in count(1):
            key = subject_name(next_subject()).encode()
            form = random.choice(self._forms)
            id_ = random_id(random) if ids is None else next(ids)
            time = begin_ms + int(number * step_ms)
            yield StreamEvent(key, form % (id_.encode(), time, key), time)


def _subjects(plan: Plan, random: Random) -> Callable[[], int]:
    """Gives the number of the next subject. What that takes is made at once: no event waits for it."""
    numbers = list(range(plan.subjects))
    random.shuffle(numbers)
    if plan.distribution == "each":
        return cycle(numbers).__next__
    if plan.distribution == "uniform":
        return lambda: random.choice(numbers)
    weights = list(accumulate(1 / rank for rank in range(1, plan.subjects + 1)))
    return lambda: random.choices(numbers, cum_weights=weights)[0]


def subject_name(number: int) -> str:
    """What the subject of a number is called: 12 characters."""
    return f"card-{number:07}"


def random_id(random: Random) -> str:
    """The id of an event: 16 characters."""
    return f"{random.getrandbits(64):016x}"


def stream_event(template: Template, subject_field: str, subject: str, id_: str, time: int) -> StreamEvent:
    """The template as an event of another subject at another time."""
    fields = {subject_field: subject} | template["fields"] | {subject_field: subject}  # it comes first
    event = {"event_id": id_, "type": template["type"], "event_time": time, "fields": fields}
    return StreamEvent(subject.encode(), msgspec.json.encode(event), time)


def _form(template: Template, subject_field: str) -> bytes:
    """The event's bytes with places for id, time and subject: encoding each anew would take three times as long."""
    value = stream_event(template, subject_field, _SUBJECT, _ID, _TIME).value.replace(b"%", b"%%")
    for mark, place in ((_ID.encode(), b"%b"), (str(_TIME).encode(), b"%d"), (_SUBJECT.encode(), b"%b")):
        head, found, tail = value.partition(mark)
        assert found
        value = head + place + tail
    return value
