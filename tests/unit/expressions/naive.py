"""A slow, obvious evaluator: the judge of the compiler."""

import re
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from math import copysign, isfinite, isinf, isnan, nan, trunc
from typing import Any
from zoneinfo import ZoneInfo

from fraudbrain_shared.expressions import ERROR, Type
from tests.unit.expressions.evaluation import MAX, MIN
from tests.unit.expressions.trees import MACROS, PARTS, Tree

TIME_LIMITS = {
    Type.INT: (MIN, MAX),
    Type.TIMESTAMP: (-62_135_596_800_000, 253_402_300_799_999),
    Type.DURATION: (-9_223_372_036_854, 9_223_372_036_854),
}


def evaluate(tree: Tree, event: dict[str, Any]) -> Any:
    operator = tree.operator
    if operator == "literal":
        return tree.value
    if operator in ("name", "element"):
        return event[tree.value]
    if operator in MACROS:
        return _macro(tree, event)
    values = [evaluate(each, event) for each in tree.operands]
    match operator:
        case "&&":
            return _junction(values, deciding=False)
        case "||":
            return _junction(values, deciding=True)
        case "?:":
            return values[0] if values[0] is None or values[0] is ERROR else values[1 if values[0] else 2]
        case "known" | "has":
            return values[0] is not None and values[0] is not ERROR
        case "or_else":
            return values[1] if values[0] is None or values[0] is ERROR else values[0]
    if any(value is None for value in values):
        return None
    if any(value is ERROR for value in values):
        return ERROR
    return _limited(tree.type, _strict(tree, values))


def _macro(tree: Tree, event: dict[str, Any]) -> Any:
    listed = evaluate(tree.operands[0], event)
    if listed is None or listed is ERROR:
        return listed
    values = [evaluate(tree.operands[1], {**event, tree.value: each}) for each in listed]
    match tree.operator:
        case "exists":
            return _junction(values, deciding=True)
        case "all":
            return _junction(values, deciding=False)
    for missing in (None, ERROR):
        if any(value is missing for value in values):
            return missing
    return values.count(True) == 1


def _junction(values: list[Any], deciding: bool) -> Any:
    for answer in (deciding, None, ERROR):
        if any(value is answer for value in values):
            return answer
    return not deciding


def _limited(type_: Type, value: Any) -> Any:
    if type_ in TIME_LIMITS and value is not ERROR:
        low, high = TIME_LIMITS[type_]
        return value if low <= value <= high else ERROR
    return value


def _strict(tree: Tree, values: list[Any]) -> Any:
    first, second = values[0], values[-1]
    match tree.operator:
        case "!":
            return not first
        case "negate":
            return -first
        case "+":
            return first + second
        case "-":
            return first - second
        case "*":
            return first * second
        case "/" if tree.type is Type.INT:
            return trunc(Fraction(first, second)) if second and (first, second) != (MIN, -1) else ERROR
        case "%":
            if not second or (first, second) == (MIN, -1):
                return ERROR
            return first - second * trunc(Fraction(first, second))
        case "/":
            return _ieee_quotient(first, second)
        case "in":
            return any(_ordered("==", first, each) for each in second)
        case "size":
            return len(first)
        case "contains":
            return first.find(second) >= 0
        case "startsWith":
            return first[: len(second)] == second
        case "endsWith":
            return first[len(first) - len(second) :] == second if len(second) <= len(first) else False
        case "matches":
            return re.search(tree.value, first) is not None
        case "int":
            return first // 1_000 if tree.operands[0].type is Type.TIMESTAMP else _int(first)
        case "timestamp":
            return first * 1_000
        case part if part in PARTS:
            if tree.operands[0].type is Type.DURATION:
                return _part_of_duration(part, first)
            return _part_of_timestamp(part, first, tree.value or "UTC")
        case "double":
            return float(first)
        case "string":
            return str(first).lower() if isinstance(first, bool) else str(first)
        case comparison:
            return _ordered(comparison, first, second)


def _part_of_duration(part: str, ms: int) -> int:
    if part == "getMilliseconds":
        return ms - 1_000 * trunc(Fraction(ms, 1_000))
    return trunc(Fraction(ms, {"getHours": 3_600_000, "getMinutes": 60_000, "getSeconds": 1_000}[part]))


FOUR_CENTURIES = timedelta(days=146_097)  # after which weekdays and leap years come again


def _part_of_timestamp(part: str, ms: int, zone: str) -> int:
    time, years = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=ms), 0
    if not 2 <= time.year <= 9_998:  # local time may be none of datetime's
        years = -400 if time.year == 1 else 400
        time -= FOUR_CENTURIES if years > 0 else -FOUR_CENTURIES
    if zone[-3] == ":":
        hours, minutes = zone.lstrip("+-").split(":")
        offset = timedelta(hours=int(hours), minutes=int(minutes))
        time += -offset if zone.startswith("-") else offset
    else:
        time = time.astimezone(ZoneInfo(zone))
    return {
        "getFullYear": time.year + years,
        "getMonth": time.month - 1,
        "getDate": time.day,
        "getDayOfMonth": time.day - 1,
        "getDayOfWeek": time.isoweekday() % 7,
        "getDayOfYear": time.timetuple().tm_yday - 1,
        "getHours": time.hour,
        "getMinutes": time.minute,
        "getSeconds": time.second,
        "getMilliseconds": time.microsecond // 1_000,
    }[part]


def _ieee_quotient(a: float, b: float) -> float:
    if b:
        return a / b
    return nan if a == 0 or isnan(a) else copysign(1.0, a) * copysign(1.0, b) * float("inf")


def _int(value: Any) -> Any:
    if isinstance(value, float):
        return trunc(value) if isfinite(value) and MIN < value < 2.0**63 else ERROR
    if isinstance(value, str):
        digits = value[1:] if value.startswith(("+", "-")) else value
        return int(value) if digits and all("0" <= each <= "9" for each in digits) else ERROR
    return value


def _ordered(comparison: str, a: Any, b: Any) -> Any:
    if any(isinstance(each, float) and isnan(each) for each in (a, b)):
        return comparison == "!="
    if not isinstance(a, str) and not any(isinstance(each, float) and isinf(each) for each in (a, b)):
        a, b = Fraction(a), Fraction(b)
    order = (a > b) - (a < b)
    return {
        "==": order == 0,
        "!=": order != 0,
        "<": order < 0,
        "<=": order <= 0,
        ">": order > 0,
        ">=": order >= 0,
    }[comparison]
