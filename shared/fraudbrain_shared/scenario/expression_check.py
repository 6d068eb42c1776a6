"""Checks the expressions of a folder, and keeps one mistake from being reported many times."""

import re
from collections.abc import Iterable, Mapping
from typing import Final

from fraudbrain_shared.expressions import Expression, ExpressionErrors, ExpressionProblem, Scope, Type, check
from fraudbrain_shared.scenario.kinds import ExpressionText

Reasons = Mapping[str, str]
"""Why a place must not read a name, or any name with a given root such as `param`."""

_LABEL: Final[Reasons] = {"label": 'only context features on = "label" read the label'}
_ALL_BUT_EVENT: Final = ("profile", "derived", "context", "param", "finding", "score")
FOLD_SOURCES: Final[Reasons] = {
    **_LABEL,
    **dict.fromkeys(
        ("context", "param", "finding", "score"),
        "a profile feature reads event, profile and what is derived of these, so that every worker folds the same",
    ),
}
AMOUNT_ONLY: Final[Reasons] = {**_LABEL, **dict.fromkeys(_ALL_BUT_EVENT, "the amount is read from the event")}
LABEL_AND_EVENT: Final[Reasons] = dict.fromkeys(
    _ALL_BUT_EVENT, "a context feature reads the event, and label.fraud where it folds labels"
)
CONTEXT_SOURCES: Final[Reasons] = {**_LABEL, **LABEL_AND_EVENT}
TUNER_SOURCES: Final[Reasons] = {**_LABEL, **dict.fromkeys(_ALL_BUT_EVENT, "a tuner reads the event it counts")}
DERIVED_SOURCES: Final[Reasons] = {
    **_LABEL,
    **dict.fromkeys(("param", "finding", "score"), "a derived feature reads event, profile, context and derived"),
}
RULE_SOURCES: Final[Reasons] = {
    **_LABEL,
    **dict.fromkeys(("finding", "score"), "only the policy reads findings and the score"),
}
POLICY_SOURCES: Final[Reasons] = _LABEL

_DOTTED = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(?:\s*\.\s*[A-Za-z_][A-Za-z0-9_]*)*")
_STRING_LITERAL = re.compile(r"\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*'", re.DOTALL)


def names_in(text: str) -> list[str]:
    """The dotted names that a text seems to read; needs no well-formed text."""
    return ["".join(found.split()) for found in _DOTTED.findall(_STRING_LITERAL.sub('""', text))]


class ExpressionCheck:
    """Checks expressions one after the other. What reads a name that is known to be broken is passed
    over: its author has a message already, and would not understand the second one."""

    def __init__(self) -> None:
        self._broken: set[str] = set()
        self._broken_beginnings: tuple[str, ...] = ()

    def mark_broken(self, name: str) -> None:
        """Passes over, from now on, what reads this name."""
        self._broken.add(name)

    def mark_all_broken(self, beginning: str) -> None:
        """Passes over, from now on, what reads any name with this beginning."""
        self._broken_beginnings = (*self._broken_beginnings, beginning)

    def is_passed_over(self, text: str) -> bool:
        """Whether a text is missing or reads something broken."""
        return not text or any(
            name in self._broken or name.startswith(self._broken_beginnings) for name in names_in(text)
        )

    def check(
        self, written: ExpressionText | None, scopes: Iterable[Scope], expected: Type | None, reasons: Reasons
    ) -> list[Expression] | None:
        """The expression, checked against each scope; None if there is none, or with its problems noted."""
        if written is None or self.is_passed_over(written.text):
            return None
        table, key, text = written
        problems: dict[ExpressionProblem, None] = {}
        expressions = []
        for scope in scopes:
            try:
                expressions.append(check(text, scope, expected))
            except ExpressionErrors as errors:
                problems.update(dict.fromkeys(explained(text, errors, reasons)))
        for problem in problems:
            table.note_inside(key, problem.offset, problem.length, problem.cause, problem.hint or "")
        return None if problems else expressions


def explained(text: str, errors: ExpressionErrors, reasons: Reasons) -> list[ExpressionProblem]:
    """The problems of an expression; where a name exists but must not be read here, the reason is the hint."""
    return [_with_reason(text, problem, reasons) for problem in errors.problems]


def _with_reason(text: str, problem: ExpressionProblem, reasons: Reasons) -> ExpressionProblem:
    names = names_in(text[problem.offset : problem.offset + problem.length])
    if not names or not problem.cause.startswith("unknown name"):
        return problem
    reason = reasons.get(names[0]) or reasons.get(names[0].partition(".")[0])
    if reason is None:
        return problem
    return ExpressionProblem(problem.offset, problem.length, f"{names[0]} cannot be read here", reason)
