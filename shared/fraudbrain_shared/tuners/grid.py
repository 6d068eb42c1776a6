"""The grid of event time on which tuners are asked."""

from collections.abc import Iterator, Sequence

from fraudbrain_shared.features.hops import INT64_MAX, WindowState, hops_between


def ticks(hops: Sequence[int], after: int, until: int, *, every_ms: int, window_ms: int) -> Iterator[int]:
    """The ticks after `after` and up to `until`, UTC ms, whose window holds any of the hops of one tick each.

    `hops` are their indices in order. At other ticks nothing happened within the window: they need not be looked at.
    """
    span = window_ms // every_ms
    first_tick, last_tick = after // every_ms + 1, until // every_ms
    done = first_tick - 1
    for index in hops:  # a hop is seen from its end on
        for tick in range(max(index + 1, done + 1), min(index + span, last_tick) + 1):
            yield tick * every_ms
        done = max(done, min(index + span, last_tick))


def forget_before(state: WindowState, first: int) -> None:
    """Drops the hops before `first`."""
    state.hops = hops_between(state, first, INT64_MAX)
