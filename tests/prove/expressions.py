"""What is proved of expressions alone."""

import sys
from importlib.metadata import version
from pathlib import Path

from tests.parity.expressions.cel_cpp import compare
from tests.unit.expressions.hostile_texts import attack


def expressions_agree_with_cel(folder: Path) -> dict[str, object]:
    """Compare 100,000 random expressions with Google's CEL in C++, on three events each."""
    comparison = compare(range(100_000))
    if comparison.disagreements:
        sys.exit("prove: expressions differ from CEL in C++:\n" + "\n".join(comparison.disagreements[:20]))
    return {"expressions": 100_000, "judge": f"cel-expr-python {version('cel-expr-python')}"} | comparison._asdict()


def hostile_expressions(folder: Path) -> dict[str, object]:
    """Check 10,000 hostile texts, and evaluate those that are admitted."""
    report: dict[str, object] = {"texts": 10_000}
    return report | attack(range(10_000))._asdict()
