"""How long a worker waits and how much it holds."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """What bounds a worker's loop."""

    flush_interval_s: float = 0.5
    """Between two flushes of profiles. Longer: more is decided again after a crash. Shorter: more rows are written."""

    load_timeout_s: float = 0.02
    """How long an event waits for its profile before it is decided without."""

    replayed_load_timeout_s: float = 10.0
    """The same for a replayed event, for which nobody waits."""

    profiles: int = 2_000_000
    """Profiles in memory, of all partitions. At 500 to 700 bytes each; those untouched for long are put away."""

    warm: int = 5_000
    """Profiles that stay unpacked, of all partitions: those flushed last. Each takes about 3 KB more and saves its next
    event unpacking it; each thousand makes the garbage collector's longest pause 1 to 2 ms longer."""

    held: int = 100_000
    """Events decided without their profile and not yet folded; at so many no more are taken until the store is back."""
