"""Time, chance and what is still to come: all that differs between two runs of a seed is nothing."""

from collections.abc import Callable, Sequence
from heapq import heappop, heappush
from random import Random
from typing import Final, TypeVar

T = TypeVar("T")

BEGINNING_MS: Final = 1_700_000_000_000


class Killed(BaseException):
    """The process of a worker ended here: no code of it runs on."""


class World:
    """A clock that moves when it is told to, and one source of chance. `say` hears what happens, for people."""

    def __init__(self, seed: int, say: Callable[[str], None] | None = None) -> None:
        self.random = Random(seed)
        self.chance = self.random.random
        self.now = 0.0
        self._say = say
        self._later: list[tuple[float, int, Callable[[], None]]] = []
        self._count = 0

    def clock(self) -> float:
        return self.now

    @property
    def now_ms(self) -> int:
        return BEGINNING_MS + int(self.now * 1000)

    def up_to(self, most: int) -> int:
        """A whole number from 0 to `most`, each as likely."""
        return int(self.chance() * (most + 1))

    def between(self, low: float, high: float) -> float:
        return low + self.chance() * (high - low)

    def some(self, of: Sequence[T]) -> list[T]:
        """Some of them, in their order: maybe none, maybe all."""
        share = self.chance()
        return [each for each in of if self.chance() < share]

    def at(self, delay_s: float, do: Callable[[], None]) -> None:
        """Has something done later, whoever is alive then."""
        self._count += 1
        heappush(self._later, (self.now + delay_s, self._count, do))

    def pass_time(self, seconds: float) -> None:
        self.now += seconds
        while self._later and self._later[0][0] <= self.now:
            heappop(self._later)[2]()

    def end_all(self) -> None:
        """Lets everything happen that was still to come."""
        while self._later:
            due, _, do = heappop(self._later)
            self.now = max(self.now, due)
            do()

    @property
    def is_told(self) -> bool:
        """Whether anybody listens; words cost more than what they tell of."""
        return self._say is not None

    def tell(self, words: str) -> None:
        if self._say is not None:
            self._say(f"{self.now:8.3f}  {words}")
