"""How many different values: exactly up to 64 of them, from there on by a sketch, in any window that is kept.

For each value, known by a hash of 32 bits, the time of its newest record is kept: a window counts those that are
not before its beginning. Of more than 64 values a HyperLogLog remembers, in 64 registers, only the ranks of their
hashes, each with the newest time at which it was met; a window reads the highest rank of each register within it.
Its standard error is 1.04 / √64 = 13 %, less while few values are in the window.

Source: P. Flajolet, É. Fusy, O. Gandouet, F. Meunier, "HyperLogLog: the analysis of a near-optimal cardinality
estimation algorithm", AofA 2007; Y. Chabchoub, G. Hébrail, "Sliding HyperLogLog: Estimating Cardinality in a Data
Stream over a Sliding Window", ICDM Workshops 2010.
"""

from collections.abc import Sequence
from hashlib import blake2b
from math import log
from operator import itemgetter
from typing import Any, Final

from fraudbrain_shared.features.aggregates.aggregate import Column, Groups
from fraudbrain_shared.scenario.profile_state import EXACT_DISTINCT, SKETCH_RANKS, SKETCH_REGISTERS

Seen = dict[int, int]
"""The newest second in which each hash, or each rank of a register, was met; the newest last."""

_REGISTER_BITS: Final = SKETCH_REGISTERS.bit_length() - 1
_HASH_BITS: Final = 32
_RANK_BITS: Final = SKETCH_RANKS.bit_length()
_RANK_MASK: Final = (1 << _RANK_BITS) - 1
_ALPHA: Final = 0.709  # of 64 registers, as the source has it
_SHARES: Final = [2.0**-rank for rank in range(SKETCH_RANKS + 1)]
_BY_SECOND: Final = itemgetter(1)


class Distinct:
    """The column holds whether it is a sketch, and what was seen. What is older than `reach_s` may be dropped."""

    def __init__(self, reach_s: int) -> None:
        self._reach_s = reach_s

    def start(self) -> Column:
        return [False, {}]

    def insert(self, column: Column, place: int, value: Any, time: int) -> None:
        self.add(column, place, value, time)

    def add(self, column: Column, place: int, value: Any, time: int) -> None:
        second = time // 1000
        if column[0] and second - next(reversed(column[1].values())) > self._reach_s:
            column[:] = self.start()
        is_sketch, seen = column
        if is_sketch:
            _meet_rank(seen, _place_of(hash32(value)), second)
            return
        _meet(seen, hash32(value), second)
        if len(seen) > EXACT_DISTINCT:
            column[:] = self._bounded(column)

    def regroup(self, column: Column, groups: Groups, dropped: int) -> None:
        column[:] = self._bounded(column)

    def joined(self, left: Column, right: Column, lefts: Sequence[int], rights: Sequence[int]) -> Column:
        is_sketch = left[0] or right[0]
        meet = _meet_rank if is_sketch else _meet
        both: Seen = {}
        for column in (left, right):
            for key, second in (_as_sketch(column[1]) if is_sketch and not column[0] else column[1]).items():
                meet(both, key, second)
        return self._bounded([is_sketch, both])

    def _bounded(self, column: Column) -> Column:
        """Without what no window reads, and a sketch if that is still too much."""
        is_sketch, seen = column
        if not seen:
            return self.start()
        oldest = next(reversed(seen.values())) - self._reach_s
        kept = {key: second for key, second in seen.items() if second >= oldest}
        if is_sketch or len(kept) <= EXACT_DISTINCT:
            return [is_sketch, kept]
        return [True, _as_sketch(kept)]


def _meet(seen: Seen, key: int, second: int) -> None:
    known = seen.get(key)
    if known is not None:
        if known >= second:
            return
        del seen[key]
    is_late = bool(seen) and second < next(reversed(seen.values()))
    seen[key] = second
    if is_late:
        in_order = sorted(seen.items(), key=_BY_SECOND)
        seen.clear()
        seen.update(in_order)


def _meet_rank(sketch: Seen, place: int, second: int) -> None:
    """Notes a register's rank. What a higher rank at the same time or later hides from every window is not kept."""
    register = place & ~_RANK_MASK
    if any(sketch.get(higher, -1) >= second for higher in range(place, register + _RANK_MASK + 1)):
        return
    for lower in range(register, place):
        if sketch.get(lower, second + 1) <= second:
            del sketch[lower]
    _meet(sketch, place, second)


def _as_sketch(seen: Seen) -> Seen:
    sketch: Seen = {}
    for key, second in seen.items():
        _meet_rank(sketch, _place_of(key), second)
    return sketch


def _place_of(hash_: int) -> int:
    """Register and rank: the last bits of a hash, and how many zeros lead the others, and one."""
    rest = hash_ >> _REGISTER_BITS
    rank = min(_HASH_BITS - _REGISTER_BITS - rest.bit_length() + 1, SKETCH_RANKS)
    return (hash_ & (SKETCH_REGISTERS - 1)) << _RANK_BITS | rank


def hash32(value: Any) -> int:
    """The same in every process. Two of 64 values share one with a probability of 5e-7."""
    data = value.encode() if isinstance(value, str) else repr(value + 0).encode()  # + 0: −0.0 is 0.0
    return int.from_bytes(blake2b(data, digest_size=4).digest(), "big")


def sketched_since(column: Column, start_s: int) -> int:
    """How many different values have records from a second on, by a sketch."""
    ranks = [0] * SKETCH_REGISTERS
    for place, second in reversed(column[1].items()):
        if second < start_s:
            break
        register, rank = place >> _RANK_BITS, place & _RANK_MASK
        if ranks[register] < rank:
            ranks[register] = rank
    return round(_estimate(ranks))


def _estimate(ranks: Sequence[int]) -> float:
    registers = len(ranks)
    estimate: float = _ALPHA * registers * registers / sum([_SHARES[rank] for rank in ranks])
    empty = ranks.count(0)
    return registers * log(registers / empty) if empty and estimate <= 2.5 * registers else estimate
