"""`rate`: the more of an entity's labels are frauds, the lower its number."""

from collections.abc import Iterator

from fraudbrain_shared.controls.governor import COUNT, Suggestion
from fraudbrain_shared.controls.starting import Start
from fraudbrain_shared.features.hops import INT64_MIN, WindowState, add, hops_between, joined
from fraudbrain_shared.scenario.description import RateTuner, Tuning
from fraudbrain_shared.tuners.grid import forget_before, ticks
from fraudbrain_shared.tuners.observation import Observation


class Rate:
    """start × min(1, target / rate), the rate being shrunken: (frauds + strength · target) / (labels + strength).

    That is the posterior mean of a share with the prior Beta(strength · target, strength · (1 − target)): few
    labels stay near the target, many speak for themselves. Source: Gelman and others, Bayesian Data Analysis,
    3rd edition (2013), section 2.4; Efron and Morris, Stein's Paradox in Statistics (1977), on why to shrink.

    The state counts labels by hops of one tick; the sum of their values are the frauds.
    """

    def __init__(self, tuner: RateTuner, tuning: Tuning) -> None:
        self._tuner = tuner
        self._every_ms = tuning.every_ms
        self.warm_up_ms = 0

    def empty(self) -> WindowState:
        return WindowState([])

    def add(self, state: WindowState, seen: Observation) -> None:
        add(state, int(seen.value), seen.time, first=INT64_MIN, hop_ms=self._every_ms)

    def joined(self, left: WindowState, right: WindowState) -> WindowState:
        return joined(left, right)

    def suggest(self, state: WindowState, tick: int, start: Start) -> Suggestion | None:
        tuner, end = self._tuner, tick // self._every_ms
        hops = hops_between(state, end - tuner.window_ms // self._every_ms, end)
        labels, frauds = sum(hop.count for hop in hops), sum(hop.total for hop in hops)
        if labels == 0:
            return None
        rate = (frauds + tuner.strength * tuner.target) / (labels + tuner.strength)
        value = start.value * min(1.0, tuner.target / rate)
        return Suggestion(value, {COUNT: labels, "frauds": frauds, "rate": rate})

    def due(self, state: WindowState, after: int, until: int) -> Iterator[int]:
        return ticks(
            [hop.index for hop in state.hops],
            after,
            until,
            every_ms=self._every_ms,
            window_ms=self._tuner.window_ms,
        )

    def trim(self, state: WindowState, tick: int) -> None:
        forget_before(state, (tick - self._tuner.window_ms) // self._every_ms)
