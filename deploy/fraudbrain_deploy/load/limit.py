"""How many events a run has: both sides of a load, each in its own process, see it when it is lowered meanwhile."""

from multiprocessing import get_context


class Limit:
    """To be handed to a process when that is made. One process writes it."""

    def __init__(self) -> None:
        self._shared = get_context("spawn").Value("q", 0, lock=False)

    @property
    def events(self) -> int:
        """As it is now."""
        return int(self._shared.value)

    @events.setter
    def events(self, events: int) -> None:
        self._shared.value = events
