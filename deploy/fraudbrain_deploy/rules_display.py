"""How publications of rules are told: to a person as they go, to a program as one line of JSON at the end."""

from collections.abc import Sequence
from typing import Any, Protocol

import msgspec

from fraudbrain_deploy.confirmation import Answer
from fraudbrain_deploy.display import shown_time
from fraudbrain_deploy.publication import Sent
from fraudbrain_deploy.rules_history import Entry
from fraudbrain_shared.controls import acts_from
from fraudbrain_shared.records import RuleSet


class Display(Protocol):
    """Hears either that the version is `live_already`, or that it was `sent`, who keeps it `waiting`, and what was
    `answered` in the end."""

    def live_already(self, live: Entry) -> None: ...
    def sent(self, rules: RuleSet) -> None: ...
    def waiting(self, text: str) -> None: ...
    def answered(self, sent: Sent, answers: Sequence[Answer]) -> None: ...


def display(*, as_json: bool) -> Display:
    """The one that the caller of the command wants."""
    return _Json() if as_json else _Lines()


def as_json(entries: Sequence[Entry], live: Entry | None) -> str:
    """The history for programs, with the rules themselves."""
    return _json([msgspec.to_builtins(each) | {"current": each is live} for each in entries])


def page(entries: Sequence[Entry], live: Entry | None) -> str:
    """The history for people, the newest first."""
    if not entries:
        return "no rules were published: the workers decide by those of their folder"
    lines = [f"  {'version':18}  {'acts from (UTC)':23}  who: why"]
    for each in reversed(entries):
        mark, rules = "*" if each is live else " ", each.rules
        why = f"rollback: {rules.reason}" if rules.is_rollback else rules.reason
        lines.append(f"{mark} {rules.version:18}  {shown_time(each.active_from_ms)}  {rules.author}: {why}")
    return "\n".join([*lines, "", "* is live. A version decides on the events appended from its time on."])


class _Lines:
    def __init__(self) -> None:
        self._waiting = ""

    def live_already(self, live: Entry) -> None:
        by = f"published by {live.rules.author}, acting from {shown_time(live.active_from_ms)} UTC"
        print(f"{live.rules.version} is live already ({by}): nothing was published")

    def sent(self, rules: RuleSet) -> None:
        print(f"{rules.version} is published: {len(rules.rules)} rules, {len(rules.policy)} clauses", flush=True)

    def waiting(self, text: str) -> None:
        if text != self._waiting:
            print(f"  {text}", flush=True)
        self._waiting = text

    def answered(self, sent: Sent, answers: Sequence[Answer]) -> None:
        for each in answers:
            print(f"  {each.worker}: {_said(each)}")
        if not answers:
            print("  no worker is running: each takes it up when it starts")
        print(f"  it decides on events appended from {shown_time(acts_from(sent.append_ms))} UTC on")


class _Json:
    def live_already(self, live: Entry) -> None:
        print(_json({"version": live.rules.version, "published": False, "active_from_ms": live.active_from_ms}))

    def sent(self, rules: RuleSet) -> None:
        pass

    def waiting(self, text: str) -> None:
        pass

    def answered(self, sent: Sent, answers: Sequence[Answer]) -> None:
        begin = acts_from(sent.append_ms)
        said = {"append_ms": sent.append_ms, "active_from_ms": begin, "workers": answers}
        print(_json({"version": sent.version, "published": True, **said}))


def _said(answer: Answer) -> str:
    match answer.state:
        case "confirmed":
            return "confirmed"
        case "refused":
            return f"refused, it decides as before: {answer.said}"
        case "other":
            return f"not live: {answer.said}"
        case "silent":
            return "no answer in time; its log may tell why"


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()
