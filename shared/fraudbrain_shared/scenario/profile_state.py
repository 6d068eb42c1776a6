"""What is kept of a subject: which features share a state, and what each state keeps.

Windows and lifetimes over equal `on`, `where` and `value` share one list of hops, `last` over the same one list of
values; what is `within` a key has a state of its own.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from math import gcd
from typing import Final, Literal

import msgspec

from fraudbrain_shared.expressions import Expression, Type
from fraudbrain_shared.scenario.description import LastValues, Lifetime, ProfileFeature, Read, Window, Within
from fraudbrain_shared.scenario.reads import quantile_percent

StateKind = Literal["hops", "within", "last"]

COLUMNS: Final = "nsflhqmazdru"
"""What can be kept of the hops of a state, a letter each: count, sum of ints, sum of doubles, least, greatest, sum of
squared ints, moments of doubles, first, newest, distinct values, run, quantiles."""

EXACT_DISTINCT: Final = 64
"""Up to so many different values are counted exactly, from there on by a sketch."""
SKETCH_REGISTERS: Final = 64
SKETCH_RANKS: Final = 15
QUANTILE_BINS: Final = 256
REMEMBERED_EVENTS: Final = 32
"""So many events of a subject are known again; see `REMEMBERED_BYTES`."""
REMEMBERED_BYTES: Final = 22
FIRST_SLACK: Final = 16
"""A list of hops may outgrow what its windows need by so many, or by a quarter."""

ENDLESS_S: Final = 2**62
"""The length and the hop of a lifetime, in seconds: longer than all time."""

_SECOND_MS: Final = 1_000
_INT_READS: Final[Mapping[Read, str]] = {"sum": "s", "mean": "ns", "stddev": "nsq"}
_DOUBLE_READS: Final[Mapping[Read, str]] = {"sum": "f", "mean": "nf", "stddev": "m"}
_READS: Final[Mapping[Read, str]] = {
    **{"count": "n", "min": "l", "max": "h", "first": "a", "last": "z"},
    **{"seconds_since": "z", "distinct": "d", "streak": "r"},
}


@dataclass(frozen=True, slots=True)
class Reach:
    """A window of a shared list of hops, in seconds; endless for a lifetime.

    `grid_s` is how long a hop must at most be that this window reads and no shorter one does.
    """

    length_s: int
    hop_s: int
    grid_s: int

    def begin_s(self, now_s: int) -> int:
        """The first second that the window holds at a time."""
        return (now_s - self.length_s) // self.hop_s * self.hop_s


@dataclass(frozen=True, slots=True)
class StateShape:
    """A state that one or more features share. `tag` is what it is kept under in a row."""

    kind: StateKind
    tag: int
    features: tuple[ProfileFeature, ...]

    @property
    def on(self) -> str:
        return self.features[0].on

    @property
    def value_type(self) -> Type:
        """The type of what is folded; without a value, ones."""
        value = self.features[0].value
        return value.type if value else Type.INT

    @property
    def columns(self) -> str:
        """The letters of `COLUMNS` that the features' reads need."""
        needed = {letter for each in self.features for letter in columns_of(each)}
        return "".join(letter for letter in COLUMNS if letter in needed)

    @property
    def reaches(self) -> tuple[Reach, ...]:
        """The windows from the shortest to the longest. One that is longer may have the finer hops."""
        spans = sorted({_window_s(each) for each in self.features})
        grids = [gcd(*(hop % ENDLESS_S for _, hop in spans[place:])) or ENDLESS_S for place in range(len(spans))]
        return tuple(Reach(length, hop, grid) for (length, hop), grid in zip(spans, grids, strict=True))

    @property
    def count(self) -> int:
        """The most values that are kept where the span is the last ones."""
        return max(each.span.count for each in self.features if isinstance(each.span, LastValues))


def state_shapes(features: Iterable[ProfileFeature]) -> tuple[StateShape, ...]:
    """The states of features, in the order of the first feature of each.

    ValueError where a window or a hop is no whole number of seconds.
    """
    sharing: dict[tuple[str | None, ...], list[ProfileFeature]] = {}
    for each in features:
        kind, key = _kind(each)
        definition = (kind, each.on, _text(each.where), _text(each.value), key, *each.made_of)
        sharing.setdefault(definition, []).append(each)
    return tuple(StateShape(_kind(each[0])[0], _tag(made), tuple(each)) for made, each in sharing.items())


def columns_of(feature: ProfileFeature) -> str:
    """The letters of what a feature's reads need to be kept. Part of its definition: what was not kept before
    cannot be read of what was folded then."""
    of_type = _DOUBLE_READS if feature.value and feature.value.type is Type.DOUBLE else _INT_READS
    needed = {letter for read in feature.read for letter in _columns_of_read(read, of_type)}
    return "".join(letter for letter in COLUMNS if letter in needed)


def _columns_of_read(read: Read, of_type: Mapping[Read, str]) -> str:
    return "u" if quantile_percent(read) is not None else of_type.get(read) or _READS[read]


def _kind(feature: ProfileFeature) -> tuple[StateKind, str | None]:
    match feature.span:
        case Window(length_ms, hop_ms):
            if length_ms % _SECOND_MS or hop_ms % _SECOND_MS:
                raise ValueError(f"profile.{feature.name}: window and hop must be whole seconds")
            return "hops", None
        case Lifetime():
            return "hops", None
        case LastValues():
            return "last", None
        case Within(key):
            return "within", key.text


def _text(expression: Expression | None) -> str | None:
    return expression.text if expression else None


def _tag(definition: Sequence[object]) -> int:
    return int.from_bytes(sha256(msgspec.json.encode(definition)).digest()[:4], "big")


def _window_s(feature: ProfileFeature) -> tuple[int, int]:
    span = feature.span
    if isinstance(span, Window):
        return span.length_ms // _SECOND_MS, span.hop_ms // _SECOND_MS
    return ENDLESS_S, ENDLESS_S
