"""What a person sees while the stack works: live rows on a terminal, plain lines elsewhere. Written to stderr."""

import sys
from types import TracebackType
from typing import Protocol, Self

from fraudbrain_deploy.stack.lifecycle import Progress

_ENDS = {"ready", "stopped"}


class Display(Protocol):
    """Called with every step, between entering and leaving."""

    def __enter__(self) -> Self: ...
    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...
    def __call__(self, progress: Progress) -> None: ...


def display() -> Display:
    """The display that fits where stderr goes."""
    return _Live() if sys.stderr.isatty() else _Lines()


class _Lines:
    """A line a step; of the jars one every tenth."""

    def __init__(self) -> None:
        self._tenths = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass

    def __call__(self, progress: Progress) -> None:
        if progress.total_bytes and not self._is_next_tenth(progress):
            return
        print(f"{progress.part}: {_describe(progress)}", file=sys.stderr, flush=True)

    def _is_next_tenth(self, progress: Progress) -> bool:
        tenths = 10 * progress.done_bytes // progress.total_bytes
        is_next, self._tenths = tenths > self._tenths, max(tenths, self._tenths)
        return is_next


class _Live:
    """A row a part, and a bar for the jars."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress as Rows, SpinnerColumn, TaskID, TextColumn

        columns = SpinnerColumn(finished_text="✓"), TextColumn("{task.fields[part]:<7}"), BarColumn(bar_width=24)
        self._rows = Rows(*columns, TextColumn("{task.description}"), console=Console(stderr=True))
        self._tasks: dict[str, TaskID] = {}

    def __enter__(self) -> Self:
        self._rows.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._rows.stop()

    def __call__(self, progress: Progress) -> None:
        if progress.part not in self._tasks:
            self._tasks[progress.part] = self._rows.add_task("", total=None, part=progress.part)
        done, total = (1, 1) if progress.state in _ENDS else (progress.done_bytes, progress.total_bytes or None)
        task = self._tasks[progress.part]
        self._rows.update(task, description=_describe(progress), completed=done, total=total)


def _describe(progress: Progress) -> str:
    if progress.total_bytes:
        return f"{progress.done_bytes / 1e6:.0f} of {progress.total_bytes / 1e6:.0f} MB"
    return f"{progress.state} after {progress.seconds:.1f} s" if progress.state in _ENDS else progress.state
