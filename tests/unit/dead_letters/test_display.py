import json

from fraudbrain_deploy import dead_letters_display as display
from fraudbrain_deploy.dead_letters import Stray
from fraudbrain_deploy.dead_letters_replay import Fate, Replayed
from tests.unit.dead_letters.letters import letter

CARD = b"4111111111111111"


def test_nothing_that_may_be_a_card_number_is_shown_unless_asked_for() -> None:
    hostile = letter(7, CARD + b"\x1b[2J\xff", key=CARD, headers=(("trace", CARD),))
    for shown in (display.whole, display.letter_json):
        assert "4111" not in shown(hostile, reveal=False)
        assert shown(hostile, reveal=True).count("4111111111111111") == 3
    assert "\x1b" not in display.whole(hostile, reveal=True)
    assert "19 bytes" in display.whole(letter(7, b"x" * 19), reveal=False)


def test_the_list_counts_all_and_shows_the_newest_and_what_is_no_dead_letter() -> None:
    page = display.page({"too_new": 41}, [letter(7, CARD)], [Stray("0/9")])
    assert "41  too_new" in page
    assert "0/7" in page
    assert "the newest 1; --limit shows more" in page
    assert "0/9; no tier has written them" in page
    assert "4111" not in page
    told = json.loads(display.list_json({"too_new": 41}, [letter(7, CARD)], [Stray("0/9")]))
    assert (told["counts"], told["letters"][0]["place"], told["strays"]) == ({"too_new": 41}, "0/7", ["0/9"])


def test_a_replay_tells_each_fate_with_examples() -> None:
    told = Replayed({Fate.SENT: 2, Fate.CUT: 1}, {Fate.CUT: ["0/1: 70000 bytes"]})
    assert display.replayed(told, is_dry=False).split()[:4] == ["2", "sent", "1", "was"]
    assert "0/1: 70000 bytes" in display.replayed(told, is_dry=False)
    assert "would be sent" in display.replayed(told, is_dry=True)
    assert "nothing was sent" in display.replayed(told, is_dry=True)
    counts = {"sent": 2, "cut": 1}
    assert json.loads(display.replayed_json(told, is_dry=True))["counts"] == counts
