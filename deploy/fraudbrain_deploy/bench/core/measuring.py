"""`python -m fraudbrain_deploy.bench.core.measuring`: measures in a process of its own, and writes what it found.

In each round all take the next two slices of one stream: the whole, the stages, our profile update, Redis and Quix
Streams. The first slice is not timed: what ran before has filled the processor's caches with its own.
"""

import argparse
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from statistics import mean, median
from typing import Final, NamedTuple, TypeVar

import msgspec

from fraudbrain_deploy.bench.core.engine import STAGES, Engine
from fraudbrain_deploy.bench.core.quix import QuixStreams, quix_streams
from fraudbrain_deploy.bench.core.stream import reference_stream
from fraudbrain_deploy.bench.rules.cases import reference
from fraudbrain_shared.admission import AdmittedEvent
from fraudbrain_shared.features import encode_profile
from fraudbrain_shared.models import Scorer, load_scorer
from fraudbrain_shared.scenario import Scenario
from fraudbrain_shared.scenario.feature_set import feature_names
from fraudbrain_shared.testing.alternating import Tell, undisturbed

UNCOUNTED: Final = 2
"""Rounds before the first that counts: caches fill, and memory is found."""

QUIX_ROUNDS: Final = 7
_QUIX_EVENTS: Final = 2_001
_LEAST_EVENTS: Final = 64
_BATCH: Final = 16
_REST_S: Final = 0.2  # until the peers' processes have come to rest
_EVENTS_PER_S: Final = 20_000  # about what the whole takes


Each = TypeVar("Each")
UpdateUs = Callable[[Sequence[tuple[str, AdmittedEvent]]], float]
"""Updates what is known of each event's subject; microseconds of wall time per event."""


class Found(msgspec.Struct, kw_only=True):
    """Microseconds per event and round of whatever was measured; what was not is empty.

    `update_us` and `redis_us` are wall time, the others processor time. `growth_us` and `bytes_each` are by the number
    of subjects, `bytes_each` of the most.
    """

    subjects: int
    events: int
    event_bytes: float = 0.0
    scored: bool = False
    fired: float = 0.0
    versions: dict[str, str] = {}
    whole_us: list[float] = []
    stages_us: dict[str, list[float]] = {}
    update_us: list[float] = []
    redis_us: list[float] = []
    quix_us: list[float] = []
    growth_us: dict[int, list[float]] = {}
    bytes_each: dict[int, float] = {}


class Peers(NamedTuple):
    """Where the peers are: Redis by its URL, a Kafka broker by its address, and Quix Streams' folder."""

    redis: str
    broker: str
    quix: Path


class Different(Exception):
    """The stages do not leave what the whole leaves: their times say nothing about it."""


def measure(
    release: bytes, peers: Peers | None, sizes: Sequence[int], *, rounds: int, slice_s: float, tell: Tell
) -> Found:
    """All figures about the core: beside the peers with the smallest number of subjects, then how the cost grows.

    Raises Different, and ReleaseError for a release that must not be used.
    """
    scenario = reference()
    champion = load_scorer(release, feature_names(scenario), scenario.parameters)
    events = max(_LEAST_EVENTS, round(slice_s * _EVENTS_PER_S))
    most = max(sizes)
    found = Found(subjects=min(sizes), events=events, scored=True)
    tell("profiles of many subjects are made")
    before = _resident_bytes()  # now: later memory is taken again that others gave back
    largest = Engine(scenario, most, champion)
    found.bytes_each[most] = (_resident_bytes() - before) / most
    _side_by_side(found, scenario, champion, peers, rounds, tell)
    engines = {size: Engine(scenario, size, champion) for size in sorted(sizes) if size < most} | {most: largest}
    _growth(found, scenario, engines, rounds, tell)
    return found


def _side_by_side(
    found: Found, scenario: Scenario, champion: Scorer, peers: Peers | None, rounds: int, tell: Tell
) -> None:
    stream = reference_stream(scenario, found.subjects)
    whole, staged, updated = (Engine(scenario, found.subjects, champion) for _ in range(3))
    touched: set[str] = set()
    fired: list[int] = []
    found.stages_us = {stage: [] for stage in STAGES}
    with ExitStack() as ends:
        redis = _redis(found, peers, ends)
        quix = _quix(found, peers, scenario, ends)
        ends.enter_context(undisturbed())
        for number in _rounds(rounds, "core", tell):
            time.sleep(_REST_S)
            slices = stream.take(found.events), stream.take(found.events)
            both = [event for events in slices for event in events]
            touched.update(event.key.decode() for event in both)
            found.event_bytes = mean(len(event.value) for event in both)
            us = _last(_us(partial(whole.whole, events), time.process_time, len(events)) for events in slices)
            seconds, decisions = _last(staged.stages(events, time.process_time) for events in slices)
            taken = [updated.admitted(events) for events in slices]
            update_us = _last(_wall_us(updated.update, each) for each in taken)
            of_subjects = [[(profile.subject, event) for event, profile, _ in each] for each in taken]
            redis_us = _last(map(redis, of_subjects)) if redis else None
            if number > 0:
                found.whole_us.append(us)
                for stage, each in seconds.items():
                    found.stages_us[stage].append(each / found.events * 1e6)
                found.update_us.append(update_us)
                if redis_us is not None:
                    found.redis_us.append(redis_us)
                fired += [len(_findings(decision).findings) for decision in decisions]
            if quix and 0 < number <= QUIX_ROUNDS:
                found.quix_us.append(quix.us())
            for engine in (whole, staged, updated):
                engine.rest(both)
    found.fired = round(mean(fired), 2)
    _refuse_difference(touched, whole, staged)


def _growth(found: Found, scenario: Scenario, engines: Mapping[int, Engine], rounds: int, tell: Tell) -> None:
    streams = {size: reference_stream(scenario, size) for size in engines}
    found.growth_us = {size: [] for size in engines}
    with undisturbed():
        for number in _rounds(rounds, "growth", tell):
            for size, engine in engines.items():
                slices = streams[size].take(found.events), streams[size].take(found.events)
                us = _last(_us(partial(engine.whole, events), time.process_time, len(events)) for events in slices)
                if number > 0:
                    found.growth_us[size].append(us)
                engine.rest([event for events in slices for event in events])


def _rounds(rounds: int, what: str, tell: Tell) -> Iterator[int]:
    """Numbers the rounds; those that do not count are 0 and below."""
    for number in range(1 - UNCOUNTED, rounds + 1):
        tell(f"{what}: round {max(0, number)} of {rounds}")
        yield number


def _last(each: Iterable[Each]) -> Each:
    """Does all, and returns what the last gave."""
    [*_, last] = each
    return last


def _us(work: Callable[[], object], clock: Callable[[], float], events: int) -> float:
    begun = clock()
    work()
    return (clock() - begun) / events * 1e6


def _wall_us(update: Callable[[Sequence[Each]], object], events: Sequence[Each]) -> float:
    """The median of small batches: whoever else uses the machine stands in the way of some, not of most."""
    batches = [events[start : start + _BATCH] for start in range(0, len(events), _BATCH)]
    return median(_us(partial(update, batch), time.perf_counter, len(batch)) for batch in batches)


def _redis(found: Found, peers: Peers | None, ends: ExitStack) -> UpdateUs | None:
    if peers is None:
        return None
    from fraudbrain_deploy.bench.core.redis_velocity import RedisVelocity

    velocity = RedisVelocity(peers.redis)
    ends.callback(velocity.close)
    found.versions |= velocity.versions
    return lambda events: _wall_us(velocity.update, events)


def _quix(found: Found, peers: Peers | None, scenario: Scenario, ends: ExitStack) -> QuixStreams | None:
    if peers is None:
        return None
    events = [event.value for event in reference_stream(scenario, found.subjects).take(_QUIX_EVENTS)]
    quix = ends.enter_context(quix_streams(peers.quix, peers.broker, events))
    found.versions["Quix Streams"] = quix.version
    return quix


class _Findings(msgspec.Struct):
    findings: tuple[str, ...] = ()


_findings = msgspec.json.Decoder(_Findings).decode


def _refuse_difference(subjects: set[str], whole: Engine, staged: Engine) -> None:
    for subject in subjects:
        if encode_profile(whole.profiles[subject]) != encode_profile(staged.profiles[subject]):
            raise Different(f"the profile of {subject} is another after the stages than after the whole")


def _resident_bytes() -> int:
    return int(Path("/proc/self/statm").read_text().split()[1]) * 4096


def main() -> None:
    """The figures as JSON on standard output, how far it is on standard error."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--release", type=Path, required=True)
    parser.add_argument("--subjects", type=int, nargs="+", required=True)
    parser.add_argument("--peers", type=Path, help="the folder that Redis' parser is installed in")
    parser.add_argument("--redis", help="its URL")
    parser.add_argument("--broker", help="Kafka's address")
    parser.add_argument("--quix", type=Path, help="the folder that Quix Streams is installed in")
    parser.add_argument("--rounds", type=int, required=True)
    parser.add_argument("--slice-s", type=float, required=True)
    arguments = parser.parse_args()
    if arguments.peers:
        sys.path.append(str(arguments.peers))
    peers = Peers(arguments.redis, arguments.broker, arguments.quix) if arguments.quix else None
    found = measure(
        arguments.release.read_bytes(),
        peers,
        arguments.subjects,
        rounds=arguments.rounds,
        slice_s=arguments.slice_s,
        tell=lambda text: print(text, file=sys.stderr, flush=True),
    )
    sys.stdout.buffer.write(msgspec.json.encode(found))


if __name__ == "__main__":
    main()
