"""Broker and stores for the length of a run: the local stack's own, on free ports, in a temporary folder."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from fraudbrain_deploy.errors import UserError
from fraudbrain_deploy.stack import StackError, StackSettings, down, free_port_block, up

_REMEDY: Final = "What needs none of them: `fraudbrain bench rules`, and `fraudbrain bench core --no-peers`."

BESIDE: Final = ("kafka", "redis")
"""What the core is measured beside."""
WHOLE: Final = ("kafka", "hbase", "thrift", "redis")
"""What a worker needs."""


@contextmanager
def services(parts: Sequence[str]) -> Iterator[StackSettings]:
    """These parts, ready. Raises UserError where they cannot be had."""
    with TemporaryDirectory(prefix="fraudbrain-bench-") as folder:
        settings = StackSettings(data=Path(folder), ports=free_port_block())
        try:
            up(settings, parts)
        except StackError as error:
            raise UserError(f"{', '.join(parts)}, to measure beside: {error}", _REMEDY) from error
        try:
            yield settings
        finally:
            down(settings, parts)
