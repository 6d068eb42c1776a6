"""How dead letters are shown. Payloads, keys and headers may hold card numbers: only their sizes, unless asked for."""

from collections.abc import Collection, Mapping
from typing import Any, Final

import msgspec

from fraudbrain_deploy.dead_letters import Letter, Stray
from fraudbrain_deploy.dead_letters_replay import Fate, Replayed
from fraudbrain_deploy.display import shown_time

_HIDDEN: Final = "not shown: it may hold card numbers; --reveal shows it"


def page(counts: Mapping[str, int], newest: Collection[Letter], strays: Collection[Stray]) -> str:
    """Counts by reason, then the newest letters."""
    total = sum(counts.values())
    if not total and not strays:
        return "no dead letters"
    lines = [f"{count:>12,}  {reason}" for reason, count in sorted(counts.items(), key=lambda each: -each[1])]
    lines += [f"{total:>12,}  in all", "", f"{'place':10}  {'put aside (UTC)':23}  {'reason':14}  source: detail"]
    for each in newest:
        told = each.told
        attempt = f"attempt {told.attempt}, " if told.attempt > 1 else ""
        source = f"{told.topic}/{told.partition}/{told.offset}"
        lines.append(
            f"{each.place:10}  {shown_time(each.append_ms)}  {told.reason:14}  {attempt}{source}: {told.detail}"
        )
    if len(newest) < total:
        lines.append(f"the newest {len(newest)}; --limit shows more")
    return "\n".join([*lines, *_strays(strays)])


def list_json(counts: Mapping[str, int], newest: Collection[Letter], strays: Collection[Stray]) -> str:
    """The same for programs."""
    return _json(
        {
            "counts": dict(counts),
            "letters": [_told(each) for each in newest],
            "strays": [each.place for each in strays],
        }
    )


def whole(letter: Letter, *, reveal: bool) -> str:
    """Everything told of one letter."""
    told = letter.told
    versions = ", ".join(f"{name} {version}" for name, version in sorted(told.control_versions.items())) or "unknown"
    first = shown_time(told.first_seen) if told.first_seen else "unknown"
    lines = [
        f"{told.reason.upper()}  {told.detail}",
        f"  source          {told.source}",
        f"  put aside       {shown_time(letter.append_ms)} UTC by {told.worker}, {told.build}",
        f"  controls        {versions}",
        f"  attempt         {told.attempt}, first seen {first}",
    ]
    if told.length is not None:
        lines.append(f"  original        {told.length:,} bytes, sha256 {told.sha256}: only its beginning was kept")
    lines += [
        f"  key             {_shown(letter.key, reveal)}",
        f"  payload         {_shown(letter.value, reveal)}",
        *(f"  header          {_printable(name)}: {_shown(value, reveal)}" for name, value in letter.headers),
    ]
    return "\n".join(lines)


def letter_json(letter: Letter, *, reveal: bool) -> str:
    """The same for programs: what is not UTF-8 has each such byte as `\\xNN`."""
    shown: dict[str, Any] = {"payload_bytes": len(letter.value), "header_names": [name for name, _ in letter.headers]}
    if reveal:
        headers = [[name, _text(value)] for name, value in letter.headers]
        shown |= {"key": _text(letter.key), "payload": _text(letter.value), "headers": headers}
    return _json(_told(letter) | shown)


def replayed(told: Replayed, *, is_dry: bool) -> str:
    """What became of the letters: how many met which fate, and of those not sent the first."""
    if not told.counts:
        return "no dead letters"
    lines = []
    for fate in Fate:
        if count := told.counts.get(fate, 0):
            lines.append(f"{count:>12,}  {'would be sent' if is_dry and fate is Fate.SENT else fate}")
            lines += [f"{'':14}{example}" for example in told.examples.get(fate, [])]
    if is_dry:
        lines.append("nothing was sent")
    return "\n".join(lines)


def replayed_json(told: Replayed, *, is_dry: bool) -> str:
    """The same for programs."""
    counts = {fate.name.lower(): count for fate, count in told.counts.items()}
    examples = {fate.name.lower(): shown for fate, shown in told.examples.items() if shown}
    return _json({"dry_run": is_dry, "counts": counts, "examples": examples})


def _told(letter: Letter) -> dict[str, Any]:
    told: dict[str, Any] = msgspec.to_builtins(letter.told)
    return {"place": letter.place, "append_ms": letter.append_ms, **told}


def _strays(strays: Collection[Stray]) -> list[str]:
    if not strays:
        return []
    places = ", ".join(each.place for each in strays)
    return [f"no dead letters, though they stand among them: {places}; no tier has written them"]


def _shown(value: bytes | None, is_open: bool) -> str:
    if value is None:
        return "none"
    return _printable(str(_text(value))) if is_open else f"{len(value):,} bytes ({_HIDDEN})"


def _printable(text: str) -> str:
    """A hostile payload must not drive the terminal that it is shown on."""
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode() for each in text)


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode(errors="backslashreplace")


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()
