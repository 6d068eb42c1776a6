from argparse import Namespace
from pathlib import Path

import pytest

from fraudbrain_deploy.deployment import checked_space, open_deployment
from fraudbrain_deploy.errors import UserError


def opened(data: Path, space: str | None = None) -> Namespace:
    return Namespace(scenario="cards", space=space, data=data)


def test_a_space_is_called_like_its_scenario_unless_told_otherwise(tmp_path: Path) -> None:
    assert open_deployment(opened(tmp_path)).names.space == "cards"
    assert open_deployment(opened(tmp_path, "cards-2")).names.space == "cards-2"
    assert open_deployment(opened(tmp_path, "cards-2"), space="third").names.space == "third"


def test_spaces_share_no_folder(tmp_path: Path) -> None:
    one, two = open_deployment(opened(tmp_path)), open_deployment(opened(tmp_path, "two"))
    for folder in ("lake", "checkpoints", "tier_logs"):
        assert getattr(one, folder) != getattr(two, folder)
        assert getattr(one, folder).is_relative_to(tmp_path)


@pytest.mark.parametrize("space", ["", "Cards", "a.b", "-a", "a b", "../x", "x" * 64])
def test_a_name_that_topics_tables_or_folders_cannot_have_is_refused(space: str) -> None:
    with pytest.raises(UserError, match="lower-case letters"):
        checked_space(space)
