"""Records of the past must be read for ever: each sample was written once and is never edited."""

from pathlib import Path

import msgspec
import pytest

from fraudbrain_shared import records

SAMPLES = sorted((Path(__file__).parent / "samples").glob("*.json"))


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda path: path.stem)
def test_an_old_record_is_still_read_and_keeps_its_meaning(sample: Path) -> None:
    kind = getattr(records, sample.stem.split("-")[0])
    old = msgspec.json.decode(sample.read_bytes())
    now = msgspec.json.decode(msgspec.json.encode(msgspec.json.decode(sample.read_bytes(), type=kind)))
    assert _contains(now, old)


def test_every_record_has_a_sample() -> None:
    kinds = {
        name
        for name in records.__all__
        if isinstance(kind := getattr(records, name), type) and issubclass(kind, msgspec.Struct)
    }
    parts = {"RuleText", "ClauseText", "Scores", "Source", "Versions", "LogTopic", "Trees", "Histogram"}
    assert {sample.stem.split("-")[0] for sample in SAMPLES} == kinds - parts


def _contains(now: object, old: object) -> bool:
    """Whether every value of the old record stands in the new one, under its own name."""
    if isinstance(old, dict):
        return isinstance(now, dict) and all(key in now and _contains(now[key], value) for key, value in old.items())
    if isinstance(old, list):
        if not isinstance(now, list) or len(now) != len(old):
            return False
        return all(_contains(left, right) for left, right in zip(now, old, strict=True))
    return now == old
