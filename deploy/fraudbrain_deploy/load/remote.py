"""An object in a process of its own, so that what one side does never stands in the way of another's clock."""

import contextlib
import multiprocessing
import signal
from collections.abc import Callable
from multiprocessing.connection import Connection
from types import TracebackType
from typing import Any, Final, Self

from fraudbrain_deploy.errors import UserError

_START_S: Final = 120.0
_END_S: Final = 5.0


class Remote:
    """Its methods are called there, one after the other; a context manager. It is being made from the beginning, so
    that several are made side by side: see `wait_until_made`. Ends with the process that started it."""

    def __init__(self, make: Callable[..., object], *arguments: object) -> None:
        context = multiprocessing.get_context("spawn")
        self._ours, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(make, arguments, theirs), daemon=True)
        self._process.start()
        theirs.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ours.close()
        if error is None:
            self._process.join(_END_S)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()

    def wait_until_made(self) -> None:
        """To be called before anything else. Raises UserError where it cannot be made."""
        self.answer(_START_S)

    def call(self, method: str, *arguments: object) -> None:
        """Has the method called; its answer is waited for with `answer`."""
        self._ours.send((method, arguments))

    def answer(self, timeout_s: float) -> Any:
        """What the last call gave. Raises what it raised, UserError where nothing comes in time."""
        try:
            found = self._ours.recv() if self._ours.poll(timeout_s) else UserError(f"no answer in {timeout_s:.0f} s")
        except EOFError:
            found = UserError("a process of the load ended by itself")
        if isinstance(found, Exception):
            raise found
        return found


def _serve(make: Callable[..., object], arguments: tuple[object, ...], parent: Connection) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to answer: it ends this process
    with contextlib.suppress(EOFError, BrokenPipeError, ConnectionError):
        made = _tried(lambda: make(*arguments))
        parent.send(made if isinstance(made, Exception) else None)
        while True:
            method, given = parent.recv()
            parent.send(_tried(lambda: getattr(made, method)(*given)))  # noqa: B023


def _tried(call: Callable[[], object]) -> object:
    try:
        return call()
    except UserError as error:
        return UserError(error.what, error.remedy)
    except Exception as error:
        return UserError(f"a process of the load failed: {type(error).__name__}: {error}")
