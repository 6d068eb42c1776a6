"""A worker that dies of one certain event, as of a fault in the interpreter: `… deadly_worker EVENT_ID run …`."""

import os
import sys
from collections.abc import Callable
from typing import Any

from fraudbrain_realtime.__main__ import main
from fraudbrain_shared.decisions import Application

apply: Callable[..., Any] = Application.apply


def dying_of(event_id: str) -> Callable[..., Any]:
    """What ends the process, with no chance for anybody to catch it, when it gets to this event."""

    def apply_or_die(self: Application, profile: Any, event: Any, *rest: Any) -> Any:
        if event.event_id == event_id:
            os.abort()
        return apply(self, profile, event, *rest)

    return apply_or_die


if __name__ == "__main__":
    Application.apply = dying_of(sys.argv.pop(1))  # type: ignore[method-assign]
    sys.exit(main())
