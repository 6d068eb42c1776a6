"""Which version a rollback goes back to."""

from fraudbrain_deploy.models_command import live_version, version_before
from fraudbrain_deploy.registry import Version


def version(number: int, **changes: object) -> Version:
    plain: dict[str, object] = {"release": f"r{number}", "is_champion": False, "published_ms": 1_000 * number}
    return Version(number=number, **plain | changes)  # type: ignore[arg-type]


def back(*versions: Version) -> int | None:
    found = version_before(versions)
    return found.number if found else None


def test_a_rollback_goes_to_the_version_that_was_live_before() -> None:
    assert back(version(3, is_champion=True), version(2), version(1)) == 2


def test_what_was_never_live_or_was_refused_is_passed_over() -> None:
    unpublished, refused = version(3, published_ms=None), version(2, refused="it scores otherwise")
    assert back(version(4, is_champion=True), unpublished, refused, version(1)) == 1


def test_a_second_rollback_goes_further_back_and_not_forth() -> None:
    assert back(version(3), version(2, is_champion=True, published_ms=9_000), version(1)) == 1


def test_there_is_nothing_before_the_first_and_nothing_without_a_champion() -> None:
    assert back(version(2), version(1, is_champion=True)) is None
    assert back(version(2), version(1)) is None


def test_live_is_what_was_published_last() -> None:
    assert live_version([version(2), version(1, published_ms=9_000), version(3, published_ms=None)]) == version(
        1, published_ms=9_000
    )
    assert live_version([]) is None
