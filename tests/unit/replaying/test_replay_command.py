import argparse

import pytest

from fraudbrain_deploy import replay_command
from fraudbrain_deploy.errors import UserError


def parsed(*argv: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    replay_command.add_arguments(parser)
    return parser.parse_args(["--events", "file", *argv])


@pytest.mark.parametrize(
    ("argv", "limit"),
    [
        ([], None),
        (["--limit", "7"], 7),
        (["--pace", "500", "--duration", "30s"], 15_000),
        (["--pace", "500", "--duration", "30s", "--limit", "9"], 9),
        (["--pace", "0.1", "--duration", "1s"], 1),
    ],
)
def test_limit_and_duration_bound_the_events(argv: list[str], limit: int | None) -> None:
    assert replay_command._limit(parsed(*argv)) == limit


def test_a_duration_needs_a_rate() -> None:
    with pytest.raises(UserError, match="--duration needs a --pace"):
        replay_command._limit(parsed("--duration", "30s"))


@pytest.mark.parametrize("pace", ["0", "-5", "fast", "nan"])
def test_a_pace_is_max_or_a_rate(pace: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parsed(f"--pace={pace}")
    assert "events a second" in capsys.readouterr().err


def test_a_space_is_emptied_or_living_never_both(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parsed("--space", "a", "--into", "b")
    assert "not allowed with" in capsys.readouterr().err
