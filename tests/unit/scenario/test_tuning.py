import pytest

from fraudbrain_shared.scenario.description import BudgetTuner, RateTuner, SurgeTuner, Tuning
from tests.unit.scenario.closing import CLOSING, closing_with
from tests.unit.scenario.small import parse, problems_of

MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000


def test_tuning_keys_become_a_tuning() -> None:
    parameters = parse(CLOSING).parameters
    assert parameters["limit"].tuning is None
    assert parameters["terminal_limit"].tuning == Tuning(
        RateTuner(28 * DAY, 5, 0.01, 20.0), DAY, DAY, 7 * DAY, max_step=0.5
    )
    assert parameters["surge_factor"].tuning == Tuning(
        SurgeTuner("payment", HOUR, 7 * DAY, 1e-6, 5, 0.5), MINUTE, MINUTE, 2 * HOUR, max_step_abs=1.5
    )
    assert parameters["review_score"].scale == "score"
    assert parameters["review_score"].tuning == Tuning(
        BudgetTuner(0.1, 2 * HOUR, 10), HOUR, 2 * HOUR, DAY, max_step=0.25
    )


def test_a_budget_needs_ten_reviewed_events_unless_it_says_otherwise() -> None:
    budget = parse(closing_with("parameters.toml", ", min_count = 10 }", " }")).parameters["review_score"].tuning
    assert budget is not None
    assert budget.tuner.min_count == 100


def test_a_surge_may_count_some_events_only() -> None:
    where = parse(closing_with("parameters.toml", "factor = 0.5", 'factor = 0.5\nwhere = "event.amount > 5"'))
    tuning = where.parameters["surge_factor"].tuning
    assert tuning is not None
    assert isinstance(tuning.tuner, SurgeTuner)
    assert tuning.tuner.where is not None


CASES = [
    ('kind = "rate"', 'kind = "rat"', "unknown kind of tuner rat", "did you mean rate?"),
    ('of = "label"', 'of = "lable"', "unknown source lable", "did you mean label?"),
    ('on = "payment"', 'on = "paymnt"', "unknown event type paymnt", "did you mean payment?"),
    ('on = "payment"', 'on = "login"', "login has no field terminal_id, by which the parameter is kept", ""),
    ("target = 0.01", "target = 1", "target is a share: between 0 and 1", ""),
    ("target = 0.01", "trget = 0.01", "unknown key trget", "did you mean target?"),
    ("probability = 1e-6", "probability = 0.0", "probability is a share: between 0 and 1", ""),
    ("min_count = 5, target", "min_count = 0, target", "min_count is at least 1", ""),
    ("factor = 0.5", "factor = -1", "factor must be more than 0", ""),
    (
        "factor = 0.5",
        'factor = 0.5\nwhere = "param.limit > 5"',
        "param.limit cannot be read here",
        "a tuner reads the event it counts",
    ),
    ('baseline = "7d"', 'baseline = "90m"', "the baseline is no multiple of the window 1h", ""),
    ('baseline = "7d"', 'baseline = "90d"', "the baseline has more than 1024 windows", "a longer window"),
    (
        'every = "1m"',
        'every = "7m"',
        "window 1h is no multiple of 7m, the time between ticks",
        "say how often it is evaluated: every = …",
    ),
    ('every = "1m"', 'every = "1s"', "window 1h has more than 1024 ticks of 1s", "a longer every"),
    ('expires = "2h"', 'expires = "1s"', "it expires before the next tick, which comes every 1m", ""),
    ('expires = "2h"', "", "expires is missing", ""),
    (
        "max_step = 0.5",
        "",
        "either max_step or max_step_abs is needed",
        "max_step = 0.25 is a quarter of the present value",
    ),
    ("max_step = 0.5", "max_step = 0", "max_step must be more than 0", ""),
    (
        "low = 500\n",
        "low = -5\n",
        "no share of 0 leads away from it, and the range holds 0",
        "say how far it may move at once: max_step_abs",
    ),
    ('scale = "score"', "", "a budget moves thresholds on the score", 'add scale = "score"'),
    ('scale = "score"', 'scale = "scroe"', "unknown scale scroe", "did you mean score?"),
    ("low = 10\n", 'low = 10\nscale = "score"\n', "a score is a double, so its threshold is one", 'type = "double"'),
    ("low = 10\n", "low = 10\nmax_step = 1\n", "max_step is for parameters that move; this one has no tuner", ""),
    ("max_step = 0.5", "max_stp = 0.5", "unknown key max_stp", "did you mean max_step?"),
]


@pytest.mark.parametrize(("old", "new", "cause", "hint"), CASES)
def test_a_mistake_is_a_problem_with_what_to_do(old: str, new: str, cause: str, hint: str) -> None:
    problems = problems_of(closing_with("parameters.toml", old, new))
    assert (cause, hint) in [(each.cause, each.hint) for each in problems]
    assert {each.file for each in problems} == {"parameters.toml"}
