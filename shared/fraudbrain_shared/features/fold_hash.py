"""By what profiles are folded, as one hash: the same hash, the same rows from the same log."""

from hashlib import sha256

import msgspec

from fraudbrain_shared.features.profile import FORMAT
from fraudbrain_shared.scenario.description import Scenario
from fraudbrain_shared.scenario.profile_state import columns_of


def fold_hash(scenario: Scenario) -> str:
    """Changes with the subject, with what is folded or kept of a feature, and with the form of rows; not with what
    features are called."""
    kept = sorted((each.id, columns_of(each)) for each in scenario.profile.values())
    return f"folds-{sha256(msgspec.json.encode((FORMAT, scenario.subject, kept))).hexdigest()[:12]}"
