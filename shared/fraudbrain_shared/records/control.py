"""Controls: the records that change how decisions are made, and proposals to change them."""

from typing import Literal

import msgspec

Number = int | float


class RuleText(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A named condition in CEL with one sentence for the analyst."""

    name: str
    when: str
    description: str = ""


class ClauseText(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A line of the policy: the outcome when `when` holds; `on_unknown` when it cannot be known."""

    name: Literal["approve", "review", "decline"]
    when: str
    on_unknown: Literal["approve", "review", "decline"] = "review"


class RuleSet(msgspec.Struct, frozen=True):
    """Rules with their policy, published as one under the key `live` or `shadow|name`.

    `version` names it on every decision; `author` and `reason` are for the audit, and so is `is_rollback`:
    an earlier version was taken up again, and what had come since was taken back.
    """

    version: str
    rules: tuple[RuleText, ...]
    policy: tuple[ClauseText, ...]
    author: str = ""
    reason: str = ""
    is_rollback: bool = False


class ParameterValue(msgspec.Struct, frozen=True):
    """A number moved by the governor, under the key `value|name|id`; an empty id is global.

    `tick` is the point on the grid of event time at which it was evaluated, `expires_at` when it
    falls back to the default, both UTC milliseconds; `release` is the model release whose scores
    it is for, if its parameter lives on that scale.
    """

    name: str
    id: str
    value: Number
    previous: Number
    tick: int
    expires_at: int
    cause: str
    evidence: dict[str, Number] = {}
    release: str | None = None


class ParameterHold(msgspec.Struct, frozen=True):
    """A person's word on a parameter, under the key `hold|name|id`; it wins over any value."""

    name: str
    id: str
    action: Literal["pin", "freeze", "revert"]
    author: str
    reason: str
    value: Number | None = None


class Proposal(msgspec.Struct, frozen=True):
    """A change that somebody wishes for, with its backtest, waiting for a person's approval."""

    id: str
    kind: Literal["rules", "parameter"]
    author: str
    reason: str
    rules: RuleSet | None = None
    parameter: ParameterHold | None = None
    status: Literal["open", "approved", "rejected", "expired"] = "open"
