"""A file of the hub on this machine: the cache answers first, and what is fetched is checked."""

import shutil
from collections.abc import Sequence
from pathlib import Path

from nnunet_vit.errors import MachineError, ModelError, UserError
from nnunet_vit.files.digests import known_sha256
from nnunet_vit.modeling.hub.address import VARIABLE, Hub, hub
from nnunet_vit.modeling.hub.asking import RemoteFile, ask
from nnunet_vit.modeling.hub.causes import (
    AbsentFileError,
    by_hand,
    meaning,
    no_room,
    not_fetched,
    of_cache,
    offline,
)
from nnunet_vit.modeling.hub.client import Watch, quiet_client
from nnunet_vit.modeling.hub.download_progress import display, followed
from nnunet_vit.modeling.hub.files import (
    SHOWN,
    Arriving,
    HubFile,
    Pin,
    cache_folder,
    cached,
    damage,
    remove,
)
from nnunet_vit.modeling.hub.words import Words
from nnunet_vit.quantities import bytes_text

CUT_SHORT = "Consistency check failed"  # the client's words


def obtain(files: Sequence[HubFile], pin: Pin | None = None) -> tuple[HubFile, Path]:
    """Return a file of the hub and its path, from the cache without asking anybody, or fetched.

    Args:
        files: of one repository; the first that is here is meant, else the first that there is.
        pin: the content that is wanted; None: what the cache or else the repository holds.

    Raises:
        UserError: it is not here and cannot be fetched, stored or found as it should be.
    """
    for file in files:
        path = cached(file, pin)
        if path is None:
            continue
        wrong = _damage(path)
        if not wrong:
            return file, path
        display().log(f"{path} is damaged ({wrong}): it is removed and fetched again.")
        _remove(path)
    file = _offered(files)
    return file, _fetched(file, pin)


def require(files: Sequence[HubFile]) -> None:
    """Refuse files of which none is here or to be had, before any is fetched.

    Raises:
        UserError: the hub offers none, or does not answer within seconds.
    """
    if all(cached(file) is None for file in files):
        file = _offered(files)
        ask(file, _open_hub(file))


def _offered(files: Sequence[HubFile]) -> HubFile:
    """Return the first file that the hub has; for the last one nobody asks."""
    for file in files[:-1]:
        try:
            ask(file, _open_hub(file))
        except AbsentFileError:
            continue
        return file
    return files[-1]


def _open_hub(file: HubFile) -> Hub:
    from huggingface_hub import constants

    if constants.HF_HUB_OFFLINE:
        raise offline(file)
    return hub()


def _fetched(file: HubFile, pin: Pin | None) -> Path:
    asked = _open_hub(file)
    revision, remote = _found(file, asked, pin)
    _check_room(file, remote.bytes)
    size = f" ({bytes_text(remote.bytes)})" if remote.bytes else ""
    display().log(f"Fetching {file.title}{size} from {asked} …")
    try:
        return _as_pinned(_downloaded(file, asked, revision, remote=remote), file, asked, pin=pin)
    except _ArrivedDamagedError as error:
        display().log(f"{file.name} arrived damaged ({error}): it is fetched once more …")
    try:
        return _as_pinned(_downloaded(file, asked, revision, remote=remote), file, asked, pin=pin)
    except _ArrivedDamagedError as error:
        raise ModelError(
            f"{file.name} of {file.title} arrives damaged from {asked}, twice: {error}.",
            fix=f"have the mirror or proxy that damages it fixed, or set {VARIABLE} to another "
            f"hub, or {by_hand(file)}",
        ) from error


def _found(file: HubFile, asked: Hub, pin: Pin | None) -> tuple[str, RemoteFile]:
    """Return the revision to fetch and what the hub says of the file in it."""
    remote = ask(file, asked)
    if pin is None or remote.sha256 == pin.sha256:
        return "main", remote
    try:
        if pin.commit:
            older = ask(file, asked, pin.commit)
            if older.sha256 in ("", pin.sha256):
                return pin.commit, older
    except UserError:  # the repository has been written again
        pass
    if not remote.sha256:  # what arrives is compared
        return "main", remote
    raise _other_weights(file, asked, pin)


def _other_weights(file: HubFile, asked: Hub, pin: Pin) -> ModelError:
    return ModelError(
        f"{file.repository} at {asked} holds other weights now than those that this run was "
        f"started from (sha256 {pin.sha256[:SHOWN]}…), and they are not in {cache_folder()}.",
        fix=by_hand(file),
    )


def _as_pinned(path: Path, file: HubFile, asked: Hub, *, pin: Pin | None) -> Path:
    if pin is not None and known_sha256(path) != pin.sha256:
        raise _other_weights(file, asked, pin)
    return path


def _check_room(file: HubFile, needed: int) -> None:
    place = cache_folder().absolute()
    while not place.exists() and place != place.parent:
        place = place.parent
    try:
        free = shutil.disk_usage(place).free
    except OSError:  # the download will say what it thinks of the folder
        return
    if needed > free:
        what = f"has {bytes_text(free)} free, and they need {bytes_text(needed)}"
        raise no_room(file, what, needed - free)


class _ArrivedDamagedError(Exception):
    """What arrived is not what the hub says of the file; the text says how."""


def _downloaded(file: HubFile, asked: Hub, revision: str, *, remote: RemoteFile) -> Path:
    """Let the client fetch a file.

    Raises:
        _ArrivedDamagedError: it is here, and not what the hub says; it has been removed.
        UserError: it is not here.
    """
    from huggingface_hub import hf_hub_download

    arriving = Arriving(file)
    try:
        with (
            quiet_client(Watch(arriving.bytes)),
            followed(f"Fetching {file.title}", remote.bytes, arriving.bytes),
        ):
            path = Path(hf_hub_download(file.repository, file.name, revision=revision))
    except Exception as error:  # the client lets those of its HTTP library through
        if CUT_SHORT in str(error):
            raise _ArrivedDamagedError("it is cut short") from error
        if (blamed := of_cache(file, error)) is not None:
            raise blamed from error
        of_all = f" of {bytes_text(remote.bytes)}" if remote.bytes else ""
        got = f"{bytes_text(arriving.bytes())}{of_all}"
        cause = f"the download broke off after {got}: {meaning(file, asked, error).cause}"
        raise not_fetched(file, Words(cause, "start it again")) from error
    wrong = _damage(path)
    if wrong:
        _remove(path)
        raise _ArrivedDamagedError(wrong)
    return path


def _damage(path: Path) -> str:
    try:
        return damage(path)
    except OSError as error:
        raise MachineError(f"{path} cannot be read: {error.strerror or error}.") from error


def _remove(path: Path) -> None:
    try:
        remove(path)
    except OSError as error:
        raise MachineError(
            f"{path} is damaged and cannot be removed: {error.strerror or error}.",
            fix="have it removed, or set HF_HOME to a folder of your own.",
        ) from error
