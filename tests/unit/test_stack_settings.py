from pathlib import Path

import msgspec
import pytest

from fraudbrain_deploy.stack import Ports, StackError, StackSettings, choose_settings, load_settings, port_block
from fraudbrain_deploy.stack.settings import default_data, save_settings


def test_a_port_block_is_consecutive_and_without_collisions() -> None:
    assert sorted(msgspec.structs.astuple(port_block(20_000))) == list(range(20_000, 20_008))


@pytest.mark.parametrize("base", [80, 65_530])
def test_a_port_block_stays_among_the_unprivileged_ports(base: int) -> None:
    with pytest.raises(StackError, match="between 1024 and 65528"):
        port_block(base)


def test_addresses_follow_the_ports() -> None:
    settings = StackSettings(data=Path("/nowhere"), ports=port_block(20_000))
    assert settings.kafka_bootstrap == "127.0.0.1:20000"
    assert settings.thrift_address == ("127.0.0.1", 20_005)
    assert settings.redis_url == "redis://127.0.0.1:20006/0"
    assert settings.mlflow_url == "http://127.0.0.1:20007"


def test_without_a_word_from_the_user_the_ports_are_the_usual_ones(tmp_path: Path) -> None:
    assert load_settings(tmp_path).ports == Ports()


def test_later_commands_find_the_ports_of_the_last_up(tmp_path: Path) -> None:
    save_settings(choose_settings(tmp_path, 20_000))
    assert load_settings(tmp_path) == choose_settings(tmp_path) == choose_settings(tmp_path, 20_000)


def test_stack_toml_overrides_single_ports_of_its_block_and_what_was_used_last(tmp_path: Path) -> None:
    save_settings(choose_settings(tmp_path, 20_000))
    (tmp_path / "stack.toml").write_text("port_base = 21000\n[ports]\nkafka = 9999\n")
    chosen = choose_settings(tmp_path).ports
    assert (chosen.kafka, chosen.mlflow) == (9999, 21_007)
    assert load_settings(tmp_path).ports == port_block(20_000)  # until the next up


@pytest.mark.parametrize(
    "text", ["port_base = 3", "port_bass = 20000", "[ports]\nkafak = 1", "[ports]\nkafka = '1'", "[ports"]
)
def test_a_wrong_stack_toml_is_named_with_what_it_may_hold(tmp_path: Path, text: str) -> None:
    (tmp_path / "stack.toml").write_text(text)
    with pytest.raises(StackError, match=r"stack\.toml: .*kafka_controller"):
        choose_settings(tmp_path)


def test_damaged_saved_settings_say_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "stack").mkdir()
    (tmp_path / "stack" / "settings.json").write_text("{")
    with pytest.raises(StackError, match="Delete the file"):
        load_settings(tmp_path)


def test_the_data_folder_is_named_by_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("FRAUDBRAIN_HOME", str(tmp_path))
    assert default_data() == tmp_path
    monkeypatch.delenv("FRAUDBRAIN_HOME")
    assert default_data() == Path.cwd() / ".fraudbrain"
