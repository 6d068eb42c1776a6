"""What is wrong with a scenario: every problem with its place, its cause and what to do about it."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Final

_SHOWN_WIDTH: Final = 110
_LISTED_NAMES: Final = 8


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that must be mended before the scenario can be used.

    `file` is a file of the folder, or what stands for one, such as `rule large_amount`. `line` and
    `column` count from 1, 0 is unknown; `source` is the line itself, of which `length` characters
    from the column on are meant.
    """

    file: str
    cause: str
    hint: str = ""
    line: int = 0
    column: int = 0
    source: str = ""
    length: int = 1

    def __str__(self) -> str:
        place = [self.file, *(str(number) for number in (self.line, self.column) if number)]
        lines = [f"{':'.join(place)}: {self.cause}"]
        if self.source and self.column:
            lines += self._marked_source()
        if self.hint:
            lines.append(f"  {self.hint}")
        return "\n".join(lines)

    def _marked_source(self) -> tuple[str, str]:
        """The line, cut around the place if it is long, and below it the caret."""
        start = max(0, self.column - 1 - _SHOWN_WIDTH // 2) if len(self.source) > _SHOWN_WIDTH else 0
        shown = self.source[start : start + _SHOWN_WIDTH].replace("\t", " ")
        at = self.column - 1 - start
        marks = "^" + "~" * (max(1, min(self.length, len(shown) - at)) - 1)
        return f"  {shown}", f"  {' ' * at}{marks}"


class ScenarioError(Exception):
    """A scenario, or a rule set for one, that cannot be used; its text shows all problems at once."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems: Final[Sequence[Problem]] = tuple(problems)
        super().__init__("\n\n".join(map(str, self.problems)))


def nearest(name: str, known: Collection[str]) -> str:
    """A hint for a name that is not known: the one that was probably meant, else those there are."""
    close = get_close_matches(name, known, n=1)
    if close:
        return f"did you mean {close[0]}?"
    if not known:
        return ""
    listed = sorted(known)
    more = ", …" if len(listed) > _LISTED_NAMES else ""
    return f"known: {', '.join(listed[:_LISTED_NAMES])}{more}"
