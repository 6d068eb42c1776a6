"""The bytes of decisions."""

from typing import Any

import msgspec
from msgspec.structs import force_setattr

from fraudbrain_shared.records import Decision


class DecisionEncoder:
    """Makes the bytes of decisions, the same as of any record. For one thread.

    Decisions by the same controls share their versions and their dict of parameters, which are half of the work: the
    bytes of these are kept, and stand in the decision while it is encoded.
    """

    def __init__(self) -> None:
        self._encoder = msgspec.json.Encoder()
        self._buffer = bytearray()
        self._parameters: Any = None
        self._versions: Any = None
        self._encoded_parameters = self._encoded_versions = msgspec.Raw()

    def encode(self, decision: Decision) -> bytes:
        """The decision as JSON."""
        versions, parameters = decision.versions, decision.parameters
        if versions is not self._versions:
            self._versions, self._encoded_versions = versions, msgspec.Raw(self._encoder.encode(versions))
        if parameters is not self._parameters:
            self._parameters, self._encoded_parameters = parameters, msgspec.Raw(self._encoder.encode(parameters))
        force_setattr(decision, "versions", self._encoded_versions)
        if parameters:  # else they are left out
            force_setattr(decision, "parameters", self._encoded_parameters)
        try:
            self._encoder.encode_into(decision, self._buffer)  # what was made room for before need not be again
            return bytes(self._buffer)
        finally:
            force_setattr(decision, "versions", versions)
            force_setattr(decision, "parameters", parameters)
