"""What keeps a state: one for each kind of span."""

from typing import Any, Final, Protocol

State = list[Any]
"""A state in a row: its tag, then what its keeper makes of it. Plain values."""

TAG: Final = 0


class Keeper(Protocol):
    """How one state is folded. It holds no data; the states of all subjects do.

    `time` is the event's, `clock` the largest event time folded, the event's included, UTC ms: the event is late
    where its time is smaller. `add` returns for how many features it came too late. Where `notes_misses`, records
    that are not folded matter from the first on; unless it `minds_misses`, they never do. States of one `form` are
    alike: none of them need be adopted.
    """

    form: str
    notes_misses: bool
    minds_misses: bool

    def start(self) -> State:
        """The state of nothing."""

    def adopted(self, state: State) -> State:
        """A state of the same tag as another release kept it, in this one's form. Raises IndexError or TypeError
        where it is none."""

    def add(self, state: State, value: Any, key: Any, time: int, clock: int) -> int:
        """Folds the value of a record whose `where` is true. `key` is what the state is kept within, or None."""

    def miss(self, state: State, key: Any, time: int, clock: int) -> None:
        """Takes note of a record of the type that is not folded."""

    def joined(self, left: State, right: State, clock: int) -> State:
        """The state of two histories, of which the right one is later in the log. Takes both over.

        `clock` is the larger of both. What the right one would have refused as late, had it known the left one's
        clock, it may hold.
        """
