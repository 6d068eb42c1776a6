"""Controls that the slow tier moves: what a parameter may become, and what it is for an event."""

from fraudbrain_shared.controls.governor import Suggestion, check_move, govern
from fraudbrain_shared.controls.parameter_book import ParameterBook, RefusedParameter
from fraudbrain_shared.controls.starting import Start, start_of

__all__ = ["ParameterBook", "RefusedParameter", "Start", "Suggestion", "check_move", "govern", "start_of"]
