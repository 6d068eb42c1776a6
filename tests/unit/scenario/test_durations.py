import pytest

from fraudbrain_shared.scenario.durations import milliseconds, written


@pytest.mark.parametrize(
    ("text", "length_ms"),
    [("50ms", 50), ("30s", 30_000), ("15m", 900_000), ("1h", 3_600_000), ("7d", 604_800_000), ("0s", 0)],
)
def test_a_duration_is_a_number_and_a_unit(text: str, length_ms: int) -> None:
    assert milliseconds(text) == length_ms


@pytest.mark.parametrize("text", ["", "1", "d", "1w", "1 h", "-1h", "1.5h", "1h30m", "1H", "٣h", "9999999999d", "1h\n"])
def test_anything_else_is_none(text: str) -> None:
    with pytest.raises(ValueError, match="a duration is"):
        milliseconds(text)


@pytest.mark.parametrize("text", ["50ms", "30s", "15m", "1h", "7d", "90s", "25h"])
def test_a_duration_is_written_as_it_was_read(text: str) -> None:
    assert milliseconds(written(milliseconds(text))) == milliseconds(text)
    assert written(milliseconds("24h")) == "1d"
