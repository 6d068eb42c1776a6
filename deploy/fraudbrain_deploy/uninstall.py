"""`fraudbrain uninstall`: remove what the platform has put on this machine outside of its Python environment."""

import argparse
import shutil
from collections.abc import Iterator
from pathlib import Path

from fraudbrain_deploy.stack import down, jars, load_settings
from fraudbrain_deploy.stack.errors import StackError

_DEFAULT_NAME = ".fraudbrain"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the options of `fraudbrain uninstall`."""
    parser.add_argument("--yes", action="store_true", help="do not ask")


def run(arguments: argparse.Namespace) -> int:
    """Name the folders with their sizes, ask, stop the stack, remove them."""
    folders = list(removable(arguments.data))
    if not folders:
        print("Nothing to remove.")
        return 0
    for folder in folders:
        print(f"{size_bytes(folder) / 1e6:8.0f} MB  {folder}")
    if not (arguments.yes or _confirmed()):
        print("Nothing was removed.")
        return 1
    _remove(arguments.data, folders)
    print("Removed. The Python environment is yours to delete; its packages keep nothing elsewhere.")
    return 0


def removable(data: Path) -> Iterator[Path]:
    """The cache and the data folder, as far as they exist. StackError if the data folder is not one of ours."""
    if jars.cache_folder().parent.is_dir():
        yield jars.cache_folder().parent
    if data.is_dir():
        _refuse_foreign(data)
        yield data


def size_bytes(folder: Path) -> int:
    """What the files of a folder hold together; links are not followed."""
    return sum(path.lstat().st_size for path in folder.rglob("*") if not path.is_dir())


def _refuse_foreign(data: Path) -> None:
    """Somebody may have named a folder that holds more than ours."""
    is_ours = data.name == _DEFAULT_NAME or (data / "stack" / "settings.json").is_file()
    if not is_ours or data == Path.home() or data in (Path.cwd(), *Path.cwd().parents):
        raise StackError(f"{data} does not look like a data folder of fraudbrain. Remove it by hand if it is one.")


def _confirmed() -> bool:
    try:
        return input("Remove these folders and all that is in them? [y/N] ").strip().lower() in {"y", "yes"}
    except EOFError:
        return False


def _remove(data: Path, folders: list[Path]) -> None:
    down(load_settings(data))
    for folder in folders:
        try:
            shutil.rmtree(folder)
        except OSError as error:
            raise StackError(f"{folder} could not be removed: {error}. Remove the rest by hand.") from error
