from dataclasses import replace

import msgspec

from fraudbrain_deploy import kafka
from fraudbrain_deploy.deployment import Deployment
from fraudbrain_deploy.hbase import Table
from fraudbrain_deploy.reconcile import reconcile
from fraudbrain_deploy.spaces import create
from fraudbrain_realtime.stores.hbase import create_table
from fraudbrain_shared.records import DeadLetter, Decision, GroupEpoch, Reason, Scores, Source, Versions
from fraudbrain_shared.records.epoch import META_COLUMN, group_row
from fraudbrain_shared.topics import Names

PARTITIONS = 4


def send(deployment: Deployment, topic: str, records: list[dict[str, object]]) -> None:
    """In the order given, each to the partition it names."""
    producer = kafka.producer(deployment.stack.kafka_bootstrap)
    for record in records:
        producer.produce(deployment.names.topic(topic), **record)  # type: ignore[arg-type]
    assert producer.flush(20) == 0


def copied(deployment: Deployment, *, without_decision: int | None) -> Deployment:
    """A second space with the same records at the same offsets, but for one decision."""
    copy = replace(deployment, names=Names(f"{deployment.names.space}-c{without_decision}"))
    create(copy)
    for topic in ("events", "decisions", "dead-letters"):
        name = deployment.names.topic(topic)
        records = list(kafka.read_all(deployment.stack.kafka_bootstrap, name))
        kept = [each for at, each in enumerate(records) if topic != "decisions" or at != without_decision]
        send(copy, topic, [_record(each, deployment.names, copy.names) for each in kept])
    return copy


def _record(message: kafka.Message, old: Names, new: Names) -> dict[str, object]:
    """Dead letters name their topic, which is another one in the copy."""
    mine, other = old.topic("").encode(), new.topic("").encode()
    given: dict[str, bytes] = dict(message.headers() or ())  # type: ignore[arg-type]
    headers = [(name, value.replace(mine, other)) for name, value in given.items()]
    return {
        "value": message.value(),
        "key": message.key(),
        "partition": message.partition(),
        "headers": headers,
    }


def event(card: str, event_id: str, amount: int = 100) -> bytes:
    fields = {"card_id": card, "terminal_id": "t1", "amount": amount}
    return msgspec.json.encode({"event_id": event_id, "type": "payment", "event_time": 1, "fields": fields})


def decision(card: str, event_id: str, partition: int, offset: int, **changes: object) -> Decision:
    made = Decision(
        event_id=event_id,
        type="payment",
        subject=card,
        event_time=1,
        source=Source(epoch=1, partition=partition, offset=offset, append_time=1),
        outcome="approve",
        versions=Versions(scenario="s", rules="r", build="b"),
        group="a",
        generation=1,
        feature_set="f",
        features=(1.0, None),
    )
    return msgspec.structs.replace(made, **changes)


def test_the_books_of_a_small_log(deployment: Deployment) -> None:
    """Each of four partitions: 50 decided, one resent, one decided twice, one unreadable, one superseded."""
    for number in range(PARTITIONS):
        card = f"card{number}"
        values = [event(card, f"e{at}") for at in range(50)] + [event(card, "e7"), b"{broken"]
        send(deployment, "events", [{"value": value, "key": card, "partition": number} for value in values])
        decisions = [decision(card, f"e{at}", number, at) for at in range(50)]
        decisions[3] = msgspec.structs.replace(decisions[3], degraded=("profile_missing",))
        again = [
            msgspec.structs.replace(decisions[9], overdue=True, group="b"),
            decision(card, "e10", number, 10, outcome="review", parameters={"limit": 2.0}),
        ]
        send(
            deployment,
            "decisions",
            [{"value": msgspec.json.encode(each), "key": card, "partition": number} for each in (*decisions, *again)],
        )
        letter = DeadLetter(Reason.FRAMING, "no JSON", deployment.names.topic("events"), number, 51, 1, "w1", "b")
        foreign = msgspec.structs.replace(letter, topic="a-file.csv", reason=Reason.MAPPING, offset=0)
        send(
            deployment,
            "dead-letters",
            [{"value": b"{broken", "key": card, "headers": each.headers()} for each in (letter, foreign)],
        )

    found = reconcile(deployment)

    assert found.balanced, found.verdict()
    assert (found.events, found.decisions, found.duplicates, found.dead_letters) == (208, 200, 4, 4)
    assert (found.degraded, found.repeated, found.superseded, found.conflicts) == (4, 4, 4, 0)

    whole = reconcile(copied(deployment, without_decision=None))
    assert whole == found

    lacking = reconcile(copied(deployment, without_decision=20))
    assert (lacking.missing, lacking.balanced) == (1, False)
    assert lacking.decisions == found.decisions - 1
    assert "card" not in lacking.verdict()

    send(
        deployment,
        "decisions",
        [
            {
                "value": msgspec.json.encode(decision("card1", "e5", 1, 5, scores=Scores(champion=0.5))),
                "partition": 1,
            }
        ],
    )
    torn = reconcile(deployment)
    assert (torn.conflicts, torn.conflict_examples, torn.balanced) == (1, ("1/5",), False)


def test_groups_whose_profiles_know_of_more_or_less_supersede_each_other_and_do_not_conflict(
    deployment: Deployment,
) -> None:
    send(deployment, "events", [{"value": event("card", "e"), "key": "card", "partition": 0}])
    made = decision("card", "e", 0, 0), decision("card", "e", 0, 0, group="b", features=(None, None))
    send(deployment, "decisions", [{"value": msgspec.json.encode(each), "partition": 0} for each in made])
    create_table(*deployment.stack.thrift_address, deployment.names.table("meta"), b"m")
    for since, found in ((0, (0, 1)), (5, (1, 0))):
        for group, noted in (("a", GroupEpoch(1, 1, "folds")), ("b", GroupEpoch(1, 1, "folds", since))):
            note(deployment, group, noted)
        books = reconcile(deployment)
        assert (books.superseded, books.conflicts) == found


def note(deployment: Deployment, group: str, epoch: GroupEpoch) -> None:
    with Table(deployment.stack.thrift_address, deployment.names.table("meta")) as meta:
        old = meta.rows([group_row(group)]).get(group_row(group), {}).get(META_COLUMN)
        assert meta.replace(group_row(group), META_COLUMN, msgspec.json.encode(epoch), old=old)
