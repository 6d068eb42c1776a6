"""How events of a run are called, so that whoever reads an answer knows when its event was due."""

from typing import Final

RUN_LENGTH: Final = 8
ID_LENGTH: Final = 16


def run_name(run: int) -> str:
    """How the ids of a run begin."""
    return f"{run:08x}"


def event_id(run: int, number: int) -> str:
    """What event `number` of a run is called."""
    return f"{run_name(run)}{number:08x}"
