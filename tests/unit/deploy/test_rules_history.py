from pathlib import Path

import pytest

from fraudbrain_deploy import rules_command, rules_display
from fraudbrain_deploy.confirmation import Answer
from fraudbrain_deploy.deployed_release import refuse_another
from fraudbrain_deploy.deployment import Deployment
from fraudbrain_deploy.errors import UserError
from fraudbrain_deploy.publication import Sent, rule_set
from fraudbrain_deploy.rules_history import Entry, before, current, entries
from fraudbrain_deploy.stack import StackSettings
from fraudbrain_shared.controls import GRACE_MS, rules_version, scenario_release
from fraudbrain_shared.records import Progress, RuleSet, RuleText
from fraudbrain_shared.scenario import load_scenario
from fraudbrain_shared.scenario.load import find_scenario, read_folder
from fraudbrain_shared.topics import Names

T0 = 1_700_000_000_000


def published(*versions: str) -> list[Entry]:
    """A minute apart each; a version that begins with `<` is a rollback."""
    return entries(
        [
            (at, T0 + at * 60_000, RuleSet(each.lstrip("<"), (), (), "ada", f"why {at}", each.startswith("<")))
            for at, each in enumerate(versions)
        ]
    )


@pytest.mark.parametrize(
    ("versions", "earlier"),
    [
        ("", None),
        ("a", None),
        ("a b", "a"),
        ("a b c", "b"),
        ("a b c <b", "a"),
        ("a b c <b <a", None),
        ("a b a", "b"),
        ("a b c <a d", "a"),
        ("a b a c <a", "b"),
    ],
)
def test_a_rollback_takes_back_all_since_so_the_next_one_goes_further_back(versions: str, earlier: str | None) -> None:
    found = before(published(*versions.split()))
    assert (found and found.version) == earlier


def test_a_version_acts_until_the_next_one_does() -> None:
    first, second = published("a", "b")
    assert (first.active_from_ms, first.active_until_ms) == (T0 + GRACE_MS, second.active_from_ms)
    assert second.active_until_ms is None


def test_what_does_not_fit_the_scenario_is_not_current() -> None:
    scenario = load_scenario("cards")
    good = rule_set(scenario, author="ada", reason="start")
    bad = RuleSet("bad", (RuleText("x", "event.nothing"),), ())
    found = entries([(0, T0, good), (1, T0 + 1, bad)])
    assert current(found, scenario) is found[0]
    assert current(found[1:], scenario) is None


def test_a_version_is_what_it_holds_and_not_who_published_it_or_why() -> None:
    scenario = load_scenario("cards")
    one, two = rule_set(scenario, author="ada", reason="a"), rule_set(scenario, author="bob", reason="b")
    assert one.version == two.version == rules_version(scenario.rules, scenario.policy)
    assert rules_version(scenario.rules[1:], scenario.policy) != one.version != rules_version(scenario.rules, ())


def deployment(tmp_path: Path) -> Deployment:
    stack = StackSettings(data=tmp_path)
    return Deployment(stack, load_scenario("cards"), find_scenario("cards"), Names("cards"), tmp_path)


def test_a_folder_may_differ_from_the_deployed_one_in_rules_and_policy_only(tmp_path: Path) -> None:
    for name, text in read_folder(find_scenario("cards")).items():
        (tmp_path / name).write_bytes(text + b"\n" if name in ("rules.toml", "policy.toml") else text)
    refuse_another(deployment(tmp_path), tmp_path, {})
    (tmp_path / "events.toml").write_text("other = 1")
    (tmp_path / "model.toml").unlink()
    with pytest.raises(UserError, match=r"in events\.toml and model\.toml"):
        refuse_another(deployment(tmp_path), tmp_path, {})


def test_workers_of_another_release_are_named(tmp_path: Path) -> None:
    cards = find_scenario("cards")
    runs = {
        "w1": Progress("realtime", "w1", versions={"scenario_release": scenario_release(read_folder(cards))}),
        "w2": Progress("realtime", "w2", versions={"scenario_release": "0123"}),
        "w3": Progress("realtime", "w3"),  # too old to tell
    }
    with pytest.raises(UserError, match=r"w2 runs 0123\.") as raised:
        refuse_another(deployment(tmp_path), cards, runs)
    assert "w1" not in raised.value.what
    assert "w3" not in raised.value.what


def test_the_page_of_the_history() -> None:
    found = published("rules-a", "rules-b", "<rules-a")
    assert rules_display.page(found, found[2]) == (
        "  version             acts from (UTC)          who: why\n"
        "* rules-a             2023-11-14 22:15:22.000  ada: rollback: why 2\n"
        "  rules-b             2023-11-14 22:14:22.000  ada: why 1\n"
        "  rules-a             2023-11-14 22:13:22.000  ada: why 0\n"
        "\n* is live. A version decides on the events appended from its time on."
    )


def test_the_answers_are_told_worker_by_worker(capsys: pytest.CaptureFixture[str]) -> None:
    shown, sent = rules_display.display(as_json=False), Sent("rules-a", 3, T0)
    shown.answered(sent, [Answer("w1", "confirmed"), Answer("w2", "refused", "no rule"), Answer("w3", "silent")])
    assert capsys.readouterr().out == (
        "  w1: confirmed\n"
        "  w2: refused, it decides as before: no rule\n"
        "  w3: no answer in time; its log may tell why\n"
        "  it decides on events appended from 2023-11-14 22:13:22.000 UTC on\n"
    )
    shown.answered(sent, [])
    assert "no worker is running" in capsys.readouterr().out


def test_publishing_asks_whose_rules_and_why(capsys: pytest.CaptureFixture[str]) -> None:
    import argparse

    parser = argparse.ArgumentParser()
    rules_command.add_arguments(parser)
    with pytest.raises(SystemExit):
        parser.parse_args(["publish", "cards"])
    assert "--why" in capsys.readouterr().err
    with pytest.raises(UserError, match="Whose rules"):
        rules_command.run(parser.parse_args(["publish", "--why", "x"]))
