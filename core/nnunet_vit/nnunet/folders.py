"""nnU-Net's three folders and its worker counts, which it reads from environment variables."""

import contextlib
import os
import re
import shutil
from collections.abc import Callable, Collection, Iterator, MutableMapping
from pathlib import Path

from nnunet_vit.config.models import PathsConfig
from nnunet_vit.errors import ConfigError, MachineError
from nnunet_vit.files.locks import Lock, LockedError, lock, waited_for, whoami
from nnunet_vit.files.processors import usable_processors

LOCK = "run.lock"
QUOTES = "\"'\u201c\u201d\u2018\u2019"  # straight and curly
VARIABLES = {
    "raw": "nnUNet_raw",
    "preprocessed": "nnUNet_preprocessed",
    "results": "nnUNet_results",
}
WORKERS = {"nnUNet_def_n_proc": 8, "nnUNet_n_proc_DA": 12}  # and at most
CHOSEN = "NNUNET_VIT_CHOSEN"  # a variable: the counts that nobody has set, for commands as well


def use_folders(paths: PathsConfig, needed: Collection[str] = tuple(VARIABLES)) -> None:
    """Point nnU-Net at the run's folders, or at those of the environment variables.

    Args:
        paths: of the run file.
        needed: which of the three must be known.

    Raises:
        ConfigError: neither names a folder, or a name has quotes or a ~; lists all of them.
        MachineError: a folder's path is taken by a file.
    """
    missing, odd = [], []
    for key, variable in VARIABLES.items():
        folder = getattr(paths, key) or os.environ.get(variable)
        if not folder:
            missing += [f"{variable} (or paths.{key})"] if key in needed else []
            continue
        odd += [f"{variable} is {folder!r}: {part}" for part in _not_meant(str(folder))]
        if odd:
            continue
        if Path(folder).exists() and not Path(folder).is_dir():
            raise MachineError(f"{variable}: {folder} is a file, a folder is needed.")
        os.environ[variable] = str(folder)
    if missing:
        raise ConfigError(
            f"nnU-Net's folders are not known: {', '.join(missing)}.",
            fix="write paths: {raw: …, preprocessed: …, results: …} in the run file or set the "
            "environment variables.",
        )
    if odd:
        raise ConfigError(
            "; ".join(odd) + ".",
            fix="write the plain path, from the root, without quotes around it.",
        )


def _not_meant(folder: str) -> Iterator[str]:
    """Yield what makes a path another folder than was meant: what a shell would have taken away."""
    parts = Path(folder).parts
    if any(part[0] in QUOTES for part in parts) or folder[-1] in QUOTES:
        yield "the quotes would be part of its name"
    elif folder != folder.strip():
        yield "the space at its edge would be part of its name"
    elif "~" in folder[:1]:
        yield "only a shell knows what ~ is"
    elif re.search(r"\$\w|\$\{|%[A-Z_]+%", folder):
        yield "a variable in it was not replaced"


def folder(key: str) -> Path:
    """Return nnU-Net's folder `raw`, `preprocessed` or `results`."""
    return Path(os.environ[VARIABLES[key]])


def use_processors() -> None:
    """Let nnU-Net start no more workers than there are processors for them; set values win."""
    for variable in WORKERS:
        if variable not in os.environ:
            choose_workers(os.environ, variable, usual_workers(variable))


def choose_workers(variables: MutableMapping[str, str], variable: str, count: int) -> None:
    """Set a count among variables of an environment, and note that it is nobody's own."""
    variables[variable] = str(count)
    noted = variables.get(CHOSEN, "").split()
    others = [each for each in noted if not each.startswith(f"{variable}=")]
    variables[CHOSEN] = " ".join([*others, f"{variable}={count}"])


def is_chosen(variable: str) -> bool:
    """Tell whether nobody has set a count: then it may be changed."""
    noted = f"{variable}={os.environ.get(variable)}"
    return variable not in os.environ or noted in os.environ.get(CHOSEN, "").split()


def usual_workers(variable: str) -> int:
    """Return how many processes a variable of nnU-Net stands for where nobody has set it."""
    return min(WORKERS[variable], usable_processors())


@contextlib.contextmanager
def alone_in(folder: Path, log: Callable[[str], None]) -> Iterator[None]:
    """Wait until no other process of this machine is inside for that folder, then go in.

    Five folds are often started at once, and nnU-Net's preprocessing deletes what it finds.

    Args:
        folder: of a dataset's preprocessed data.
        log: shows a line if there is another process to wait for.
    """
    line = f"Another process prepares {folder.name}: waiting until it is done …"
    with waited_for(folder / ".preparing", lambda: log(line)):
        yield


def claim(folder: Path) -> Lock:
    """Hold a fold's folder for this process: two trainings in one would overwrite each other.

    Workers do not inherit it.

    Raises:
        MachineError: another process of this machine holds it, or the folder cannot be written.
    """
    try:
        held = lock(folder / LOCK)
    except LockedError as error:
        raise MachineError(
            f"{folder} is being trained in by process {error or 'unknown'}.",
            fix="wait for it, stop it, or change the run file.",
        ) from error
    held.write(whoami())
    return held


def empty(folder: Path) -> None:
    """Delete what is in a claimed folder."""
    for path in folder.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        elif path.name != LOCK:
            path.unlink()


@contextlib.contextmanager
def environment(name: str, value: str) -> Iterator[None]:
    """Set an environment variable for a while."""
    before = os.environ.get(name)
    os.environ[name] = value
    try:
        yield
    finally:
        if before is None:
            del os.environ[name]
        else:
            os.environ[name] = before
