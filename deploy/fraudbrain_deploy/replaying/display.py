"""What a person sees of a replay: two bars on a terminal, else a line every ten seconds. Written to stderr."""

import sys
import time
from datetime import UTC, datetime
from types import TracebackType
from typing import TYPE_CHECKING, Protocol, Self

if TYPE_CHECKING:
    from rich.progress import TaskID

LINES_EVERY_S = 10.0
BARS_EVERY_S = 0.25


class Display(Protocol):
    """Told between entering and leaving; `told` is cheap and may be called as often as one likes."""

    def __enter__(self) -> Self: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...
    def says(self, stage: str) -> None:
        """A new stage begins."""

    def told(self, sent: int, decided: int) -> None:
        """How far it has come."""

    def stepped(self, step: int, of: int, date_ms: int, moves: int) -> None:
        """A step of event time, which began at `date_ms`, is over; so often were parameters moved up to now."""


def display(total: int) -> Display:
    """The display that fits where stderr goes, for `total` events."""
    return _Bars(total) if sys.stderr.isatty() else _Lines(total)


class Silent:
    """For programs."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass

    def says(self, stage: str) -> None:
        pass

    def told(self, sent: int, decided: int) -> None:
        pass

    def stepped(self, step: int, of: int, date_ms: int, moves: int) -> None:
        pass


class _Lines(Silent):
    def __init__(self, total: int) -> None:
        self._total = total
        self._began = time.monotonic()
        self._due = self._began + LINES_EVERY_S
        self._step = ""

    def says(self, stage: str) -> None:
        print(f"replay: {stage}", file=sys.stderr, flush=True)

    def told(self, sent: int, decided: int) -> None:
        now = time.monotonic()
        if now < self._due:
            return
        self._due = now + LINES_EVERY_S
        rate = decided / (now - self._began)
        left = f", {(self._total - decided) / rate:.0f} s left" if rate > 0 else ""
        print(
            f"replay: {self._step}{sent:,} sent, {decided:,} decided of {self._total:,}; {rate:,.0f}/s{left}",
            file=sys.stderr,
            flush=True,
        )

    def stepped(self, step: int, of: int, date_ms: int, moves: int) -> None:
        self._step = f"{_step_told(step, of, date_ms, moves)}; "


class _Bars:
    """Drawn by the caller's own thread, when told: a thread of rich's would disturb the sender's clock."""

    def __init__(self, total: int) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

        self._bars = Progress(
            TextColumn("{task.description:<8}"),
            BarColumn(bar_width=30),
            MofNCompleteColumn(),
            TextColumn("{task.fields[rate]:>10,.0f}/s"),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            auto_refresh=False,
        )
        self._sent = self._bars.add_task("sent", total=total, rate=0.0)
        self._decided = self._bars.add_task("decided", total=total, rate=0.0)
        self._steps: TaskID | None = None
        self._began = self._due = time.monotonic()

    def __enter__(self) -> Self:
        self._bars.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._bars.refresh()
        self._bars.stop()

    def says(self, stage: str) -> None:
        self._bars.console.print(f"replay: {stage}", highlight=False)

    def stepped(self, step: int, of: int, date_ms: int, moves: int) -> None:
        if self._steps is None:
            self._steps = self._bars.add_task("steps", total=of, rate=0.0)
        passed = max(time.monotonic() - self._began, 1e-3)
        self._bars.update(
            self._steps, completed=step, rate=step / passed, description=_step_told(step, of, date_ms, moves)
        )

    def told(self, sent: int, decided: int) -> None:
        now = time.monotonic()
        if now < self._due:
            return
        self._due = now + BARS_EVERY_S
        passed = max(now - self._began, 1e-3)
        self._bars.update(self._sent, completed=sent, rate=sent / passed)
        self._bars.update(self._decided, completed=decided, rate=decided / passed)
        self._bars.refresh()


def _step_told(step: int, of: int, date_ms: int, moves: int) -> str:
    return f"step {step}/{of}, {datetime.fromtimestamp(date_ms / 1000, UTC):%Y-%m-%d %H:%M}, {moves:,} moves"
