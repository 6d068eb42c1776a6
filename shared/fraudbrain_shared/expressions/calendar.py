"""Dates of the Gregorian calendar by arithmetic."""

from functools import lru_cache
from typing import NamedTuple

_DAYS_OF_400_YEARS = 146_097
_DAYS_TO_1970 = 719_468  # from 0000-03-01


class Date(NamedTuple):
    """A day of the proleptic Gregorian calendar; months and days count from 1, days of the year too."""

    year: int
    month: int
    day: int
    day_of_year: int


@lru_cache(maxsize=4_096)  # the events of a stretch of time fall on few days
def date_of(day: int) -> Date:
    """The date `day` days after 1970-01-01, of any year.

    Years are taken to begin in March, so that the leap day is their last, and 400 of them always have as many days.
    Formula: H. Hinnant, "chrono-Compatible Low-Level Date Algorithms" (2013), civil_from_days.
    """
    era, day_of_era = divmod(day + _DAYS_TO_1970, _DAYS_OF_400_YEARS)
    year_of_era = (day_of_era - day_of_era // 1_460 + day_of_era // 36_524 - day_of_era // 146_096) // 365
    day_from_march = day_of_era - (365 * year_of_era + year_of_era // 4 - year_of_era // 100)
    month_from_march = (5 * day_from_march + 2) // 153
    day_of_month = day_from_march - (153 * month_from_march + 2) // 5 + 1
    year = era * 400 + year_of_era
    if month_from_march >= 10:
        return Date(year + 1, month_from_march - 9, day_of_month, day_from_march - 305)
    is_leap = year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
    return Date(year, month_from_march + 3, day_of_month, day_from_march + (61 if is_leap else 60))
