import tomllib
from collections.abc import Iterator

import pytest
from hypothesis import given, settings, strategies as st

from fraudbrain_shared.scenario.problems import ScenarioError
from fraudbrain_shared.scenario.toml import Path, TomlFile

EVERYTHING = '''\
# a comment with a = "trap" and [brackets]
top = 1
"quoted key" = 'its # no comment'
dotted . key = true
[table]   # comment ]
text = "with \\"escapes\\" and ] } #"
long = """
first
second"""
list = [ 1, # one
  [2, 3],
  "four", { five = 5 } , ]
inline = { a = 1979-05-27 07:32:00, b.c = { d = "deep" } }
[[array]]
name = "zero"
[array.sub]
x = 1.5e3
[[array]]
name = "one"
  [[array.inner]]
  y = 2
  [[array.inner]]
  y = 3
[ table . "a.b" ]
z = \'\'\'
'single'\'\'\'
'''


@pytest.mark.parametrize(
    ("path", "line", "column"),
    [
        (("top",), 2, 7),
        (("quoted key",), 3, 16),
        (("dotted", "key"), 4, 16),
        (("table", "text"), 6, 8),
        (("table", "long"), 7, 8),
        (("table", "list", 0), 10, 10),
        (("table", "list", 1, 1), 11, 7),
        (("table", "list", 3, "five"), 12, 20),
        (("table", "inline", "a"), 13, 16),
        (("table", "inline", "b", "c", "d"), 13, 49),
        (("array", 0, "name"), 15, 8),
        (("array", 0, "sub", "x"), 17, 5),
        (("array", 1, "name"), 19, 8),
        (("array", 1, "inner", 1, "y"), 23, 7),
        (("table", "a.b", "z"), 25, 5),
        (("array", 1), 18, 1),
        (("table", "missing"), 5, 1),
        (("array", 1, "missing", "deeper"), 18, 1),
    ],
)
def test_each_value_is_found_or_else_its_table(path: Path, line: int, column: int) -> None:
    problem = TomlFile("x.toml", EVERYTHING.encode()).problem(path, "wrong")
    assert (problem.line, problem.column) == (line, column)


def test_a_key_has_its_own_place() -> None:
    problem = TomlFile("x.toml", EVERYTHING.encode()).problem(("dotted", "key"), "wrong", at_key=True)
    assert (problem.line, problem.column, problem.length) == (4, 1, 12)


@pytest.mark.parametrize(
    ("written", "offset", "line", "column"),
    [
        ('"abc"', 2, 1, 8),
        ("'abc'", 0, 1, 6),
        (r'"a\"b\u00e9c"', 4, 1, 16),
        ('"""abc"""', 1, 1, 9),
        ('"""\nabc\ndef"""', 5, 3, 2),
        ('"""\nabc \\\n   def"""', 4, 3, 4),
        ("'''\r\nabc\r\ndef'''", 4, 3, 1),
    ],
)
def test_a_place_inside_a_text_is_found_in_the_file(written: str, offset: int, line: int, column: int) -> None:
    file = TomlFile("x.toml", f"t = {written}\n".encode())
    problem = file.problem_inside(("t",), offset, 1, "wrong")
    assert (problem.line, problem.column) == (line, column)


@pytest.mark.parametrize(
    ("text", "line", "cause"),
    [
        ("a = 1\nb = \n", 2, "not valid TOML: Invalid value"),
        ("[a]\nx = 1\nx = 2\n", 3, "not valid TOML: Cannot overwrite a value"),
        ("[a]\nb = 1\n[a]\n", 3, "not valid TOML: Cannot declare ('a',) twice"),
        ('a = "open', 1, "not valid TOML: Unterminated string at the end of the file"),
    ],
)
def test_what_is_not_toml_has_a_place(text: str, line: int, cause: str) -> None:
    with pytest.raises(ScenarioError) as raised:
        TomlFile("x.toml", text.encode())
    (problem,) = raised.value.problems
    assert (problem.file, problem.line, problem.cause) == ("x.toml", line, cause)


def test_what_is_not_utf8_has_a_line() -> None:
    with pytest.raises(ScenarioError, match=r"x\.toml:2: not valid UTF-8"):
        TomlFile("x.toml", b"a = 1\nb = '\xff'\n")


KEYS = st.text("ab-\"'. é", min_size=0, max_size=4)
SCALARS = st.one_of(
    st.integers(-5, 5), st.booleans(), st.floats(allow_nan=False), st.text("ab\"'\\#]}=,\n é", max_size=8)
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(KEYS, inner, max_size=3)),
    max_leaves=8,
)


@settings(max_examples=50)
@given(st.dictionaries(KEYS, VALUES, max_size=4))
def test_the_text_at_each_place_spells_the_value(values: dict[str, object]) -> None:
    text = "".join(f"{_quoted(key)} = {_spelled(value)}\n" for key, value in values.items())
    file = TomlFile("x.toml", text.encode())
    for path, value in _leaves((), values):
        problem = file.problem(path, "")
        spelled = problem.source[problem.column - 1 : problem.column - 1 + problem.length]
        assert tomllib.loads(f"v = {spelled}")["v"] == value


def _leaves(path: Path, value: object) -> Iterator[tuple[Path, object]]:
    match value:
        case dict():
            for key, each in value.items():
                yield from _leaves((*path, key), each)
        case list():
            for index, each in enumerate(value):
                yield from _leaves((*path, index), each)
        case _:
            yield path, value


def _spelled(value: object) -> str:
    match value:
        case dict():
            return f"{{ {', '.join(f'{_quoted(key)} = {_spelled(each)}' for key, each in value.items())} }}"
        case list():
            return f"[{', '.join(map(_spelled, value))}]"
        case bool():
            return str(value).lower()
        case str():
            return _quoted(value)
        case _:
            return repr(value)


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
