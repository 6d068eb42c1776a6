"""Long work told step by step: what is done now, how far it is, how long each step took."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

Tell = Callable[[str], None]

_EVERY_S = 5.0  # between two lines about one step, where nobody can see a line change


class _Step(Protocol):
    """How a step is shown while it runs."""

    def tell(self, text: str) -> None: ...
    def end(self, text: str) -> None: ...


class Steps:
    """The steps of one piece of work, told on standard output. `seconds` are those of each by title."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def step(self, title: str) -> Iterator[Tell]:
        """A step; its body is given a function that takes what is to be said meanwhile, as often as it likes."""
        shown: _Step = _LiveStep(title) if sys.stdout.isatty() else _PlainStep(title)
        begun = time.monotonic()
        try:
            yield shown.tell
        except BaseException:
            shown.end(f"✗ {title}")
            raise
        self.seconds[title] = round(time.monotonic() - begun, 1)
        shown.end(f"✓ {title} ({self.seconds[title]} s)")


class _PlainStep:
    """A line at the begin, one at the end, and some between while it lasts."""

    def __init__(self, title: str) -> None:
        self._title = title
        self._told = time.monotonic()
        print(f"… {title}", flush=True)

    def tell(self, text: str) -> None:
        if time.monotonic() - self._told >= _EVERY_S:
            print(f"    {text}", flush=True)
            self._told = time.monotonic()

    def end(self, text: str) -> None:
        print(text, flush=True)


class _LiveStep:
    """A line with a spinner and the time, which changes in place."""

    def __init__(self, title: str) -> None:
        from rich.console import Console
        from rich.markup import escape
        from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

        self._title = title
        self._escape = escape
        columns = SpinnerColumn(), TimeElapsedColumn(), TextColumn("{task.description}")
        self._line = Progress(*columns, console=Console(highlight=False), transient=True)
        self._task = self._line.add_task(escape(title), total=None)
        self._line.start()

    def tell(self, text: str) -> None:
        self._line.update(self._task, description=self._escape(f"{self._title}: {text}"))

    def end(self, text: str) -> None:
        self._line.stop()
        self._line.console.print(self._escape(text))
