"""The settings of the card simulation: `settings.toml` holds each with its default and meaning."""

import tomllib
from collections.abc import Mapping
from datetime import UTC, date, datetime
from importlib import resources
from pathlib import Path
from typing import Annotated, Any

import msgspec
from msgspec import Meta

DAY_MS = 86_400_000

Count = Annotated[int, Meta(ge=1)]
Positive = Annotated[float, Meta(gt=0)]
Amount = Annotated[float, Meta(ge=0)]
Share = Annotated[float, Meta(ge=0, le=1)]
Day = Annotated[int, Meta(ge=-1)]
TimeOfDay = Annotated[str, Meta(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]


class SettingsError(ValueError):
    """The settings cannot be used; the message says where and why."""


class Map(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The land: a square with towns."""

    side_km: Positive
    towns: Count
    town_km: Positive
    countryside: Share


class Customers(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Who pays, how often, how much, when and where."""

    count: Count
    payments_a_day: Positive
    payments_spread: Amount
    amount: Positive
    amount_spread: Amount
    amount_habit: Amount
    hour: Amount
    hour_spread: Amount
    hour_habit: Positive
    favourites: Count
    travel: Share


class Terminals(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where they pay."""

    count: Count


class Calendar(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How busy each day of the week is, beginning with the first day's."""

    weekdays: Annotated[tuple[Amount, ...], Meta(min_length=7, max_length=7)]


class Habit(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """How often episodes of a habit begin, and on which days."""

    rate: Amount
    from_day: Day
    to_day: Day

    def days(self, of: int) -> tuple[int, int]:
        """The first day and the day after the last on which an episode can begin, within `of` days."""
        last = of - 1 if self.to_day < 0 else min(self.to_day, of - 1)
        return min(max(self.from_day, 0), of), max(last + 1, min(max(self.from_day, 0), of))


class StolenCard(Habit, frozen=True, kw_only=True):
    """A burst far over the card's habit."""

    payments: Positive
    hours: Positive
    amount_times: Positive


class CompromisedTerminal(Habit, frozen=True, kw_only=True):
    """A terminal whose payments turn fraud."""

    days_long: Positive = msgspec.field(name="days")
    share: Share


class CopiedDetails(Habit, frozen=True, kw_only=True):
    """A card whose details somebody else uses too."""

    days_long: Positive = msgspec.field(name="days")
    share: Amount
    amount_times: Positive


class CardTesting(Habit, frozen=True, kw_only=True):
    """Tiny payments at one terminal from many cards."""

    cards: Count
    minutes: Positive
    amount_up_to: Count


class Wave(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Many payments at a few terminals at a given time."""

    day: Annotated[int, Meta(ge=0)]
    time: TimeOfDay
    minutes: Positive
    terminals: Count
    per_minute: Positive
    cards: Count
    amount_times: Positive

    def offset_ms(self) -> int:
        """When it begins, from the start of the first day."""
        hours, minutes = self.time.split(":")
        return self.day * DAY_MS + (int(hours) * 60 + int(minutes)) * 60_000


class Labelling(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What becomes known, and how late."""

    fraud_days: Positive
    fraud_days_spread: Amount
    fraud_days_most: Positive
    good_days: Amount
    unreported: Share


class CardSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Everything that shapes a simulation of card payments, but for its seed."""

    start: date
    days: Count
    map: Map
    customers: Customers
    terminals: Terminals
    calendar: Calendar
    stolen_card: StolenCard
    compromised_terminal: CompromisedTerminal
    copied_details: CopiedDetails
    card_testing: CardTesting
    labels: Labelling
    attack: tuple[Wave, ...] = ()
    rush: tuple[Wave, ...] = ()

    def start_ms(self) -> int:
        """Midnight UTC of the first day, UTC milliseconds."""
        midnight = datetime(self.start.year, self.start.month, self.start.day, tzinfo=UTC)
        return int(midnight.timestamp() * 1000)


def describe() -> str:
    """The defaults as a commented TOML file, ready to be edited."""
    return resources.files(__package__).joinpath("settings.toml").read_text(encoding="utf-8")


def settings_from(file: Path | None = None, overrides: Mapping[str, Any] | None = None) -> CardSettings:
    """The defaults, replaced by what `file` says, replaced by `overrides` (`{"customers.count": 50}`).

    A file need hold only what differs; a list of waves replaces the default one. Raises SettingsError.
    """
    values = tomllib.loads(describe())
    if file is not None:
        try:
            _merge(values, tomllib.loads(file.read_text(encoding="utf-8")))
        except (OSError, tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise SettingsError(f"{file}: {error}") from error
    for path, value in (overrides or {}).items():
        *tables, name = path.split(".")
        table = values
        for part in tables:
            table = table[part]
        table[name] = value
    try:
        return msgspec.convert(values, CardSettings)
    except msgspec.ValidationError as error:
        raise SettingsError(f"{file or 'settings'}: {error}; --print-settings shows all settings") from error


def _merge(into: dict[str, Any], values: Mapping[str, Any]) -> None:
    for name, value in values.items():
        if isinstance(value, dict) and isinstance(into.get(name), dict):
            _merge(into[name], value)
        else:
            into[name] = value
