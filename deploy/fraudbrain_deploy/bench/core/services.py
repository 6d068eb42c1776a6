"""A broker and Redis for the length of a run: the local stack's own, on free ports, in a temporary folder."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from fraudbrain_deploy.errors import UserError
from fraudbrain_deploy.stack import StackError, StackSettings, down, free_port_block, up

_PARTS: Final = ("kafka", "redis")


@contextmanager
def services() -> Iterator[StackSettings]:
    """Both, ready. Raises UserError where they cannot be had."""
    with TemporaryDirectory(prefix="fraudbrain-bench-") as folder:
        settings = StackSettings(data=Path(folder), ports=free_port_block())
        try:
            up(settings, _PARTS)
        except StackError as error:
            remedy = "Or measure ours alone: `fraudbrain bench --no-peers`."
            raise UserError(f"Kafka and Redis, to measure beside: {error}", remedy) from error
        try:
            yield settings
        finally:
            down(settings, _PARTS)
