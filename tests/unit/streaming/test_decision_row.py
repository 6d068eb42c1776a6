"""Laws of the decisions' row keys."""

from hypothesis import given, strategies as st

from fraudbrain_shared.decision_row import decision_row

identity = st.tuples(st.text(), st.text())


@given(identity, identity)
def test_different_events_have_different_rows(one: tuple[str, str], other: tuple[str, str]) -> None:
    assert (decision_row(*one) == decision_row(*other)) == (one == other)


def test_moving_a_character_from_subject_to_event_id_changes_the_row() -> None:
    assert decision_row("ab", "c") != decision_row("a", "bc")
    assert decision_row("1:a", "") != decision_row("", "1:a")


@given(st.text(max_size=100), st.text(max_size=100))
def test_a_subjects_rows_stand_together(subject: str, event_id: str) -> None:
    assert decision_row(subject, event_id).startswith(decision_row(subject, ""))


def test_a_row_is_never_longer_than_the_store_takes() -> None:
    assert len(decision_row("s" * 40_000, "e" * 40_000)) < 100
    assert decision_row("s" * 40_000, "e") != decision_row("s" * 40_000, "f")


def test_the_row_of_an_event_stays_what_it_is() -> None:
    assert decision_row("card-1", "payment-1") == b"74db6:card-1payment-1"
