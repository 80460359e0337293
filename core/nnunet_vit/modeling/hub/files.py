"""A file of a repository, and the cache of the hub's client that may hold it."""

import os
import re
import time
from dataclasses import dataclass
from pathlib import Path

from nnunet_vit.files.digests import known_sha256

WEIGHTS = "model.safetensors"
SHA256 = re.compile(r"[0-9a-f]{64}")
SHOWN = 12  # digits of a digest in a message
CLOCKS = 2.0  # seconds by which a file server's clock may differ


@dataclass(frozen=True)
class HubFile:
    """A file of the hub.

    Attributes:
        title: what the weights that it belongs to are called.
        repository: OWNER/NAME.
        name: of the file.
        resumed: whether a training that was started from it is to be resumed or used.
    """

    title: str
    repository: str
    name: str = WEIGHTS
    resumed: bool = False


@dataclass(frozen=True)
class Pin:
    """The content of a file that a training was started from.

    Attributes:
        sha256: of the content.
        commit: of the repository that held it; empty where it is not known.
    """

    sha256: str
    commit: str = ""


def cache_folder() -> Path:
    """Return the folder where the hub's client keeps what it fetched."""
    from huggingface_hub import constants

    return Path(constants.HF_HUB_CACHE)


def cached(file: HubFile, pin: Pin | None = None) -> Path | None:
    """Return a file that is on this machine, without asking anybody; None: it is not.

    Args:
        file: of the repository as it was fetched last.
        pin: the content that is wanted, whatever commit or repository it lies in.
    """
    from huggingface_hub import try_to_load_from_cache

    if pin is not None:
        return _pinned(file, pin)
    try:
        found = try_to_load_from_cache(file.repository, file.name)
    except OSError:
        return None
    return Path(found) if isinstance(found, str) else None


def _pinned(file: HubFile, pin: Pin) -> Path | None:
    for blob in cache_folder().glob(f"models--*/blobs/{pin.sha256}"):
        links = blob.parent.parent.glob("snapshots/*/*")
        # a link has the file's name, which a blob lacks
        return next((link for link in links if _blob_of(link) == pin.sha256), blob)
    # where the file system has no links, snapshots hold the files themselves
    for copy in cache_folder().glob(f"{_folder_of(file)}/snapshots/*/{file.name}"):
        if copy.is_file() and not copy.is_symlink() and known_sha256(copy) == pin.sha256:
            return copy
    return None


def commit_of(path: Path) -> str:
    """Return the commit of a cached file; empty where its path does not say."""
    return path.parent.name if path.parent.parent.name == "snapshots" else ""


def damage(path: Path) -> str:
    """Return why a cached file is not what the hub calls it; empty: it is, or nobody knows.

    Raises:
        OSError: it cannot be read.
    """
    expected = _blob_of(path)
    if not SHA256.fullmatch(expected):
        return ""
    found = known_sha256(path)
    return "" if found == expected else f"sha256 {found[:SHOWN]}…, not {expected[:SHOWN]}…"


def remove(path: Path) -> None:
    """Take a cached file away, and the content behind it.

    Raises:
        OSError: the cache cannot be written.
    """
    if path.is_symlink():
        (path.parent / os.readlink(path)).unlink(missing_ok=True)
    path.unlink(missing_ok=True)


def _blob_of(path: Path) -> str:
    """Return the name of the content behind a cached file: its sha256, for all but small files."""
    if not path.is_symlink():
        return path.name if path.parent.name == "blobs" else ""
    return os.path.basename(os.readlink(path))


class Arriving:
    """What arrives of a file while the client fetches it.

    Attributes:
        most: how many bytes were there at the latest look.
    """

    def __init__(self, file: HubFile) -> None:
        """Look at the file's folder in the cache from now on."""
        self._folder = cache_folder() / _folder_of(file) / "blobs"
        self._since = time.time() - CLOCKS
        self.most = 0

    def bytes(self) -> int:
        """Return how many bytes are there."""
        for part in self._folder.glob("*.incomplete"):
            try:
                about = part.stat()
            except OSError:  # it has just been finished
                continue
            if about.st_mtime >= self._since:  # others are left over from earlier ones
                self.most = max(self.most, about.st_size)
        return self.most


def _folder_of(file: HubFile) -> str:
    return f"models--{file.repository.replace('/', '--')}"
