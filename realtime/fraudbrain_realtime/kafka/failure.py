"""When the log fails, and how long an answer of it is waited for."""

from typing import Final

ANSWER_TIMEOUT_S: Final = 10.0


class BrokerFailed(Exception):
    """The log cannot be read or written as it must be: the worker stops and starts again from its commit."""
