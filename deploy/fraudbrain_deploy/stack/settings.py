"""Where a local stack keeps its data and on which ports of the loopback interface it listens."""

import os
import random
import socket
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from fraudbrain_deploy.stack.errors import StackError

HOST = "127.0.0.1"
"""The only address any part listens on."""


class Ports(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """The port of each listener; the defaults are those the programs are known by."""

    kafka: int = 9092
    kafka_controller: int = 9093
    zookeeper: int = 2181
    hbase_master: int = 16000
    hbase_region: int = 16020
    thrift: int = 9090
    redis: int = 6379
    mlflow: int = 5000


class _StackFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`stack.toml` in the data folder: a block, single ports that differ from it, or both."""

    port_base: int | None = None
    ports: dict[str, int] = {}


@dataclass(frozen=True, slots=True, kw_only=True)
class StackSettings:
    """One local stack. `data` is absolute and shared with the rest of the platform; the stack keeps to `stack/`."""

    data: Path
    ports: Ports = field(default_factory=Ports)

    @property
    def folder(self) -> Path:
        return self.data / "stack"

    @property
    def logs(self) -> Path:
        return self.folder / "logs"

    @property
    def kafka_bootstrap(self) -> str:
        return f"{HOST}:{self.ports.kafka}"

    @property
    def thrift_address(self) -> tuple[str, int]:
        return HOST, self.ports.thrift

    @property
    def redis_url(self) -> str:
        return f"redis://{HOST}:{self.ports.redis}/0"

    @property
    def mlflow_url(self) -> str:
        return f"http://{HOST}:{self.ports.mlflow}"


def port_block(base: int) -> Ports:
    """Consecutive ports from `base` on, in the order of the fields of `Ports`."""
    fields = Ports.__struct_fields__
    if not 1024 <= base <= 65536 - len(fields):
        raise StackError(f"A port block must start between 1024 and {65536 - len(fields)}, not at {base}.")
    return Ports(**{name: base + place for place, name in enumerate(fields)})


def port_is_free(port: int) -> bool:
    """Whether a server could listen on this port of the loopback interface now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a port in TIME_WAIT is free
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
        return True


def free_port_block() -> Ports:
    """A block of ports that are free now, for a stack beside others; below the range of outgoing connections."""
    for base in random.sample(range(15_000, 32_000, 10), 200):
        block = port_block(base)
        if all(map(port_is_free, msgspec.structs.astuple(block))):
            return block
    raise StackError("No block of free ports was found between 15000 and 32000.")


def default_data() -> Path:
    """The data folder when none is named: $FRAUDBRAIN_HOME, else `.fraudbrain` in the current folder."""
    return Path(os.environ.get("FRAUDBRAIN_HOME") or ".fraudbrain").absolute()


def load_settings(data: Path) -> StackSettings:
    """The settings the stack was last brought up with; before the first `up`, those it would choose."""
    saved = _saved_ports(data)
    return StackSettings(data=data.absolute(), ports=saved or _configured_ports(data) or Ports())


def choose_settings(data: Path, port_base: int | None = None) -> StackSettings:
    """The settings for the next `up`: the given block, else `stack.toml`, else as last time, else the defaults."""
    if port_base is not None:
        return StackSettings(data=data.absolute(), ports=port_block(port_base))
    ports = _configured_ports(data) or _saved_ports(data) or Ports()
    return StackSettings(data=data.absolute(), ports=ports)


def save_settings(settings: StackSettings) -> None:
    """Note the settings, so that later commands find the same ports."""
    settings.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    text = msgspec.json.format(msgspec.json.encode(settings.ports))
    temporary = settings.folder / ".settings.json"
    temporary.write_bytes(text)
    temporary.replace(_saved_path(settings.data))


def _saved_path(data: Path) -> Path:
    return data / "stack" / "settings.json"


def _saved_ports(data: Path) -> Ports | None:
    path = _saved_path(data)
    try:
        return msgspec.json.decode(path.read_bytes(), type=Ports)
    except FileNotFoundError:
        return None
    except msgspec.DecodeError as error:
        raise StackError(f"{path}: {error}. Delete the file; the next `fraudbrain stack up` writes it anew.") from error


def _configured_ports(data: Path) -> Ports | None:
    path = data / "stack.toml"
    try:
        wanted = msgspec.toml.decode(path.read_bytes(), type=_StackFile)
        block = Ports() if wanted.port_base is None else port_block(wanted.port_base)
        return msgspec.convert(msgspec.structs.asdict(block) | wanted.ports, Ports)
    except FileNotFoundError:
        return None
    except (msgspec.DecodeError, StackError) as error:
        known = ", ".join(Ports.__struct_fields__)
        raise StackError(f"{path}: {error} It may hold `port_base` and, under [ports], any of {known}.") from error
