"""What a failed command says, in one or two lines, and the exit code that tells its kind."""

import errno
import shlex
import sys
from pathlib import Path

from nnunet_vit.errors import Stopped, UserError
from nnunet_vit.report import stopping

ENVIRONMENT = 6
BROKEN_PIPE = 1  # as typer has it
FULL = (errno.ENOSPC, errno.EDQUOT)
OTHER_PLACE = "allow this user to use it, or choose another place."
REFUSED = (errno.EACCES, errno.EPERM, errno.EROFS)


def described(error: BaseException, words: list[str]) -> tuple[str, int]:
    """Return the text and the exit code of an error; words: the command's, without its name."""
    if isinstance(error, UserError):
        return f"error[{error.kind}]: {error}", error.exit_code
    if isinstance(error, Stopped):
        return _stopped(error, words), stopping.exit_code()
    if isinstance(error, KeyboardInterrupt):
        return "Stopped.", stopping.exit_code()
    if isinstance(error, BrokenPipeError):
        return "", BROKEN_PIPE
    if isinstance(error, MemoryError):
        return f"error[environment]: {_memory(error)}", ENVIRONMENT
    if type(error).__name__ == "OutOfMemoryError":  # torch's, without importing torch
        fix = "Fix: a smaller train.batch_size or train.patch_size, or a smaller backbone."
        return f"error[environment]: The device is out of memory. {fix}", ENVIRONMENT
    if isinstance(error, OSError):
        return f"error[environment]: {machine_problem(error)}", ENVIRONMENT
    return _bug(error), 1


def machine_problem(error: OSError) -> str:
    """Return what the system refused, with the path where it is known."""
    if error.errno in FULL:
        where = error.filename or "standard output or a file"
        return f"{where}: the disk is full. Fix: free some space, then run the same command again."
    if not error.strerror:
        return str(error)
    where = "" if error.filename is None else f"{error.filename}: "
    fix = f" Fix: {OTHER_PLACE}" if error.errno in REFUSED else ""
    return f"{where}{error.strerror}.{fix}"


def _memory(error: MemoryError) -> str:
    detail = f": {' '.join(str(error).split())}" if str(error) else ""  # numpy's says how much
    return (
        f"The machine is out of memory{detail}. Fix: smaller images, fewer workers "
        "(nnUNet_def_n_proc, nnUNet_n_proc_DA), or a machine with more memory."
    )


# options of a start, which a resumed training refuses
DONE_ONCE = {"--overwrite", "--preprocess-again", "--update-data"}


def _stopped(error: Stopped, words: list[str]) -> str:
    if not error.resumes:
        return f"Stopped. {error.saved}"
    given = [word for word in words if word not in DONE_ONCE]
    resumed = given if {"--continue", "--c"} & set(given) else [*given, "--continue"]
    return f"Stopped. {error.saved} Resume with: {shlex.join([*program(), *resumed])}"


def program() -> list[str]:
    """Return how this command was called: an installed script, a file of a clone, or a module."""
    called = Path(sys.argv[0]) if sys.argv else Path()
    if called.parts[-2:] == ("nnunet_vit", "__main__.py"):
        return ["python", "-m", "nnunet_vit"]
    if called.name == "vit_cli.py":
        return ["python", str(called)]
    return ["vit_cli"]


def _bug(error: BaseException) -> str:
    detail = str(error).strip().splitlines()
    log = f" {error.log}" if getattr(error, "log", "") else ""  # type: ignore[attr-defined]
    return (
        f"error[bug]: {type(error).__name__}: {detail[0] if detail else 'no message'}. "
        f"Fix: please report it with the output of the same command and --debug.{log}"
    )
