"""What is wrong with an expression: all of it at once, each with its place and, where there is one, a way out."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from fraudbrain_shared.expressions.tree import Span

MAX_PROBLEMS = 20


@dataclass(frozen=True, slots=True)
class ExpressionProblem:
    """One problem at `offset` and `length`, both counted in code points of the expression's text."""

    offset: int
    length: int
    cause: str
    hint: str | None = None


class Refusal(Exception):
    """One problem on its way to whoever collects them."""

    def __init__(self, span: Span, cause: str, hint: str | None = None) -> None:
        super().__init__(cause)
        self.problem = ExpressionProblem(span.start, span.end - span.start, cause, hint)


class ExpressionErrors(Exception):
    """An expression was refused. As a string: each problem below the line of `text` that it points at."""

    def __init__(self, text: str, problems: Iterable[ExpressionProblem]) -> None:
        self.text = text
        self.problems = tuple(sorted(problems, key=lambda problem: problem.offset))[:MAX_PROBLEMS]
        super().__init__(text, self.problems)

    def __str__(self) -> str:
        return "\n".join(_shown(self.text, problem) for problem in self.problems)


_WIDTH = 100


def _shown(text: str, problem: ExpressionProblem) -> str:
    start = text.rfind("\n", 0, problem.offset) + 1
    end = text.find("\n", start)
    end = len(text) if end < 0 else end
    if end - start > _WIDTH:
        start = max(start, problem.offset - _WIDTH // 2)
    line = text[start : min(end, start + _WIDTH)]
    column = problem.offset - start
    carets = "^" * max(1, min(problem.length, len(line) - column))
    shown = [line, " " * column + carets, problem.cause]
    if problem.hint:
        shown.append(f"hint: {problem.hint}")
    return "\n".join(map(_printable, shown))


def _printable(line: str) -> str:
    return "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in line)


def nearest(word: str, known: Sequence[str]) -> str | None:
    """A hint with the known name that `word` was probably meant to be."""
    close = get_close_matches(word, known, n=1)
    return f"did you mean {close[0]}?" if close else None
