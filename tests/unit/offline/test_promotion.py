"""Promotion brings the topic in line with the alias, or says why not; broken off anywhere, it goes on."""

from dataclasses import dataclass, field
from typing import Any

import msgspec
import pytest

from fraudbrain_offline.promotion import Promoter
from fraudbrain_offline.registry import ModelVersion
from fraudbrain_shared.models import seal
from fraudbrain_shared.models.registered import PUBLISHED, REFUSED, RELEASE, SHA256
from fraudbrain_shared.records import ModelRelease
from fraudbrain_shared.scenario.description import Parameter
from tests.unit.models.boosted import FEATURES, boosted
from tests.unit.models.releases import release_of


@dataclass
class FakeRegistry:
    records: dict[str, bytes] = field(default_factory=dict)
    tags: dict[str, dict[str, str]] = field(default_factory=dict)
    alias: str | None = None

    def register(self, number: str, record: bytes, **tags: str) -> None:
        release = msgspec.json.decode(record, type=ModelRelease)
        self.records[number] = record
        self.tags[number] = {SHA256: release.sha256, RELEASE: release.version} | tags
        self.alias = number

    def champion(self) -> ModelVersion | None:
        return None if self.alias is None else ModelVersion(self.alias, self.alias, dict(self.tags[self.alias]))

    def record(self, version: ModelVersion) -> bytes:
        return self.records[version.source]

    def tag(self, version: ModelVersion, key: str, value: str) -> None:
        self.tags[version.version][key] = value


@dataclass
class FakeTopic:
    sent: list[bytes] = field(default_factory=list)

    def last(self, topic: str, key: bytes) -> bytes | None:
        return self.sent[-1] if self.sent else None

    def publish(self, topic: str, key: bytes, value: bytes) -> None:
        assert (topic, key) == ("models", b"champion")
        self.sent.append(value)


SMALL = release_of(boosted(1, rounds=2, rows=200, max_depth=2))


def record(version: str, **changes: Any) -> bytes:
    return seal(msgspec.structs.replace(SMALL, version=version, **changes))


@pytest.fixture
def registry() -> FakeRegistry:
    return FakeRegistry()


@pytest.fixture
def topic() -> FakeTopic:
    return FakeTopic()


def step(registry: FakeRegistry, topic: FakeTopic) -> str:
    """One step of a promoter that was just started."""
    return Promoter(registry, topic, FEATURES).step().state


def test_nothing_happens_while_there_is_no_champion(registry: FakeRegistry, topic: FakeTopic) -> None:
    assert (step(registry, topic), topic.sent) == ("no champion", [])


def test_a_champion_is_published_once(registry: FakeRegistry, topic: FakeTopic) -> None:
    registry.register("1", record("a"))
    assert [step(registry, topic) for _ in range(3)] == ["published", "unchanged", "unchanged"]
    assert topic.sent == [registry.records["1"]]
    assert PUBLISHED in registry.tags["1"]


def test_the_alias_set_back_publishes_the_earlier_one_again(registry: FakeRegistry, topic: FakeTopic) -> None:
    promoter = Promoter(registry, topic, FEATURES)
    for number, name in (("1", "a"), ("2", "b")):
        registry.register(number, record(name))
        promoter.step()
    registry.alias = "1"
    assert promoter.step().state == "published"
    assert topic.sent == [registry.records[each] for each in ("1", "2", "1")]
    assert promoter.live.version == "a"


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (record("bad", golden_scores=tuple(score / 2 for score in SMALL.golden_scores)), "golden rows score otherwise"),
        (record("bad", features=("unheard_of", *FEATURES[1:])), "unknown features: unheard_of"),
        (record("bad") + b" ", "its bytes do not have the sha256"),
        (record("bad", starting_values={f"{at:0100}": 0.5 for at in range(80_000)}), "do not fit in a record"),
    ],
)
def test_a_bad_release_is_refused_and_tagged_and_what_was_live_stays(
    registry: FakeRegistry, topic: FakeTopic, bad: bytes, reason: str
) -> None:
    registry.register("1", record("good"))
    step(registry, topic)
    registry.register("2", bad)
    assert [step(registry, topic) for _ in range(2)] == ["refused", "refused"]
    assert reason in registry.tags["2"][REFUSED]
    assert topic.sent == [registry.records["1"]]


def test_a_release_whose_thresholds_start_out_of_bounds_is_refused(registry: FakeRegistry, topic: FakeTopic) -> None:
    registry.register("1", record("a", starting_values={"review_score": 0.99}))
    bounds = {"review_score": Parameter("review_score", "double", 0.5, 0.1, 0.9, scale="score")}
    assert Promoter(registry, topic, FEATURES, bounds).step().state == "refused"
    assert "the starting value 0.99 of review_score is outside of 0.1 to 0.9" in registry.tags["1"][REFUSED]


def test_another_release_than_the_registered_one_is_refused(registry: FakeRegistry, topic: FakeTopic) -> None:
    registry.register("1", record("a"), **{SHA256: "0" * 64})
    assert (step(registry, topic), topic.sent) == ("refused", [])
    assert registry.tags["1"][REFUSED] == "its sha256 is not the one that it was registered with"


def test_a_step_broken_off_after_publishing_is_told_by_the_next(registry: FakeRegistry, topic: FakeTopic) -> None:
    registry.register("1", record("a"))
    topic.sent.append(registry.records["1"])
    assert step(registry, topic) == "unchanged"
    assert PUBLISHED in registry.tags["1"]
    assert len(topic.sent) == 1


def test_a_topic_that_holds_no_release_is_overwritten(registry: FakeRegistry, topic: FakeTopic) -> None:
    topic.sent.append(b"\xff")
    registry.register("1", record("a"))
    assert step(registry, topic) == "published"
