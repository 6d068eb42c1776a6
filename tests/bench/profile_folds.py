"""What a profile costs: µs for each event read and folded, and bytes for each subject.

    python -m tests.bench.profile_folds [--subjects 10000 1000000] [--events 100000]

About 30 model features over windows of 1 h, 1 d, 7 d and 30 d, the last 50 values, a key and the whole life. Subjects
come by Zipf's law with exponent 1 and, for comparison, evenly. `at rest`: each profile is packed before and after its
event, as a cold subject's is between two flushes. Prints; asserts nothing.
"""

import argparse
import gc
import platform
import random
import sys
from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate
from pathlib import Path
from statistics import median
from time import process_time
from types import SimpleNamespace
from typing import Any

from fraudbrain_shared.features import Profile, ProfileFold, encode_profile, hash64, put_to_rest, recall, remember
from fraudbrain_shared.scenario.description import LastValues, Lifetime, Scenario, Window
from fraudbrain_shared.scenario.row_size import row_bytes, worst_case_bytes
from fraudbrain_shared.scenario.scope import profile_reads
from tests.parity.features.history import EMPTY, with_feature

HOUR, DAY = 3_600_000, 86_400_000
T0 = 1_700_000_000_000
EVENTS_EACH = 5

Work = Callable[[Profile, Any], None]


def reference() -> Scenario:
    spans = {
        "1h": Window(HOUR, HOUR // 12),
        "1d": Window(DAY, HOUR),
        "7d": Window(7 * DAY, 6 * HOUR),
        "30d": Window(30 * DAY, DAY),
    }
    scenario = EMPTY
    for name, span in spans.items():
        reads = ("count", "sum", "mean", "max")
        scenario = with_feature(scenario, f"spend_{name}", span, reads, value="event.amount")
    scenario = with_feature(
        scenario, "spend", Lifetime(), ("mean", "stddev", "last", "seconds_since"), value="event.amount"
    )
    for name in ("1d", "7d", "30d"):
        scenario = with_feature(scenario, f"shops_{name}", spans[name], ("distinct",), value="event.shop")
    for name in ("1h", "1d", "30d"):
        scenario = with_feature(scenario, f"online_{name}", spans[name], ("count",), where="event.online")
    scenario = with_feature(
        scenario, "usual", LastValues(50), ("quantile_50", "quantile_95", "streak"), value="event.amount"
    )
    return with_feature(scenario, "trip", "event.trip", ("count", "sum"), value="event.amount")


def random_event(time: int, random_: random.Random) -> Any:
    fields = SimpleNamespace(
        card_id="c",
        amount=int(random_.lognormvariate(8, 1)),
        rate=None,
        shop=f"shop{random_.randrange(30)}",
        trip=f"trip{time // DAY}",
        online=random_.random() < 0.4,
    )
    return SimpleNamespace(event_id="e", type="payment", event_time=time, fields=fields)


def chosen(count: int, events: int, zipf: bool, random_: random.Random) -> Sequence[int]:
    if not zipf:
        return random_.choices(range(count), k=events)
    weights = list(accumulate(1 / rank for rank in range(1, count + 1)))
    return random_.choices(range(count), cum_weights=weights, k=events)


def resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


def first_events(fold: ProfileFold, count: int, random_: random.Random) -> Iterator[Profile]:
    """Profiles at rest that have seen five events each, spread over twenty days."""
    for number in range(count):
        profile = Profile(f"card-{number:012}")
        for time in sorted(T0 + random_.randrange(20 * DAY) for _ in range(EVENTS_EACH)):
            event = random_event(time, random_)
            fold.fold(profile, event)
            event_id = random_.randbytes(8)
            remember(profile, event_id, event_id, time)
        encode_profile(profile)
        put_to_rest(profile)
        yield profile


def timed(work: Work, profiles: Sequence[Profile], events: Sequence[tuple[int, Any]]) -> float:
    """µs for each event: the median of slices of a thousand, so that others on the machine count for less."""
    slices = []
    for start in range(0, len(events), 1000):
        began = process_time()
        for number, event in events[start : start + 1000]:
            work(profiles[number], event)
        slices.append((process_time() - began) * 1000)
    return median(slices)


def measure(fold: ProfileFold, count: int, events: int) -> None:
    random_ = random.Random(7)
    gc.collect()
    before = resident_bytes()
    profiles = list(first_events(fold, count, random_))
    gc.collect()
    each = (resident_bytes() - before) / count
    rows = [len(encode_profile(profile)) for profile in profiles[:1000]]
    print(f"{count:>9,} subjects: {each:,.0f} bytes each in memory, rows {sum(rows) / len(rows):,.0f} on average")
    gc.freeze()
    gc.disable()
    clock = T0 + 20 * DAY
    for zipf in (True, False):
        for name, work in works(fold).items():
            numbers = chosen(count, events, zipf, random_)
            times = range(clock, clock + DAY, DAY // events)
            batch = [(number, random_event(time, random_)) for number, time in zip(numbers, times, strict=False)]
            clock += DAY
            print(f"    {'zipf' if zipf else 'even'} {name:<28} {timed(work, profiles, batch):6.2f} µs")
            for number in set(numbers):
                encode_profile(profiles[number])
                put_to_rest(profiles[number])
    gc.enable()


def works(fold: ProfileFold) -> dict[str, Work]:
    def read_and_fold(profile: Profile, event: Any) -> None:
        fold.fold(profile, event, fold.read(profile, event))

    def read(profile: Profile, event: Any) -> None:
        fold.read(profile, event)

    def at_rest(profile: Profile, event: Any) -> None:
        fold.fold(profile, event, fold.read(profile, event))
        encode_profile(profile)
        put_to_rest(profile)

    def duplicates(profile: Profile, event: Any) -> None:
        number = hash64(b"%s %d" % (event.event_id.encode(), event.event_time))
        recall(profile, number)
        remember(profile, number, number, event.event_time)

    def yardstick(profile: Profile, event: Any) -> None:
        hash64(b"0123456789abcdef")

    return {
        "read, fold, pack (at rest)": at_rest,
        "read and fold": read_and_fold,
        "read": read,
        "duplicates": duplicates,
        "yardstick: one hash64": yardstick,
    }


def busiest_row(fold: ProfileFold) -> int:
    """The longest row of a subject with an event every minute for 40 days."""
    random_, profile, longest = random.Random(3), Profile("card-000000000000"), 0
    for minute in range(40 * 24 * 60):
        event = random_event(T0 + minute * 60_000, random_)
        fold.fold(profile, event)
        remember(profile, random_.randbytes(8), bytes(8), event.event_time)
        if minute % 997 == 0:
            longest = max(longest, len(encode_profile(profile)))
    return longest


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--subjects", type=int, nargs="+", default=[10_000, 100_000])
    parser.add_argument("--events", type=int, default=100_000)
    options = parser.parse_args()
    scenario = reference()
    fold = ProfileFold(scenario)
    print(f"Python {platform.python_version()} on {platform.machine()}, {sys.platform}")
    worst = row_bytes(scenario.profile.values())
    apart = sum(map(worst_case_bytes, scenario.profile.values()))
    print(f"{len(profile_reads(scenario))} features; a row takes at most {worst:,} bytes, unshared {apart:,}")
    print(f"the busiest row: {busiest_row(fold):,} bytes")
    for count in options.subjects:
        measure(fold, count, options.events)


if __name__ == "__main__":
    main()
