"""How fast records came onto a topic, by the broker's own clock."""

from fraudbrain_deploy import kafka


def appended_us(bootstrap: str, topic: str, since: kafka.Offsets, *, uncounted_part: int) -> float:
    """Microseconds from one record to the next, on average over those since then, in all partitions together; the first
    of so many equal parts is left out."""
    times_ms = sorted(record.timestamp()[1] for record in kafka.read_all(bootstrap, topic, since=since))
    counted = times_ms[len(times_ms) // uncounted_part :]
    return max(1, counted[-1] - counted[0]) / len(counted) * 1_000
