"""Scenarios: the description of one business as a folder of TOML files, checked as a whole."""

from fraudbrain_shared.scenario.description import Scenario
from fraudbrain_shared.scenario.load import find_scenario, load_scenario
from fraudbrain_shared.scenario.problems import Problem, ScenarioError

__all__ = ["Problem", "Scenario", "ScenarioError", "find_scenario", "load_scenario"]
