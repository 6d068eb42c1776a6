"""How epochs are told to people: what is, and what raising them would do."""

from collections.abc import Mapping

from fraudbrain_deploy.display import shown_time
from fraudbrain_deploy.epochs import Epochs, Refold
from fraudbrain_shared.records import GroupEpoch, LogGeneration


def page(epochs: Epochs) -> str:
    """What is noted, and whether a worker with the scenario at hand would start."""
    changed = "" if epochs.is_same_log else "; its topics were created anew or repartitioned since"
    lines = [f"log: generation {epochs.log.generation}{changed}", f"the scenario folds by {epochs.folds}", ""]
    for group, own in sorted(epochs.groups.items()):
        members = epochs.members[group]
        runs = f"{len(members)} members" if members else "stopped"
        refusal = epochs.refusal(group)
        state = f"a worker would refuse to start: {refusal}" if refusal else "in order"
        lines.append(f"group {group}: epoch {own.epoch}, {own.folds}, {runs}; {state}")
        if own.since:
            lines.append(f"  {_known_since(own.since)}")
    return "\n".join(lines)


def plan(epochs: Epochs, log: LogGeneration, groups: Mapping[str, GroupEpoch], found: Refold) -> str:
    """What is about to happen, and what carries over."""
    lines = []
    if log != epochs.log:
        lines.append(f"log: generation {epochs.log.generation} → {log.generation}, the topics that are there now")
    for group, new in groups.items():
        old = epochs.groups[group]
        folds = "the same folds" if old.folds == new.folds else f"{old.folds} → {new.folds}"
        lines.append(f"group {group}: epoch {old.epoch} → {new.epoch}, {folds}")
        if new.since:
            lines.append(f"  {_known_since(new.since)}")
    lines += [
        "",
        "stays:        decisions, labels, dead letters and all controls",
        "not any more: the profiles of earlier epochs, and how far the group had read",
        f"folded again: the log, {found.kept:,} events; decisions made again on the way are superseded, the first "
        "of each event counts",
    ]
    if found.deleted:
        lines.append(f"lost:         the log's first {found.deleted:,} events, which retention has deleted")
    return "\n".join(lines)


def _known_since(since: int) -> str:
    return f"its profiles know all events since {shown_time(since)}; what reaches back beyond is unknown"
