"""Dead letters, by the place of the record that each is about."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

from fraudbrain_deploy.faults.checker.evidence import Record
from fraudbrain_deploy.faults.checker.findings import Findings

OVERSIZE_BYTES: Final = 65_536
KEPT_OF_OVERSIZE: Final = 1_024


class Letter(NamedTuple):
    """A dead letter and what its headers say."""

    record: Record
    reason: str
    append_ms: int


Letters = Mapping[tuple[int, int], list[Letter]]
"""By partition and offset of the record."""


def by_place(records: Sequence[Record], topic: str, findings: Findings) -> Letters:
    """Those whose headers name no place in `topic` are wrong."""
    found: defaultdict[tuple[int, int], list[Letter]] = defaultdict(list)
    for record in records:
        headers = dict(record.headers)
        try:
            source, reason = headers["dlq.source"].decode(), headers["dlq.reason"].decode()
            name, partition, offset, append_ms = source.rsplit("/", 3)
            found[int(partition), int(offset)].append(Letter(record, reason, int(append_ms)))
        except (KeyError, ValueError):
            findings.wrong("I5", f"dead letter {record.offset}: its headers name no record")
            continue
        if name != topic:
            findings.wrong("I5", f"dead letter {record.offset}: it comes from {name}, not {topic}")
    return found


def check_letter(letter: Letter, record: Record, reasons: frozenset[str], place: str, findings: Findings) -> None:
    """The letter's reason is a true one, and all of the record is in it untouched."""
    if letter.reason not in reasons:
        findings.wrong("I5", f"{place}: its dead letter says {letter.reason}, true is {' or '.join(sorted(reasons))}")
    kept = record.value or b""
    if len(kept) > OVERSIZE_BYTES:
        kept = kept[:KEPT_OF_OVERSIZE]
    if (letter.record.value or b"") != kept or letter.record.key != record.key:
        findings.wrong("I5", f"{place}: the bytes of its dead letter differ")
    if letter.append_ms != record.append_ms:
        findings.wrong("I5", f"{place}: its dead letter says it was appended at {letter.append_ms}")
