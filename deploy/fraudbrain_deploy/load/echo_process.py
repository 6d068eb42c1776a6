"""The echo as a process: started, awaited, ended."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from fraudbrain_deploy import leash
from fraudbrain_deploy.errors import UserError
from fraudbrain_deploy.load import echo

_END_S: Final = 10.0


@contextmanager
def echoing(bootstrap: str, source: str, sink: str, *, whole: bool = False) -> Iterator[int]:
    """Echoes what comes on one topic, with `whole` also what stands there already, to another; gives its process's id.

    Raises UserError.
    """
    command = [sys.executable, "-m", echo.__name__, "--bootstrap", bootstrap, "--source", source, "--sink", sink]
    command += ["--whole"] if whole else []
    with subprocess.Popen(leash.command(command), stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            if not process.stdout.readline():
                raise UserError("The echo did not start.", " ".join(command))
            yield process.pid
        finally:
            process.terminate()
            try:
                process.wait(_END_S)
            except subprocess.TimeoutExpired:
                process.kill()
