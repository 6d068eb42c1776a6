"""Texts that an attacker would write, at random: each must be refused, or be evaluated within its cost."""

import time
from collections.abc import Callable, Iterable
from random import Random
from typing import Any, NamedTuple

from fraudbrain_shared.expressions import ExpressionErrors, Name, Range, Scope, Type, check, compile_function

# The longest values that the fields below may have: what is estimated is what can happen.
LONGEST = "ab" * 500
EVENT: dict[str, Any] = {
    "amount": 2**63 - 1,
    "country": LONGEST,
    "missing": None,
    "flag": True,
    "rate": 1e308,
    "time": 253_402_300_799_999,
    "length": 9_223_372_036_854,
    "tags": (LONGEST,) * 100,
    "counts": tuple(range(2**63 - 100, 2**63)),
}
SCOPE: Scope = {
    name.path: name
    for name in (
        Name("event.amount", Type.INT, "event['amount']"),
        Name("event.country", Type.STRING, "event['country']", max_length=1_000),
        Name("event.missing", Type.STRING, "event['missing']", may_be_unknown=True),
        Name("event.flag", Type.BOOL, "event['flag']"),
        Name("event.rate", Type.DOUBLE, "event['rate']"),
        Name("event.time", Type.TIMESTAMP, "event['time']"),
        Name("event.length", Type.DURATION, "event['length']"),
        Name("event.tags", Type.STRING_LIST, "event['tags']", max_length=1_000, max_items=100),
        Name("event.counts", Type.INT_LIST, "event['counts']", max_items=100, range=Range(0, 2**63 - 1)),
    )
}
SYMBOLS = (*".()[],?:!-+*/%<>{}=\\'\"\0\ud800", "&&", "||", "==", "!=", ">=", "in", "?", ":", " ")
WORDS = (
    *("event", "x", "true", "null", "__class__", "__import__", "lambda", "_t1", "_x0", "ERROR", "self", "{0}", "%s"),
    *("1", "0", "-1", "9223372036854775807", "9223372036854775808", "0x7fffffffffffffff", "1e308", "1.5", "9" * 30),
    *("'x'", "''", "'\\n'", "r'\\'", "b'x'", '"""', "١", "é", "еvent.amount", "\u202e", "\u2028", "\U0001f600", "1u"),
)
CALLS = (
    *("size(", "int(", "double(", "string(", "bool(", "has(", "known(", "or_else(", "timestamp(", "duration("),
    *("distance_km(", "matches(", "dyn(", "type(", "__import__(", ".size()", ".contains(", ".startsWith(", ".matches("),
    *(".exists(x, ", ".all(y, ", ".exists_one(x, ", ".map(x, ", ".getHours(", ".getFullYear('Europe/Berlin')"),
)
PIECES = (*SCOPE, *SYMBOLS, *WORDS, *CALLS)
NASTY_PATTERNS = (
    *("(a*)*b", "(a+)+$", "(a|a)*c", "(.*a.{12}|b)+c", "(x+x+)+y", ".*a.{60}", "((a{30}){30})b", "(?:a?){30}a{30}"),
    *("(a{1000}){1000}", "a{1001}", "(?=a)b", r"(a)\1", "[[:alpha:]]+$", "(?i)" + "ab" * 100, "(" * 100 + ")" * 100),
    *("\\pL+\\pN", "[^\\x00-\\x7f]*b$", "(?s).*.*.*.*.*c", "a**", "[z-a]", "\ud800"),
)


def hostile_text(random: Random) -> str:
    """One text, of a kind that is drawn as well."""
    return random.choice(_KINDS)(random)


def _soup(random: Random) -> str:
    return "".join(random.choices(PIECES, k=random.randint(1, 40)))


def _characters(random: Random) -> str:
    return "".join(chr(random.choice((random.randrange(128), random.randrange(0x11_0000)))) for _ in range(60))


def _deep(random: Random) -> str:
    depth = random.choice((10, 60, 64, 65, 500, 5_000))
    opening, inner, closing = random.choice(
        (
            ("(", "1", ")"),
            ("!", "true", ""),
            ("-(", "event.amount", ")"),
            ("int(", "1", ")"),
            ("[", "1", "]"),
            ("true ? (", "1", ") : 1"),
            ("event.flag && (", "event.flag", ")"),
            ("(event.amount + ", "1", ")"),
            ("event.tags.exists(x, ", "true", ")"),
            ("[1].all(x, ", "x > 0", ")"),
            ("or_else(", "event.missing", ", '')"),
        )
    )
    return opening * depth + inner + closing * (depth - random.choice((0, 0, 1)))


def _long(random: Random) -> str:
    piece = random.choice((" + 1", " && event.flag", " || !event.flag", " * event.amount", " + event.amount", ", 1"))
    start = random.choice(("1", "event.flag", "event.amount", "1 in [1", "size("))
    return start + piece * random.choice((20, 63, 64, 400, 1_000, 200_000))


def _large_literal(random: Random) -> str:
    size = random.choice((100, 4_000, 1_000_000))
    return random.choice(("'{}'", "{}", "0x{}", "1e{}", "r'{}'", "'''{}'''", "event.{}", "// {}")).format("9" * size)


def _overflowing(random: Random) -> str:
    numbers = ("9", "9223372036854775807", "-9223372036854775808", "event.amount", "0", "-1", "1e308", "event.rate")
    operators = ("**", "*", "+", "-", "/", "%", "<<", "^", "//")
    text = random.choice(numbers)
    for _ in range(random.randint(1, 30)):
        text = f"({text}{random.choice(operators)}{random.choice(numbers)})"
    return text


def _pattern(random: Random) -> str:
    pattern = random.choice(NASTY_PATTERNS)
    if random.random() < 0.5:
        pattern = "".join(random.choices(("a", "b", ".", "*", "+", "?", "(", ")", "|", "{20}", "[ab]", "^", "$"), k=20))
    text = random.choice(("event.country", "event.missing", "x"))
    body = f'{text}.matches(r"{pattern}")'
    return f"event.tags.exists(x, {body})" if text == "x" else body


def _nested_macros(random: Random) -> str:
    text = random.choice(
        ("x0 == x0", "true", "event.amount / 0 == 1", "event.missing == 'a'", "event.country.contains('ba')", "1")
    )
    for level in range(random.choice((1, 2, 3, 8, 9, 30))):
        listed = random.choice(("event.tags", "event.counts", "[1, 2]", "['a']", "[true]", "event.amount", "x1"))
        text = f"{listed}.{random.choice(('exists', 'all', 'exists_one', 'map'))}(x{level}, {text})"
    return text


def _growing(random: Random) -> str:
    text = random.choice(("event.country", "string(event.rate)", "string(event.time)", "'ab'"))
    for _ in range(random.randint(1, 9)):
        text = f"({text} + {text})"
    return f"{text}.{random.choice(('contains', 'startsWith', 'endsWith'))}({random.choice((text, 'event.country'))})"[
        : random.choice((4_000, 10_000))
    ]


def _of_times(random: Random) -> str:
    time = random.choice(("event.time", "timestamp(event.amount)", "timestamp('9999-12-31T23:59:59Z')", "event.length"))
    zone = random.choice(
        (
            "",
            "'UTC'",
            "'../../etc/passwd'",
            "'/etc/passwd'",
            "'Europe/Berlin\0'",
            "'+99:99'",
            "'-23:59'",
            "event.country",
        )
    )
    return f"({time} {random.choice('+-')} event.length).getFullYear({zone}) > 0"


def _python(random: Random) -> str:
    return random.choice(
        (
            "__import__('os').system('true')",
            "().__class__.__bases__[0].__subclasses__()",
            "event.amount.__add__(1)",
            "event['amount']",
            "[x for x in event]",
            "(lambda: 1)()",
            "'{0.__class__}'.format(event)",
            "f'{event}'",
            "event.flag if True else False",
            "true\nimport os",
            "exec('1')",
            "event.country.exists(__builtins__, true)",
            "event.tags.exists(_t1, _t1 == 'a')",
            "event.tags.exists(event, event == 'a')",
            "event.tags.exists(ERROR, ERROR == 'a')",
            "event.tags.all(true, true)",
        )
    )


_KINDS: tuple[Callable[[Random], str], ...] = (
    *(_soup, _soup, _characters, _deep, _long, _large_literal, _overflowing, _pattern, _nested_macros, _growing),
    *(_of_times, _python),
)


class Outcome(NamedTuple):
    """How many texts were refused and how many evaluated; the slowest of these, and the dearest by its estimate."""

    refused: int
    evaluated: int
    slowest_ns: int
    dearest_units: int


# What an evaluation takes beside its units, and how long a check may take: far more than they do; machines are busy.
CALL_NS = 100_000
MAX_NS_PER_UNIT = 200
MAX_CHECK_S = 2.0


def attack(seeds: Iterable[int]) -> Outcome:
    """Check a text for each seed, and evaluate it where it is admitted. AssertionError where one does harm."""
    refused, evaluated, slowest, dearest = 0, 0, 0, 0
    for seed in seeds:
        text = hostile_text(Random(seed))
        started = time.thread_time()
        try:
            expression = check(text, SCOPE)
        except ExpressionErrors as errors:
            assert str(errors), seed
            refused += 1
            continue
        finally:
            assert time.thread_time() - started < MAX_CHECK_S, seed
        compiled = compile_function("evaluate", ["event"], {"it": expression})
        took_ns = min(_taken_ns(compiled) for _ in range(3))
        evaluated += 1
        slowest, dearest = max(slowest, took_ns), max(dearest, expression.cost)
        assert took_ns < CALL_NS + expression.cost * MAX_NS_PER_UNIT, (seed, text[:200], expression.cost, took_ns)
    return Outcome(refused, evaluated, slowest, dearest)


def _taken_ns(compiled: Callable[..., object]) -> int:
    started = time.thread_time_ns()
    compiled(EVENT)
    return time.thread_time_ns() - started
