"""The one place where nnU-Net's exceptions and prints become an error or a warning of ours."""

import contextlib
import re
import time
import traceback
from collections.abc import Callable, Iterator

from nnunet_vit.errors import DataError, MachineError, Stopped, UserError
from nnunet_vit.nnunet import printed
from nnunet_vit.report import failure, stopping
from nnunet_vit.report.progress import Progress
from nnunet_vit.report.streams import Log, diverted

# packages whose exceptions on a user's data are nnU-Net's; ours raise what is meant for people
NNUNET = ("nnunetv2", "batchgenerators", "batchgeneratorsv2", "acvl_utils")
OURS = "nnunet_vit"  # and the heads', nnunet_vit_…
SENTENCES = ("AssertionError", "RuntimeError", "ValueError", "Exception")  # the text says it all
DEAD_WORKERS = (
    "6 feet under",
    "workers died",
    "worker died",
    "no longer alive",
)
MEMORY = ("MemoryError", "_ArrayMemoryError")
FEWER = (
    "fewer workers (nnUNet_def_n_proc=1, nnUNet_n_proc_DA=1), smaller images, or a machine with "
    "more memory."
)
PATIENCE = 10  # tenths of a second for a dying worker's last words
LONGEST = 300  # characters of a message that is not ours


@contextlib.contextmanager
def captured(lead: str, progress: Progress) -> Iterator[None]:
    """Turn what nnU-Net raises and prints inside into one error, or into warnings shown once.

    Exceptions of our own code stay what they are.

    Args:
        lead: the error's first words: what nnU-Net cannot do.
        progress: where to show the warnings.

    Raises:
        DataError: with the files, where nnU-Net printed which, and the log of everything else.
        MachineError: memory or disk ran out, or a worker was killed.
    """
    with diverted() as log:
        start = log.position()
        try:
            yield
        except (UserError, Stopped):
            raise
        except Exception as error:
            if stopping.was_asked():  # the signal has ended a worker first
                raise KeyboardInterrupt from error
            if not _from_nnunet(error) and not isinstance(error, MemoryError):
                raise
            failed = _translated(error, lead, lambda: log.since(start))
            log.note(error)
            raise type(failed)(*_with_log(failed, log)) from error
        for warning in printed.warnings(log.since(start)):
            progress.warn(warning)


def _from_nnunet(error: BaseException) -> bool:
    """Tell whether the innermost frame that is nnU-Net's or ours is nnU-Net's."""
    for name in reversed(_modules(error)):
        package = name.partition(".")[0]
        if package in NNUNET:
            return True
        if package.startswith(OURS):
            return False
    return False


def _modules(error: BaseException) -> list[str]:
    frames = traceback.walk_tb(error.__traceback__)
    return [str(frame.f_globals.get("__name__")) for frame, _ in frames]


def _translated(error: Exception, lead: str, said: Callable[[], str]) -> UserError:
    found = printed.findings(said())
    if found:
        problems = "; ".join(map(str, found))
        fix = " ".join(dict.fromkeys(finding.fix for finding in found))
        return DataError(f"{lead}: {problems}.", fix=fix)
    name, reason = type(error).__name__, str(error)
    if any(words in reason for words in DEAD_WORKERS):
        cause = _last_words(said)
        if cause is None:
            return MachineError(
                f"{lead}: a worker process was killed, most likely because the memory ran out.",
                fix=FEWER,
            )
        name, reason = cause
    return _by_type(error, name, " ".join(reason.split())[:LONGEST].rstrip(". "), lead=lead)


def _last_words(said: Callable[[], str]) -> tuple[str, str] | None:
    """Return the exception that ended a worker; it may still be printing it."""
    for _ in range(PATIENCE):
        found = printed.last_exception(said(), apart_from=DEAD_WORKERS)
        if found is not None:
            return found
        time.sleep(0.1)
    return None


def _by_type(error: Exception, name: str, reason: str, *, lead: str) -> UserError:
    if name in MEMORY:
        return MachineError(f"{lead}: the memory ran out ({reason or name}).", fix=FEWER)
    if (isinstance(error, OSError) and error.errno in failure.FULL) or "No space left" in reason:
        return MachineError(f"{lead}: the disk is full ({reason}).", fix="free some space.")
    if name == "PermissionError":
        refused = re.sub(r"\[Errno \d+\] ", "", reason)  # the number says nothing to people
        return MachineError(f"{lead}: {refused}.", fix=failure.OTHER_PLACE)
    if name == "IndexError" and any(
        "fingerprint_extractor" in module for module in _modules(error)
    ):
        return DataError(
            f"{lead}: no mask has a pixel of a foreground class.",
            fix="check that the masks hold the labels of dataset.json.",
        )
    shown = reason if name in SENTENCES and reason else f"{name}: {reason}".rstrip(": ")
    return DataError(f"{lead}: {shown}.")


def _with_log(failed: UserError, log: Log) -> tuple[str, str]:
    """Return the error's two parts with the sentence that names the log."""
    sentence = log.keep()
    if failed.fix:
        return failed.problem, f"{failed.fix} {sentence}".strip()
    return f"{failed.problem} {sentence}".strip(), ""
