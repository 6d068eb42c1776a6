"""Epochs of a space: which log and which folds its profiles belong to, and how a new one begins.

Raising is safe against a crash at any step, and can be repeated: the log's record changes first, from then on workers
refuse to start; then, for each group, its commits go, which the broker refuses while it has members, and then its
record changes. Even a worker that started in between does no harm: what it commits counts in its own epoch only.
"""

import time
from collections.abc import Mapping, Sequence

import msgspec

from fraudbrain_deploy import kafka
from fraudbrain_deploy.deployment import Deployment
from fraudbrain_deploy.errors import UserError
from fraudbrain_deploy.hbase import Table
from fraudbrain_shared.admission import MAX_AHEAD_MS
from fraudbrain_shared.features import fold_hash
from fraudbrain_shared.records import GroupEpoch, LogGeneration, LogTopic
from fraudbrain_shared.records.epoch import GROUP_PREFIX, LOG_ROW, LOG_TOPICS, META_COLUMN, group_row


class Epochs(msgspec.Struct, frozen=True):
    """What is noted, and what is: `log` and `groups` as in `meta`, by name; `topics` as the broker has them now;
    `folds` those of the scenario at hand; `members` of each group, by host."""

    log: LogGeneration
    groups: dict[str, GroupEpoch]
    topics: dict[str, LogTopic]
    folds: str
    members: dict[str, list[str]]

    @property
    def is_same_log(self) -> bool:
        """Whether the topics are those that the offsets belong to."""
        return self.log.topics == self.topics

    def refusal(self, group: str) -> str:
        """Why a worker of the group with this scenario would not start; empty if it would."""
        if not self.is_same_log:
            return "the log was created anew or repartitioned"
        if self.groups[group].generation != self.log.generation:
            return f"it belongs to generation {self.groups[group].generation} of the log"
        return "" if self.groups[group].folds == self.folds else "its profiles were folded otherwise"


class Refold(msgspec.Struct, frozen=True):
    """What a new epoch folds again: how many offsets of `events`, and how many before them retention has deleted.

    `since` is the event time (UTC ms) from which on no deleted event can be; 0 if none was deleted.
    """

    kept: int
    deleted: int
    since: int


def read_epochs(deployment: Deployment) -> Epochs:
    """The epochs of the space. Raises UserError where no worker has ever started in it."""
    if (found := find_epochs(deployment)) is None:
        raise UserError(
            f"No worker has ever started in space {deployment.names.space}: there is no epoch yet.",
            "The first start begins generation 1, epoch 1. Is it the right --space?",
        )
    return found


def find_epochs(deployment: Deployment) -> Epochs | None:
    """The epochs of the space; None where no worker has ever started in it."""
    bootstrap, names = deployment.stack.kafka_bootstrap, deployment.names
    with _meta(deployment) as meta:
        noted = meta.rows([LOG_ROW]) if meta.exists() else {}
        if LOG_ROW not in noted:
            return None
        groups = _groups(meta)
    return Epochs(
        log=msgspec.json.decode(noted[LOG_ROW][META_COLUMN], type=LogGeneration),
        groups=groups,
        topics={name: kafka.log_topic(bootstrap, names.topic(name)) for name in LOG_TOPICS},
        folds=fold_hash(deployment.scenario),
        members={group: kafka.group_members(bootstrap, names.group(group)) for group in groups},
    )


def group_epochs(deployment: Deployment) -> dict[str, GroupEpoch]:
    """The epoch of each group that has ever started, by name."""
    with _meta(deployment) as meta:
        return _groups(meta) if meta.exists() else {}


def _groups(meta: Table) -> dict[str, GroupEpoch]:
    return {
        row.removeprefix(GROUP_PREFIX).decode(): msgspec.json.decode(cells[META_COLUMN], type=GroupEpoch)
        for row, cells in meta.scan(GROUP_PREFIX).items()
    }


def refold(deployment: Deployment) -> Refold:
    """What the log still holds for a new epoch."""
    bootstrap, events = deployment.stack.kafka_bootstrap, deployment.names.topic("events")
    begins, ends = kafka.begin_offsets(bootstrap, events), kafka.end_offsets(bootstrap, events)
    cut = [number for number, begin in begins.items() if begin > 0]
    return Refold(
        kept=sum(ends.values()) - sum(begins.values()),
        deleted=sum(begins.values()),
        since=max((_kept_from_ms(bootstrap, events, number) for number in cut), default=0),
    )


def _kept_from_ms(bootstrap: str, events: str, partition: int) -> int:
    """An event time (UTC ms) that no event has which the partition lost at its beginning.

    They were appended before the first that it kept, or, if it kept none, before now; and none was admitted that was
    further ahead of its append time.
    """
    first = next(kafka.read_all(bootstrap, events, partition=partition), None)
    return (int(time.time() * 1_000) if first is None else first.timestamp()[1]) + MAX_AHEAD_MS


def raised(epochs: Epochs, chosen: Sequence[str] | None, since: int) -> tuple[LogGeneration, dict[str, GroupEpoch]]:
    """The log and the groups as they will be, their profiles knowing all `since` then; None chooses all groups.

    Raises UserError where a group is unknown or runs, or where the log changed and not all are raised.
    """
    groups = sorted(epochs.groups) if chosen is None else list(chosen)
    if unknown := [group for group in groups if group not in epochs.groups]:
        known = ", ".join(sorted(epochs.groups)) or "none"
        raise UserError(f"No worker of group {unknown[0]} has ever started.", f"Groups that have: {known}.")
    if not epochs.is_same_log and chosen is not None:
        raise UserError(
            "The log was created anew or repartitioned: that concerns every group.",
            "Stop the workers of all of them, then give --all.",
        )
    if running := [f"{group} ({len(epochs.members[group])})" for group in groups if epochs.members[group]]:
        raise _running(running)
    log = epochs.log if epochs.is_same_log else LogGeneration(epochs.log.generation + 1, epochs.topics)
    return log, {
        group: GroupEpoch(epochs.groups[group].epoch + 1, log.generation, epochs.folds, since) for group in groups
    }


def raise_epochs(deployment: Deployment, epochs: Epochs, log: LogGeneration, groups: Mapping[str, GroupEpoch]) -> None:
    """Makes it so: from `epochs` as they were read to what `raised` has told.

    Raises UserError where a group has members by now, or somebody else has raised an epoch since.
    """
    with _meta(deployment) as meta:
        if log != epochs.log:
            _replace(meta, LOG_ROW, log, epochs.log)
        for group, epoch in groups.items():
            if not kafka.delete_group(deployment.stack.kafka_bootstrap, deployment.names.group(group)):
                raise _running([group])
            _replace(meta, group_row(group), epoch, epochs.groups[group])


def _replace(meta: Table, row: bytes, new: msgspec.Struct, old: msgspec.Struct) -> None:
    if not meta.replace(row, META_COLUMN, msgspec.json.encode(new), old=msgspec.json.encode(old)):
        raise UserError(
            "Somebody else has raised an epoch at the same time.", "`fraudbrain epoch show` tells what is now."
        )


def _running(groups: Sequence[str]) -> UserError:
    return UserError(
        f"Workers are running: {', '.join(groups)}.",
        "Stop them first, then give the same command. One that was killed counts for some seconds.",
    )


def _meta(deployment: Deployment) -> Table:
    return Table(deployment.stack.thrift_address, deployment.names.table("meta"))
