import pytest

from fraudbrain_shared.scenario.problems import Problem, ScenarioError, nearest


def test_a_problem_shows_place_cause_source_and_hint() -> None:
    problem = Problem("rules.toml", "unknown name abd", "did you mean abc?", 7, 9, 'when = "abd"', 3)
    assert str(problem) == ('rules.toml:7:9: unknown name abd\n  when = "abd"\n          ^~~\n  did you mean abc?')


def test_a_long_line_is_cut_around_the_place() -> None:
    lines = str(Problem("x.toml", "wrong", line=1, column=501, source="-" * 500 + "HERE" + "-" * 500, length=4)).split(
        "\n"
    )
    at = lines[2].index("^")
    assert lines[1][at : at + 4] == "HERE"
    assert max(map(len, lines)) < 120


def test_an_error_shows_all_its_problems() -> None:
    error = ScenarioError([Problem("a.toml", "one"), Problem("b.toml", "two", line=3)])
    assert str(error) == "a.toml: one\n\nb.toml:3: two"


@pytest.mark.parametrize(
    ("name", "known", "hint"),
    [
        ("cuont", ["count", "sum"], "did you mean count?"),
        ("x", ["b", "a"], "known: a, b"),
        ("x", [], ""),
        ("x", list("abcdefghij"), "known: a, b, c, d, e, f, g, h, …"),
    ],
)
def test_the_nearest_name_is_offered_or_else_all(name: str, known: list[str], hint: str) -> None:
    assert nearest(name, known) == hint
