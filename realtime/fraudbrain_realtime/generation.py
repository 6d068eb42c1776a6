"""Generation and epoch: whether the profiles in the store belong to the log and the folds that we are about to use.

Offsets mean something only within one generation of the log. Profiles of a topic that was since made anew would take
its first events for ones they had applied, and skip them. And profiles that were folded otherwise lack what our
features read. Either is refused at the start; `fraudbrain epoch raise` begins a new epoch, in which the whole log is
folded again and what other epochs left behind counts for nothing.
"""

from collections.abc import Mapping
from typing import NamedTuple, TypeVar

import msgspec

from fraudbrain_realtime.rows import WrongEpoch
from fraudbrain_realtime.stores.hbase import Gateway, note_once
from fraudbrain_shared.records import GroupEpoch, LogGeneration, LogTopic
from fraudbrain_shared.records.epoch import LOG_ROW, META_COLUMN, group_row

Record = TypeVar("Record", LogGeneration, GroupEpoch)


class Standing(NamedTuple):
    """What a worker's profiles and decisions belong to; `since` is the event time (UTC ms) from which on the log that
    they were folded from is whole, 0 being its beginning."""

    generation: int
    epoch: int
    since: int = 0


def take_up(gateway: Gateway, meta_table: str, group: str, *, topics: Mapping[str, LogTopic], folds: str) -> Standing:
    """The group's generation and epoch; the very first start notes 1 and 1 with the topics and folds it finds.

    Raises WrongEpoch where the topics or the folds are not those of the epoch, StoreUnavailable.
    """
    log = _noted(gateway, meta_table, LOG_ROW, LogGeneration(1, dict(topics)))
    own = _noted(gateway, meta_table, group_row(group), GroupEpoch(1, log.generation, folds))
    _check(group, log, own, topics, folds)
    return Standing(log.generation, own.epoch, own.since)


def _noted(gateway: Gateway, table: str, row: bytes, first: Record) -> Record:
    found = note_once(gateway, table, row, META_COLUMN, msgspec.json.encode(first))
    return msgspec.json.decode(found, type=type(first))


def _check(group: str, log: LogGeneration, own: GroupEpoch, topics: Mapping[str, LogTopic], folds: str) -> None:
    if changed := sorted(name for name, topic in topics.items() if log.topics.get(name) != topic):
        told = ", ".join(f"{name} was {_said(log.topics.get(name))} and is {_said(topics[name])}" for name in changed)
        raise WrongEpoch(
            f"the log was created anew or repartitioned: {told}. Bring back the old topics; or stop all workers, run "
            "`fraudbrain epoch raise --all` for this scenario and space, and start them: profiles are folded from "
            "the new log alone"
        )
    if own.generation != log.generation:
        raise WrongEpoch(
            f"the profiles of group {group} belong to generation {own.generation} of the log, which is now "
            f"{log.generation}: `fraudbrain epoch raise --all` was not finished; run it again"
        )
    if own.folds != folds:
        raise WrongEpoch(
            f"the profiles of group {group} were folded by {own.folds} (epoch {own.epoch}), this scenario's profile "
            f"features are {folds}. Start it with the scenario it had; or stop the group's workers, run `fraudbrain "
            f"epoch raise --group {group}` for the new scenario and this space, and start them: the whole log is "
            "folded again"
        )


def _said(topic: LogTopic | None) -> str:
    return "unknown" if topic is None else f"{topic.id} with {topic.partitions} partitions"
