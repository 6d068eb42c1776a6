"""What is said of a batch that failed: enough to find the cause, and no payload."""

import logging
import traceback

_LOG = logging.getLogger(__name__)


class BatchFailed(Exception):
    """A batch could not be done; the cause was logged. Its text holds no payload, since Spark prints it."""


def batch_failed(job: str, batch_id: int, error: Exception) -> BatchFailed:
    """Log an error of a batch, and what to raise instead of it."""
    _LOG.error("%s batch=%d failed: %s", job, batch_id, told(error))
    return BatchFailed(f"batch {batch_id}: {type(error).__name__}; see the line above")


def told(error: Exception) -> str:
    """What an error is and where it arose; its own words only if they are ours, for others quote data."""
    where = traceback.extract_tb(error.__traceback__)[-1]
    ours = type(error).__module__.startswith("fraudbrain_")
    return str(error) if ours else f"{type(error).__name__} at {where.filename}:{where.lineno}"
