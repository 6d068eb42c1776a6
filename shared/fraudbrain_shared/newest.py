"""What was said last under each of many keys, in a bounded memory that never passes off what it lost as never said."""

from hashlib import blake2b
from itertools import islice
from typing import Final

MOST_ENTITIES: Final = 1_000_000
"""How many entities are kept where nobody says otherwise: half a gigabyte of context."""

_BITS_PER_KEY: Final = 16
_HASHES: Final = 4
_SHARE_AT_ONCE: Final = 100


class Newest:
    """The newest values by key, of the keys that were put last: at most `most`. Older ones are put away.

    That a key was put away is remembered in a few bits: of 400 keys that never were, one may be taken for such a one,
    and of more where many times `most` were put away; the other way round it never errs.
    """

    def __init__(self, most: int = MOST_ENTITIES) -> None:
        self._most = max(1, most)
        self._values: dict[str, bytes] = {}
        self._away = bytearray()
        self.put_away = 0
        """How many were put away so far."""

    def __len__(self) -> int:
        return len(self._values)

    def get(self, key: str) -> bytes | None:
        """What was put last, unless it was removed or put away."""
        return self._values.get(key)

    def put(self, key: str, value: bytes) -> None:
        """Keeps a value in place of the key's earlier one; for room, those that were put longest ago are put away."""
        self._values.pop(key, None)  # to stand behind all others
        self._values[key] = value
        if len(self._values) > self._most:
            self._make_room()

    def remove(self, key: str) -> None:
        """Forgets a key."""
        self._values.pop(key, None)

    def oldest_first(self) -> list[str]:
        """The keys that have a value, those that were put longest ago first."""
        return list(self._values)

    def was_put_away(self, key: str) -> bool:
        """Whether the key, of which nothing is kept, had a value."""
        return bool(self._away) and all(self._away[at] & bit for at, bit in self._places(key))

    def _make_room(self) -> None:
        # Many at once: to look for the oldest takes a look at all places that are free before it.
        if not self._away:
            self._away = bytearray(max(1_024, self._most * _BITS_PER_KEY // 8))
        for key in list(islice(self._values, self._most // _SHARE_AT_ONCE + 1)):
            del self._values[key]
            self.put_away += 1
            for at, bit in self._places(key):
                self._away[at] |= bit

    def _places(self, key: str) -> list[tuple[int, int]]:
        """The bits of a Bloom filter that stand for a key, as byte and mask. The same in every process."""
        digest = int.from_bytes(blake2b(key.encode(errors="surrogatepass"), digest_size=8 * _HASHES).digest(), "little")
        numbers = ((digest >> (64 * each)) % (8 * len(self._away)) for each in range(_HASHES))
        return [(number >> 3, 1 << (number & 7)) for number in numbers]
