"""What a seed's run is made of: how much of everything, and how often each fault. Many seeds lack most faults."""

from dataclasses import dataclass, fields
from random import Random

from fraudbrain_realtime.limits import Limits


@dataclass(slots=True)
class Circumstances:
    """Of one run. Chances are of a call to a port, of a request, or of a step of the run; everybody looks here."""

    events: int
    partitions: int
    cards: int
    workers: int
    machines: int
    runs: int
    """Each after the first begins with all workers stopped, the epoch raised and the offsets at the beginning."""
    batch: int
    limits: Limits
    room: int
    """Requests that a keeper takes before it has answered."""
    pace: int
    """How much it does, at most, between two looks of its worker."""
    scan_lags: float
    """How likely what it found of a scan comes later than all else that it says."""
    session_s: float
    event_gap_s: float
    published: int
    deadly: int
    """Events that end the process which folds them."""
    noise: float
    """Share of events that are garbage, duplicates or conflicts."""

    kill: float
    freeze: float
    overtake: float
    """Others go on while a call of a worker is under way."""
    stop: float
    deal: float
    """The group deals its partitions anew."""
    expel: float
    """A worker is put out of its group without knowing."""
    broker_down: float
    store_down: float
    load_fails: float
    save_fails: float
    scan_fails: float
    keeper_dies: float
    keeper_sticks: float
    commit_fails: float

    def calm_down(self) -> None:
        """Nothing goes wrong any more."""
        names = [field.name for field in fields(self)]
        for chance in names[names.index("kill") :]:
            setattr(self, chance, 0.0)


def circumstances(random: Random) -> Circumstances:
    """Drawn for a seed."""

    def maybe(share: float, most: float) -> float:
        return random.random() * most if random.random() < share else 0.0

    return Circumstances(
        events=random.randint(16, 52),
        partitions=random.choice((1, 2, 2, 3)),
        cards=random.randint(2, 8),
        workers=random.choice((1, 2, 2, 3)),
        machines=random.choice((1, 2)),
        runs=random.choice((1, 1, 1, 2)),
        batch=random.choice((1, 2, 4, 8)),
        limits=Limits(
            flush_interval_s=random.choice((0.01, 0.05, 0.3)),
            load_timeout_s=0.02,
            profiles=random.choice((2, 2, 4, 1_000)),
            warm=4,
            held=random.choice((2, 5, 1_000)),
        ),
        room=random.choice((1, 2, 6)),
        pace=random.choice((1, 1, 3)),
        scan_lags=random.choice((0.0, 0.5, 0.95)),
        session_s=random.choice((0.2, 0.6, 1.5)),
        event_gap_s=random.choice((0.002, 0.02, 0.05, 0.1)),
        published=random.choice((0, 0, 1, 3, 5)),
        deadly=random.choice((0, 0, 0, 1, 2)),
        noise=random.choice((0.05, 0.2, 0.4)),
        kill=maybe(0.6, 0.012),
        freeze=maybe(0.5, 0.012),
        overtake=maybe(0.4, 0.03),
        stop=maybe(0.3, 0.03),
        deal=maybe(0.5, 0.15),
        expel=maybe(0.5, 0.1),
        broker_down=maybe(0.3, 0.03),
        store_down=maybe(0.5, 0.06),
        load_fails=maybe(0.4, 0.5),
        save_fails=maybe(0.5, 0.8),
        scan_fails=maybe(0.4, 0.3),
        keeper_dies=maybe(0.3, 0.04),
        keeper_sticks=maybe(0.2, 0.02),
        commit_fails=maybe(0.4, 0.5),
    )
