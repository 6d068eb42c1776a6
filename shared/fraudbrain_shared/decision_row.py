"""The row of a decision in the HBase table `decisions`, from the identity of its event."""

import hashlib

_LONGEST_ROW = 4_096  # HBase refuses rows above 32,767 bytes


def decision_row(subject: str, event_id: str) -> bytes:
    """The key of an event's row: four hex digits, the subject's length in bytes, `:`, subject, event id.

    Different events have different rows whatever subject and id consist of, because the length
    says where the subject ends; no character is forbidden and nothing is escaped. The digits are
    the beginning of the subject's SHA-256: they spread rows evenly, and all rows of one subject
    stand together, under `decision_row(subject, "")` as prefix. A row that would be longer than
    4 KiB holds the SHA-256 of all of this instead, after a `#`, where others have a digit.
    """
    name = subject.encode("utf-8", "surrogatepass")
    prefix = hashlib.sha256(name).hexdigest()[:4].encode()
    rest = b"%d:%b%b" % (len(name), name, event_id.encode("utf-8", "surrogatepass"))
    if len(prefix) + len(rest) > _LONGEST_ROW:
        rest = b"#" + hashlib.sha256(rest).hexdigest().encode()
    return prefix + rest
