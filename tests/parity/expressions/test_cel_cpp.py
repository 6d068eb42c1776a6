import os
from random import Random

import pytest

pytest.importorskip("cel_expr_python", reason="Google's CEL in C++ has no wheel for this machine")
from tests.parity.expressions.cel_cpp import compare

EXAMPLES = int(os.environ.get("EXPRESSION_EXAMPLES", "2000"))


def test_expressions_agree_with_cel() -> None:
    comparison = compare(range(EXAMPLES))
    assert not comparison.disagreements
    assert comparison.passed_over < comparison.compared / 200
    assert comparison.with_value > comparison.compared / 3


def test_fresh_expressions_agree_with_cel() -> None:
    start = Random().randrange(2**32)
    print(f"seeds from {start}")  # shown if it fails
    assert not compare(range(start, start + EXAMPLES // 4)).disagreements
