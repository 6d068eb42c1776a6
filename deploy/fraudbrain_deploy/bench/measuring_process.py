"""What is measured runs in a process of its own: nothing of the command disturbs it, and peers are seen by it alone."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from tempfile import TemporaryFile
from threading import Timer

from fraudbrain_deploy import leash
from fraudbrain_deploy.errors import UserError
from fraudbrain_shared.testing.alternating import Tell


def measured(
    module: str, options: Sequence[str], *, at_most_s: float, tell: Tell, environment: Mapping[str, str] | None = None
) -> bytes:
    """What `python -m module` prints; `tell` hears what it says on standard error while it runs.

    Raises UserError where it fails, or takes longer than `at_most_s`.
    """
    command = [sys.executable, "-m", module, *options]
    said = ""
    with (
        TemporaryFile() as answer,  # a pipe would fill up while the other one is read
        subprocess.Popen(
            leash.command(command),
            stdout=answer,
            stderr=subprocess.PIPE,
            text=True,
            env=os.environ | dict(environment or {}),
        ) as process,
        _at_most(at_most_s, process),
    ):
        for line in process.stderr or ():
            said = line.strip()
            tell(said)
        if process.wait():
            raise UserError(f"The measuring process failed: {said}.", "Its command: " + " ".join(command))
        answer.seek(0)
        return answer.read()


@contextmanager
def _at_most(seconds: float, process: "subprocess.Popen[str]") -> Iterator[None]:
    """Kills the process when it takes longer, or when this one is interrupted."""
    timer = Timer(seconds, process.kill)
    timer.start()
    try:
        yield
    except BaseException:
        process.kill()
        raise
    finally:
        timer.cancel()
