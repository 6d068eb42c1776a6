from collections.abc import Sequence

import msgspec
import numpy as np
import pytest

from fraudbrain_deploy.accounting import (
    DecisionLog,
    EventLog,
    Kind,
    PartitionBooks,
    Reconciliation,
    account,
)

# An event: offset, kind, identity, payload. A decision: offset of its event, inputs, answer.
D, F, U = Kind.DECIDED, Kind.FOLDED, Kind.UNREADABLE
Event = tuple[int, Kind, int, int]


def books(
    events: Sequence[Event],
    decisions: Sequence[tuple[int, int, int]] = (),
    dead_letters: Sequence[int] = (),
    *,
    degraded: Sequence[int] = (),
    misplaced: Sequence[int] = (),
    identities: dict[int, int] | None = None,
) -> PartitionBooks:
    offset, kind, identity, payload = zip(*events, strict=True) if events else ((), (), (), ())
    known = dict(zip(offset, identity, strict=True)) | (identities or {})
    return PartitionBooks(
        EventLog(
            np.array(offset, np.int64),
            np.array(kind, np.uint8),
            np.array(identity, np.int64),
            np.array(payload, np.int64),
        ),
        DecisionLog(
            offset=np.array([at for at, _, _ in decisions], np.int64),
            identity=np.array([known.get(at, 0) for at, _, _ in decisions], np.int64),
            inputs=np.array([inputs for _, inputs, _ in decisions], np.int64),
            answer=np.array([answer for _, _, answer in decisions], np.int64),
            degraded=np.array([at in degraded for at, _, _ in decisions], np.bool_),
            misplaced=np.array([at in misplaced for at, _, _ in decisions], np.bool_),
        ),
        np.array(dead_letters, np.int64),
    )


def one(partition: PartitionBooks) -> Reconciliation:
    found = account({0: partition})
    assert found.events == found.decisions + found.folded + found.duplicates + found.dead_letters + found.missing
    return found


def test_each_way_to_end_is_counted_once() -> None:
    found = one(
        books(
            [(10, D, 1, 1), (11, F, 2, 1), (12, D, 1, 1), (13, U, 0, 9), (14, D, 3, 1)],
            [(10, 0, 0), (14, 0, 0)],
            dead_letters=[13],
            degraded=[14],
        )
    )
    assert found == Reconciliation(
        events=5,
        decisions=2,
        folded=1,
        duplicates=1,
        dead_letters=1,
        missing=0,
        degraded=1,
        repeated=0,
        conflicts=0,
        superseded=0,
        old_duplicates=0,
        contradictions=0,
    )
    assert found.balanced


def test_one_removed_decision_is_one_missing() -> None:
    events = [(at, D, at, at) for at in range(1_000)]
    decisions = [(at, 0, 0) for at in range(1_000) if at != 617]
    found = account({3: books(events, decisions)})
    assert (found.missing, found.missing_examples) == (1, ("3/617",))
    assert not found.balanced
    assert "3/617" in found.verdict()


def test_one_removed_dead_letter_is_one_missing() -> None:
    assert one(books([(0, U, 0, 9), (1, U, 0, 8)], dead_letters=[0])).missing_examples == ("0/1",)


def test_a_missing_event_and_its_duplicate_are_one_missing_one_duplicate() -> None:
    found = one(books([(0, D, 1, 1), (1, D, 1, 1)]))
    assert (found.missing, found.duplicates) == (1, 1)


def test_same_id_with_another_payload_is_no_duplicate() -> None:
    assert one(books([(0, D, 1, 1), (1, D, 1, 2)], [(0, 0, 0)])).missing_examples == ("0/1",)


def test_a_dead_letter_is_no_first_of_its_duplicates() -> None:
    """What was refused as too new and sent again later must be decided then."""
    assert one(books([(0, D, 1, 1), (1, D, 1, 1)], dead_letters=[0])).missing_examples == ("0/1",)


def test_duplicates_of_two_subjects_or_partitions_are_not_mixed() -> None:
    found = account({0: books([(0, D, 1, 1)], [(0, 0, 0)]), 1: books([(0, D, 1, 1)])})
    assert found.missing_examples == ("1/0",)


def test_the_same_decision_again_is_repeated() -> None:
    found = one(books([(0, D, 1, 1)], [(0, 5, 7), (0, 5, 7), (0, 5, 7)]))
    assert (found.repeated, found.conflicts, found.superseded) == (2, 0, 0)
    assert found.balanced


def test_another_answer_from_equal_inputs_is_a_conflict() -> None:
    found = one(books([(0, D, 1, 1), (1, D, 2, 1)], [(0, 5, 7), (1, 5, 7), (0, 5, 8)]))
    assert (found.conflicts, found.conflict_examples) == (1, ("0/0",))
    assert not found.balanced


def test_another_answer_from_moved_inputs_is_superseded() -> None:
    found = one(books([(0, D, 1, 1)], [(0, 5, 7), (0, 6, 8)]))
    assert (found.superseded, found.conflicts, found.repeated) == (1, 0, 0)
    assert found.balanced


def test_conflicts_are_found_behind_a_superseded_decision() -> None:
    found = one(books([(0, D, 1, 1)], [(0, 5, 7), (0, 6, 8), (0, 6, 9)]))
    assert (found.superseded, found.conflicts) == (1, 1)


def test_only_the_effective_decision_counts_as_degraded() -> None:
    partition = books([(0, D, 1, 1)], [(0, 5, 7), (0, 6, 7)])
    partition.decisions.degraded[1] = True
    assert one(partition).degraded == 0


def test_an_id_decided_at_two_offsets_is_an_old_duplicate() -> None:
    found = one(books([(0, D, 1, 1), (9, D, 1, 1)], [(0, 0, 0), (9, 0, 0)]))
    assert (found.decisions, found.old_duplicates, found.missing) == (2, 1, 0)
    assert found.balanced


@pytest.mark.parametrize(
    "partition",
    [
        books([(4, D, 1, 1)], [(4, 0, 0)], dead_letters=[4]),
        books([(4, F, 1, 1)], [(4, 0, 0)]),
        books([(4, U, 0, 1)], [(4, 0, 0)]),
        books([(4, D, 1, 1)], [(4, 0, 0)], misplaced=[4]),
        books([(4, D, 1, 1)], [(4, 0, 0)], identities={4: 2}),
    ],
    ids=["decided and dead", "folded type decided", "unreadable decided", "in another partition", "under another id"],
)
def test_an_offset_that_ends_in_two_ways_is_a_contradiction(partition: PartitionBooks) -> None:
    found = one(partition)
    assert (found.contradictions, found.contradiction_examples) == (1, ("0/4",))
    assert not found.balanced


def test_what_is_not_in_the_log_is_left_out() -> None:
    """Events below the low watermark have expired; those above the end came after the call."""
    found = one(books([(5, D, 5, 5), (7, D, 7, 7)], [(4, 0, 0), (5, 0, 0), (6, 0, 0), (7, 0, 0), (8, 0, 0)], [3, 9]))
    assert (found.events, found.decisions, found.dead_letters, found.missing) == (2, 2, 0, 0)


def test_an_empty_log_balances() -> None:
    assert account({}).balanced
    assert one(books([])).balanced


def test_examples_are_few_and_in_order() -> None:
    found = account({number: books([(at, D, at, at) for at in range(15)]) for number in (1, 0)})
    assert found.missing == 30
    assert found.missing_examples == (*(f"0/{at}" for at in range(15)), *(f"1/{at}" for at in range(5)))


def test_an_account_survives_json() -> None:
    found = one(books([(0, D, 1, 1)]))
    assert msgspec.json.decode(msgspec.json.encode(found), type=Reconciliation) == found


def test_random_books_agree_with_a_slow_account() -> None:
    """One event at a time, with dictionaries: slow and obvious."""
    random = np.random.default_rng(7)
    for _ in range(300):
        events = [
            (at, Kind(kind), int(identity), int(payload))
            for at, (kind, identity, payload) in enumerate(random.integers((1, 0, 0), (4, 6, 3), (20, 3)))
        ]
        decisions = [(int(at), int(i), int(a)) for at, i, a in random.integers(0, (22, 2, 2), (25, 3))]
        dead = random.integers(0, 22, 4).tolist()
        found = one(books(events, decisions, dead))
        decided = {at for at, _, _ in decisions}
        firsts: set[tuple[int, int]] = set()
        slow = {"decisions": 0, "folded": 0, "duplicates": 0, "dead_letters": 0, "missing": 0}
        for at, kind, identity, payload in events:
            accepted = kind != U and at not in dead
            if at in decided:
                slow["decisions"] += 1
            elif at in dead:
                slow["dead_letters"] += 1
            elif accepted and (identity, payload) in firsts:
                slow["duplicates"] += 1
            elif kind == F:
                slow["folded"] += 1
            else:
                slow["missing"] += 1
            if accepted:
                firsts.add((identity, payload))
        assert {name: getattr(found, name) for name in slow} == slow
        later = {at: sum(1 for source, _, _ in decisions if source == at) - 1 for at in decided if at < 20}
        assert found.repeated + found.conflicts + found.superseded == sum(later.values())
