"""The errors of a file that is neither here nor to be had: one sentence, and what to do."""

import errno
import os
import re
from collections.abc import Iterator
from math import ceil
from typing import Any

from nnunet_vit.errors import MachineError, ModelError
from nnunet_vit.modeling.hub.address import Hub
from nnunet_vit.modeling.hub.client import GivenUpError
from nnunet_vit.modeling.hub.connections import of_connection
from nnunet_vit.modeling.hub.files import HubFile, cache_folder
from nnunet_vit.modeling.hub.statuses import of_status
from nnunet_vit.modeling.hub.words import Words
from nnunet_vit.quantities import bytes_text

FULL = {
    errno.ENOSPC: "is full",
    errno.EDQUOT: "has no room left in your quota",
    errno.EFBIG: "takes no file of that size",
}
OF_CACHE = {  # what can be wrong with files and never with connections
    errno.EROFS, errno.EACCES, errno.EPERM, errno.ENOTDIR, errno.EISDIR, errno.EEXIST,
    errno.ENOENT, errno.ENAMETOOLONG, errno.ELOOP, errno.EIO, errno.ENOLCK, errno.ESTALE,
}  # fmt: skip
LOGGED_STATUS = re.compile(r"HTTP Error (\d{3}) ")  # the client's words
ELSEWHERE = "set HF_HOME to a folder on a disk"


class AbsentFileError(ModelError):
    """The repository is there, and the file is not in it."""


def by_hand(file: HubFile) -> str:
    """Return how to do without the network."""
    if file.resumed:
        return (
            f"copy {cache_folder()} from the machine that the run was started on (to predict: "
            f"--pretrained-weights FILE, {file.name} of {file.repository})."
        )
    return (
        f"fetch {file.name} of {file.repository} on another machine, copy it here and write its "
        "path in model.checkpoint_path."
    )


def not_fetched(file: HubFile, words: Words) -> ModelError:
    """Return the error of a file that is not here and not to be had from the hub."""
    kind = AbsentFileError if words.absent else ModelError
    ways = [words.fix] if words.final else [words.fix, by_hand(file)]
    return kind(
        f"The published weights {file.title} are not on this machine and cannot be fetched: "
        f"{words.cause}.",
        fix=", or ".join(way for way in ways if way),
    )


def meaning(file: HubFile, asked: Hub, error: BaseException) -> Words:
    """Return what an exception of the hub's client means for a user."""
    chain = list(chain_of(error))
    for cause in chain:
        response: Any = getattr(cause, "response", None)
        status = getattr(response, "status_code", 0)
        if status >= 300:
            return of_status(status, response.headers, asked, file=file)
        if isinstance(cause, GivenUpError) and (logged := LOGGED_STATUS.match(str(cause))):
            return of_status(int(logged.group(1)), {}, asked, file=file)
    return of_connection(chain, asked)


def of_cache(file: HubFile, error: BaseException) -> MachineError | None:
    """Return the error of a cache that did not take a file; None: the cache is not to blame."""
    for cause in chain_of(error):
        if isinstance(cause, OSError) and cause.errno in FULL:
            return no_room(file, FULL[cause.errno])
        if isinstance(cause, OSError) and cause.errno in OF_CACHE:
            return unwritable(file, cause)
    return None


def offline(file: HubFile) -> ModelError:
    """Return the error of a client that the user has told to ask nobody."""
    names = ("HF_HUB_OFFLINE", "TRANSFORMERS_OFFLINE")
    name = next((name for name in names if os.environ.get(name)), names[0])
    return not_fetched(file, Words(f"{name} is set, so no hub is asked", f"unset {name}"))


def no_room(file: HubFile, what: str, lacking: int = 0) -> MachineError:
    """Return the error of a cache without room for a file.

    Args:
        file: that does not fit.
        what: follows the name of the cache's disk.
        lacking: bytes to free; 0: nobody knows.
    """
    room = f"free {bytes_text(ceil(lacking / 1e5) * 1e5)} there" if lacking else "free room there"
    return MachineError(
        f"The published weights {file.title} cannot be stored: the disk of {cache_folder()} "
        f"{what}.",
        fix=f"{room}, or {ELSEWHERE} with room.",
    )


def unwritable(file: HubFile, error: OSError) -> MachineError:
    """Return the error of a cache that cannot be written, or not be read."""
    place = error.filename or cache_folder()
    return MachineError(
        f"The published weights {file.title} cannot be stored in the cache, {place}: "
        f"{error.strerror or error}.",
        fix=f"{ELSEWHERE} that can be written.",
    )


def chain_of(error: BaseException) -> Iterator[BaseException]:
    """Yield an exception and all that are behind it, also those that libraries wrap by hand."""
    waiting, seen = [error], set()
    while waiting:
        current = waiting.pop(0)
        if id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        behind: list[object] = [current.__cause__, current.__context__, *current.args]
        behind.append(getattr(current, "reason", None))  # urllib3's
        waiting += [item for item in behind if isinstance(item, BaseException)]
