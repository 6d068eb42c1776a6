"""Simulations: generators of events, labels and the truth behind them, one sub-package per business.

A simulation has `describe() -> str` (its settings as commented TOML), `settings_from(...)` and
`simulate(settings, seed) -> Simulated`; `files.write` writes what any of them made.
"""

from fraudbrain_deploy.simulation.simulated import Rows, Simulated

__all__ = ["Rows", "Simulated"]
