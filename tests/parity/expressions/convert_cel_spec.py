"""Write `cel_spec_cases.json` anew: python -m tests.parity.expressions.convert_cel_spec PATH (a checkout of cel-spec).

A case in our subset keeps its expression, its variables and what must come out. Of each other one the first feature
that puts it outside is noted, by the looks of the case and never by what our own checker says of it. Its expression is
kept as well, but for whole files about such a feature, so that a test can say that it is refused.
"""

import json
import re
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from tests.parity.expressions.cel_spec_files import Message, SpecCase, messages, read_cases

CASES = Path(__file__).with_name("cel_spec_cases.json")

# Files about one thing that is no part of the subset, whatever single expressions look like.
FEATURE_OF_FILE = {
    "bindings_ext": "extension: cel.bind",
    "block_ext": "extension: cel.block",
    "encoders_ext": "extension: encoders",
    "enums": "enums",
    "macros2": "macros of two variables",
    "math_ext": "extension: math",
    "network_ext": "extension: network",
    "optionals": "optional values",
    "proto2": "messages",
    "proto2_ext": "extension: proto2",
    "proto3": "messages",
    "string_ext": "extension: strings",
    "wrappers": "wrappers",
}
FEATURE_OF_VALUE = {
    "uint64_value": "uint",
    "bytes_value": "bytes",
    "map_value": "maps",
    "null_value": "null",
    "type_value": "types as values",
    "enum_value": "enums",
    "object_value": "messages",
}
# Looked for in the expression's text, its string literals emptied, one after the other.
FEATURE_OF_TEXT = {
    "bytes": r'b""|\bbytes\(',
    "messages": r"\b[A-Z]\w*\s*\{|google\.protobuf|\bTestAllTypes\b",
    "maps": r"\{",
    "uint": r"\b\d+[uU]\b|\b0x[0-9a-fA-F]+[uU]\b|\buint\(",
    "null": r"\bnull\b",
    "dyn": r"\bdyn\(",
    "types as values": r"\btype\(|\b(?:int|bool|string|double|list)\b(?!\()",
    "macros map and filter": r"\.(?:map|filter)\(",
    "names with a leading dot or in backquotes": r"(?:^|[^\w)\]\"'.])\.[a-zA-Z_]|`",
    "access by index": r"(?:[)\]\"]|\b(?!in\b)\w+)\s*\[",
    "empty lists": r"\[\s*\]",
    "lists of lists": r"\[\s*\[",
    "lists compared or joined": r"\]\s*(?:==|!=|\+)|(?:==|!=|\+)\s*\[",
    "lists of computed elements or of mixed types": (
        r"\[[^\]]*(?:\w\(|[0-9]\s*[-+*/]|\b(?!true|false)[a-z]\w*\b)[^\]]*\]"
        r"|\[(?=[^\]]*[\"'])(?=[^\]]*(?:\b\d|\btrue|\bfalse))[^\]]*\]"
        r"|\[(?=[^\]]*\b\d+\.\d)(?=[^\]]*(?:[\s\[,]\d+\s*[,\]]|\btrue|\bfalse))[^\]]*\]"
    ),
}
_LITERAL = re.compile(
    r"(?P<prefix>\b[rRbB]{1,2})?(?:\"{3}.*?\"{3}|'{3}.*?'{3}|\"(?:[^\"\\]|\\.)*\"|'(?:[^'\\]|\\.)*')", re.DOTALL
)
_NANOSECONDS = re.compile(r"\.[0-9]{3}[0-9]*[1-9][0-9]*Z|[0-9]ns")
_SCALARS = {"bool_value": "bool", "int64_value": "int", "double_value": "double", "string_value": "string"}
_PRIMITIVES = {"BOOL": "bool", "INT64": "int", "DOUBLE": "double", "STRING": "string"}
_TIMES = {"google.protobuf.Timestamp": "timestamp", "google.protobuf.Duration": "duration"}


def feature_of(case: SpecCase) -> str | None:
    """The feature that puts a case outside of the subset; None if nothing does."""
    if feature := FEATURE_OF_FILE.get(case.name.split("/", maxsplit=1)[0]):
        return feature
    for value in _values(case):
        for kind, feature in FEATURE_OF_VALUE.items():
            if kind in value and not (kind == "object_value" and _time(value)):
                return feature
    if any(_declared_type(each) is None for each in messages(case.fields, "type_env")):
        return "variables of other types"
    text = _LITERAL.sub(lambda each: 'b""' if "b" in (each["prefix"] or "").lower() else '""', case.text("expr"))
    for feature, pattern in FEATURE_OF_TEXT.items():
        if re.search(pattern, text):
            return feature
    if "container" in case.fields:
        return "containers of names"
    if "value" not in case.fields and "typed_result" not in case.fields:
        return None
    if case.text("disable_check") == "true":
        return "expressions that pass no type check"
    return "nanoseconds" if _NANOSECONDS.search(case.text("expr")) else None


def _values(case: SpecCase) -> Iterator[Message]:
    """The values that a case gives to variables and wants as its result."""
    yield from messages(case.fields, "value")
    for result in messages(case.fields, "typed_result"):
        yield from messages(result, "result")
    for binding in messages(case.fields, "bindings"):
        for outer in messages(binding, "value"):
            yield from messages(outer, "value")


def _time(value: Message) -> tuple[str, int] | None:
    """The type and the milliseconds of a point or a length of time, rounded down."""
    for outer in messages(value, "object_value"):
        for url, type_ in _TIMES.items():
            for inner in messages(outer, f"[type.googleapis.com/{url}]"):
                seconds, nanos = (int(str(inner.get(each, ["0"])[0])) for each in ("seconds", "nanos"))
                return type_, seconds * 1_000 + nanos // 1_000_000
    return None


def _declared_type(declaration: Message) -> str | None:
    for ident in messages(declaration, "ident"):
        for type_ in messages(ident, "type"):
            if "primitive" in type_:
                return _PRIMITIVES.get(str(type_["primitive"][0]))
            if "message_type" in type_:
                return _TIMES.get(bytes(type_["message_type"][0]).decode())  # type: ignore[arg-type]
    return None


def plain(value: Message) -> dict[str, object]:
    """A value as it stands in the JSON: its type and itself."""
    if time := _time(value):
        return {time[0]: time[1]}
    for kind, type_ in _SCALARS.items():
        if kind in value:
            (scalar,) = value[kind]
            match type_:
                case "bool":
                    return {type_: scalar == "true"}
                case "int":
                    return {type_: int(str(scalar))}
                case "double":
                    return {type_: str(float(str(scalar)))}  # as text: JSON has no NaN and no infinity
                case _:
                    assert isinstance(scalar, bytes)
                    return {type_: scalar.decode()}
    for each in messages(value, "list_value"):
        elements = [plain(element) for element in messages(each, "values")]
        (type_,) = {type_ for element in elements for type_ in element}
        return {f"list of {type_}": [element[type_] for element in elements]}
    raise ValueError(value)


def converted(case: SpecCase) -> dict[str, object]:
    """A case in the subset. It has `value`, or it must end without one."""
    found: dict[str, object] = {"name": case.name, "expr": case.text("expr")}
    if declared := messages(case.fields, "type_env"):
        found["types"] = {bytes(each["name"][0]).decode(): _declared_type(each) for each in declared}  # type: ignore[arg-type]
    bindings = {
        bytes(each["key"][0]).decode(): plain(messages(outer, "value")[0])  # type: ignore[arg-type]
        for each in messages(case.fields, "bindings")
        for outer in messages(each, "value")
    }
    if bindings:
        found["bindings"] = bindings
    return found | _answer(case)


def _answer(case: SpecCase) -> dict[str, object]:
    """The value that must come out, under `value`; nothing if none must, or none that we could write down."""
    results = messages(case.fields, "value")
    results += [value for each in messages(case.fields, "typed_result") for value in messages(each, "result")]
    try:
        return {"value": plain(results[0])} if results else {}
    except ValueError:
        return {}


def main(checkout: str) -> None:
    """Convert all cases of a checkout."""
    cases = list(read_cases(Path(checkout)))
    inside, outside = [], []
    unsupported: Counter[str] = Counter()
    for case in cases:
        feature = feature_of(case)
        if feature is None:
            inside.append(converted(case))
            continue
        unsupported[feature] += 1
        if case.name.split("/", maxsplit=1)[0] not in FEATURE_OF_FILE:
            outside.append({"name": case.name, "feature": feature, "expr": case.text("expr")} | _answer(case))
    lines = [
        '{"source": "https://github.com/google/cel-spec, tests/simple/testdata, Apache License 2.0",',
        f'"unsupported": {json.dumps(dict(sorted(unsupported.items())))},',
        '"inside": [',
        ",\n".join(json.dumps(each) for each in inside),
        '], "outside": [',
        ",\n".join(json.dumps(each) for each in outside),
        "]}",
    ]
    CASES.write_text("\n".join(lines) + "\n")
    print(f"{len(inside)} cases inside of the subset, {unsupported.total()} outside")


if __name__ == "__main__":
    main(*sys.argv[1:])
