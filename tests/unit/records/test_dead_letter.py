from fraudbrain_shared.records import DeadLetter, Reason


def test_headers_say_all_of_a_letter() -> None:
    letter = DeadLetter(
        Reason.OVERSIZE, "70000 bytes", "a/b", 3, 7, 1_000, "w", "b", 4, 500, {"rules": "r1"}, 70_000, "ab"
    )
    headers = [("trace", None), *letter.headers()]
    assert DeadLetter.from_headers(dict(headers)) == letter


def test_a_letter_from_before_a_header_is_still_read() -> None:
    old = {
        "dlq.reason": b"schema",
        "dlq.detail": b"no amount",
        "dlq.source": b"fraudbrain.cards.events/3/7/1000",
        "dlq.worker": b"w1",
        "dlq.build": b"0.1.0",
    }
    letter = DeadLetter.from_headers(old)
    assert (letter.attempt, letter.first_seen, letter.control_versions, letter.length) == (1, 1_000, {}, None)
