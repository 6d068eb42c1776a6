"""Bad rule sets, parameters and models, many of each kind, given to the real controls with their child."""

from collections.abc import Callable
from pathlib import Path

from fraudbrain_realtime.controls import Controls, PreparationAside
from fraudbrain_shared.scenario.load import find_scenario, read_folder
from tests.unit.realtime.bad_controls import KINDS, try_all
from tests.unit.realtime.controls_of_cards import controls

PER_KIND = {"rules": 300, "parameters": 400, "models": 120}


def prove(_: Path) -> dict[str, object]:
    """Ends with an error where a law is broken. Takes some minutes; nothing is kept between tries."""
    preparation = PreparationAside(read_folder(find_scenario("cards")))

    def make() -> Controls:
        return controls(preparation)

    try:
        return {topic: _report(make, topic) for topic in KINDS}
    finally:
        preparation.close()


def _report(make: Callable[[], Controls], topic: str) -> dict[str, object]:
    tried, accepted = try_all(make, KINDS[topic], PER_KIND[topic])
    by_kind = {kind: {"tried": tried[kind], "found_good_by_both": accepted[kind]} for kind in tried}
    bad = tried.total() - accepted.total()
    assert bad >= 1_000, topic
    return {
        "tried": tried.total(),
        "rejected_with_a_cause": bad,
        "found_good_by_controls_and_judge": accepted.total(),
        "by_kind": by_kind,
    }
