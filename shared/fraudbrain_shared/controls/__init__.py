"""Controls: when a version acts, what the slow tier may move, and what a parameter is for an event."""

from fraudbrain_shared.controls.governor import Suggestion, check_move, govern
from fraudbrain_shared.controls.parameter_book import Globals, ParameterBook, RefusedParameter, Release
from fraudbrain_shared.controls.starting import Start, start_of
from fraudbrain_shared.controls.time_line import GRACE_MS, Stretch, TimeLine, acts_from
from fraudbrain_shared.controls.versions import HOT_FILES, own_rules, rules_version, scenario_release

__all__ = [
    "GRACE_MS",
    "HOT_FILES",
    "Globals",
    "ParameterBook",
    "RefusedParameter",
    "Release",
    "Start",
    "Stretch",
    "Suggestion",
    "TimeLine",
    "acts_from",
    "check_move",
    "govern",
    "own_rules",
    "rules_version",
    "scenario_release",
    "start_of",
]
