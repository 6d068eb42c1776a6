from textwrap import dedent

import pytest

from fraudbrain_shared.expressions import ExpressionErrors, Name, Type, check

SCOPE = {
    name.path: name
    for name in (
        Name("event.amount", Type.INT, "event.amount"),
        Name("event.country", Type.STRING, "event.country", may_be_unknown=True),
        Name("profile.spend_1d_mean", Type.DOUBLE, "profile[0]"),
    )
}

MESSAGES = [
    """
    event.amuont > 5
    ^^^^^^^^^^^^
    unknown name event.amuont
    hint: did you mean event.amount?
    """,
    """
    event.amount / profile.spend_1d_mean > 3.0
                 ^
    / does not take int and double
    hint: write double(event.amount)
    """,
    """
    event.country > 5
                  ^
    > does not take string and int
    hint: it takes bool and bool; int and int; double and double; string and string; timestamp and timestamp; \
duration and duration; int and double; double and int
    """,
    """
    event.amount && !event.country
    ^^^^^^^^^^^^
    this is of type int; bool is wanted here
    event.amount && !event.country
                    ^
    ! does not take string
    hint: it takes bool
    """,
    """
    event.amount > 5 and event.amount < 9
                     ^^^
    expected an operator or the end, found and
    hint: write &&
    """,
    """
    event.amount = 5
                 ^
    unexpected character '='
    hint: write == to compare
    """,
    """
    event.amount > 20_000
                   ^^^^^^
    20_000 is not a number
    hint: numbers have no underscores here: write 20000
    """,
    """
    event.amount > 5u
                   ^^
    5u is not a number
    hint: unsigned numbers are not supported: write 5
    """,
    """
    event.country.startswith('D')
                  ^^^^^^^^^^
    unknown method startswith
    hint: did you mean startsWith?
    """,
    """
    event.country.matches('(')
                          ^^^
    not a regular expression of RE2
    hint: missing ): (
    """,
    """
    event.country.matches(event.country)
                          ^^^^^^^^^^^^^
    matches needs a string literal here
    """,
    """
    duration('7d') > duration('1us')
             ^^^^
    not a duration
    hint: a duration looks like 1h30m, 1.5s or 250ms; the longest unit is h
    duration('7d') > duration('1us')
                              ^^^^^
    not a duration
    hint: a duration is kept in whole milliseconds
    """,
    """
    timestamp('2026-02-30T00:00:00Z')
              ^^^^^^^^^^^^^^^^^^^^^^
    not a timestamp
    hint: day is out of range for month
    """,
    """
    event.country in ['DE', 5] || event.amount in [event.amount] || event.amount in []
                            ^
    the list mixes string and int
    event.country in ['DE', 5] || event.amount in [event.amount] || event.amount in []
                                                   ^^^^^^^^^^^^
    a list holds constants only
    event.country in ['DE', 5] || event.amount in [event.amount] || event.amount in []
                                                                                    ^^
    the list is empty: nothing is in it
    """,
    """
    event.amount > 5 ? 1 : 2.0
                     ^
    ?: chooses between int and double; both must have one type
    hint: write double(1)
    """,
    """
    [1, 2].map(x, x + 1) == [2, 3]
           ^^^
    the macro map is not supported
    """,
    """
    event.tags[0] == null
              ^
    there is no access by index
    hint: use x in list, or size(list)
    """,
    """
    event.country == null
                     ^^^^
    null is a reserved word
    hint: a missing value is unknown: see has(), known() and or_else()
    """,
    """
    size(event.country, 1) > contains(event.country)
    ^^^^^^^^^^^^^^^^^^^^^^
    size takes 1 argument, not 2
    size(event.country, 1) > contains(event.country)
                             ^^^^^^^^
    contains is a method
    hint: write text.contains(...)
    """,
    """
    event.amount > 5 &&
                       ^
    expected a value, found the end
    """,
    r"""
    event.country == 'a\qb'
                       ^^
    \q is not an escape
    hint: write \\ for a backslash, or r'...' for a string without escapes
    """,
    """
    event.country == 'DE
                     ^^^
    this string has no end
    """,
    """
    event.country.size() + 1 == 5.0 && event.country().size == 1
                                       ^^^^^^^^^^^^^^^^^^^^
    a value has no fields; only names are dotted
    """,
]


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: message.strip().splitlines()[0])
def test_a_message_says_where_what_and_how(message: str) -> None:
    expected = dedent(message).strip("\n")
    with pytest.raises(ExpressionErrors) as caught:
        check(expected.splitlines()[0], SCOPE)
    assert str(caught.value) == expected


def test_a_wrong_type_of_the_whole_names_both_types() -> None:
    with pytest.raises(ExpressionErrors) as caught:
        check("event.amount", SCOPE, Type.BOOL)
    assert str(caught.value) == "event.amount\n^^^^^^^^^^^^\nthis is of type int; bool is wanted here"
    with pytest.raises(ExpressionErrors, match=r"write double\(event.amount\)"):
        check("event.amount", SCOPE, Type.DOUBLE)


def test_places_are_counted_in_code_points_and_shown_in_their_line() -> None:
    with pytest.raises(ExpressionErrors) as caught:
        check("event.country == '\U0001f600é'\n  && nme == 1", SCOPE)
    (problem,) = caught.value.problems
    assert (problem.offset, problem.length) == (27, 3)
    assert str(caught.value).splitlines()[:2] == ["  && nme == 1", "     ^^^"]
