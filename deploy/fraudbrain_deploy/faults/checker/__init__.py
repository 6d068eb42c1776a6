"""The judge of a campaign. It shares no code with the engine: an import contract says so.

All of it is slow and plain on purpose: own admission, own fold, own rules, own reading of rows, from what the
documentation promises. It knows one scenario, the one in `faults/scenario`.
"""

from fraudbrain_deploy.faults.checker.controls import Controls
from fraudbrain_deploy.faults.checker.evidence import Partition, Record, Row, Sent
from fraudbrain_deploy.faults.checker.findings import INVARIANTS, Findings
from fraudbrain_deploy.faults.checker.judge import Judgement, judge
from fraudbrain_deploy.faults.checker.rejections import Bad
from fraudbrain_deploy.faults.checker.timing import Repeat, Timing

__all__ = [
    "INVARIANTS",
    "Bad",
    "Controls",
    "Findings",
    "Judgement",
    "Partition",
    "Record",
    "Repeat",
    "Row",
    "Sent",
    "Timing",
    "judge",
]
