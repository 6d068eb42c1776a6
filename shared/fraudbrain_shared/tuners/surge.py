"""`surge`: more events than an entity's own past makes plausible, seen without any label."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import accumulate
from math import exp, lgamma, log, log1p

import msgspec

from fraudbrain_shared.controls.governor import COUNT, Suggestion
from fraudbrain_shared.controls.starting import Start
from fraudbrain_shared.features.hops import INT64_MIN, Hop, WindowState, add, hops_between, joined
from fraudbrain_shared.scenario.description import SurgeTuner, Tuning
from fraudbrain_shared.tuners.grid import forget_before, ticks
from fraudbrain_shared.tuners.observation import Observation


class SurgeState(msgspec.Struct, array_like=True):
    """Events by hops of one tick, and the same events by hops of one window."""

    recent: WindowState = msgspec.field(default_factory=lambda: WindowState([]))
    baseline: WindowState = msgspec.field(default_factory=lambda: WindowState([]))


class Surge:
    """start × factor while the window holds more events than the limit, else start.

    The baseline are the whole windows, on the grid of windows, that ended before this one began. Were nothing
    new, each of all `n` events, old and new, would fall into this window with the chance p = window / (window
    + baseline), so the number in it is binomial (n, p), whatever the entity's own rate: an exact test that two
    Poisson counts have one rate, which does not take a short past for a known one. There is a surge where the
    chance of as many events or more is below `probability`. Before a whole baseline was watched there is none.
    Source: Przyborowski and Wilenski, Homogeneity of results in testing samples from Poisson series,
    Biometrika 31 (1940), 313–323.
    """

    def __init__(self, tuner: SurgeTuner, tuning: Tuning) -> None:
        self._tuner = tuner
        self._every_ms = tuning.every_ms
        self.warm_up_ms = 2 * tuner.window_ms + tuner.baseline_ms  # the grid of windows may begin one later

    def empty(self) -> SurgeState:
        return SurgeState()

    def add(self, state: SurgeState, seen: Observation) -> None:
        add(state.recent, 1, seen.time, first=INT64_MIN, hop_ms=self._every_ms)
        add(state.baseline, 1, seen.time, first=INT64_MIN, hop_ms=self._tuner.window_ms)

    def joined(self, left: SurgeState, right: SurgeState) -> SurgeState:
        return SurgeState(joined(left.recent, right.recent), joined(left.baseline, right.baseline))

    def suggest(self, state: SurgeState, tick: int, start: Start) -> Suggestion | None:
        tuner = self._tuner
        end = tick // self._every_ms
        recent = sum(hop.count for hop in hops_between(state.recent, end - tuner.window_ms // self._every_ms, end))
        if recent < tuner.min_count:
            return None
        before = sum(hop.count for hop in hops_between(state.baseline, *self._baseline_hops(tick)))
        share = tuner.window_ms / (tuner.window_ms + tuner.baseline_ms)
        probability = binomial_tail(recent, recent + before, share)
        is_surge = probability < tuner.probability
        value = start.value * tuner.factor if is_surge else start.value
        return Suggestion(value, {COUNT: recent, "before": before, "probability": probability})

    def due(self, state: SurgeState, after: int, until: int) -> Iterator[int]:
        hops = _crowded(state.recent.hops, self._tuner.window_ms // self._every_ms, self._tuner.min_count)
        return ticks(hops, after, until, every_ms=self._every_ms, window_ms=self._tuner.window_ms)

    def trim(self, state: SurgeState, tick: int) -> None:
        forget_before(state.recent, (tick - self._tuner.window_ms) // self._every_ms)
        forget_before(state.baseline, self._baseline_hops(tick)[0])

    def _baseline_hops(self, tick: int) -> tuple[int, int]:
        """The hops of the baseline: from the first on and before the second."""
        end = (tick - self._tuner.window_ms) // self._tuner.window_ms
        return end - self._tuner.baseline_ms // self._tuner.window_ms, end


def _crowded(hops: Sequence[Hop], span: int, least: int) -> list[int]:
    """The hops that may lie in a window of `span` hops with at least `least` events: almost always none."""
    indices = [hop.index for hop in hops]
    before = [0, *accumulate(hop.count for hop in hops)]
    return [
        index
        for index in indices
        if before[bisect_left(indices, index + span)] - before[bisect_right(indices, index - span)] >= least
    ]


@lru_cache(maxsize=4_096)
def binomial_tail(least: int, trials: int, chance: float) -> float:
    """The probability of `least` or more successes in independent trials. 0 < chance < 1.

    Summed from the first term on, in logarithms, until the rest no longer counts.
    """
    if least <= 0:
        return 1.0
    if least > trials:
        return 0.0
    odds = log(chance) - log1p(-chance)
    term = _log_choose(trials, least) + least * log(chance) + (trials - least) * log1p(-chance)
    total = 0.0
    for successes in range(least, trials + 1):
        probability = exp(term)
        total += probability
        if successes > trials * chance and probability < total * 1e-12:
            break
        term += log(trials - successes) - log(successes + 1) + odds if successes < trials else 0.0
    return min(total, 1.0)


def _log_choose(trials: int, successes: int) -> float:
    return lgamma(trials + 1) - lgamma(successes + 1) - lgamma(trials - successes + 1)
