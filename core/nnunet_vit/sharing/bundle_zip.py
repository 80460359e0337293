"""A bundle as a zip: everything that can be refused is refused before a byte is written."""

import contextlib
import hashlib
import json
import shlex
import struct
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from nnunet_vit.errors import ModelError, first_line, shortened
from nnunet_vit.files.json_file import without_doubles
from nnunet_vit.sharing.bundle_format import (
    MANIFEST,
    PLANS,
    SHARED,
    FileFacts,
    Manifest,
    manifest_from,
)
from nnunet_vit.sharing.zip_entries import entry_faults

AGAIN = "export the model again with `vit_cli export … --to model.zip`, and copy the whole file."
BLOCK = 1 << 20
MOST = 6  # faults in a message
CHECKPOINT = ".pth"


class BundleZip:
    """A zip whose entries, sizes and hashes are those of its manifest.

    Attributes:
        path: of the zip.
        manifest: of the bundle.
    """

    def __init__(self, path: Path, archive: zipfile.ZipFile) -> None:
        """Check all of it.

        Raises:
            ModelError: names everything that is wrong.
        """
        self.path, self._archive = path, archive
        if MANIFEST not in archive.namelist():
            raise _no_bundle(path, archive.namelist())
        self._check(entry_faults(archive.infolist(), path.stat().st_size))
        self.manifest = self._manifest()
        self._check(list(self._listing_faults()))
        self._check(list(self._content_faults()))

    def open(self, name: str) -> IO[bytes]:
        """Open a file of the bundle."""
        return self._archive.open(name)

    def size(self, name: str) -> int:
        """Return the bytes of a file of the bundle."""
        return self._archive.getinfo(name).file_size

    def extract(self, name: str, target: Path) -> None:
        """Write a file of the bundle.

        Raises:
            ModelError: it has changed since it was checked.
            OSError: the disk refuses.
        """
        digest = hashlib.sha256()
        with self.open(name) as source, target.open("xb") as file:
            while block := source.read(BLOCK):
                digest.update(block)
                file.write(block)
        if digest.hexdigest() != self.manifest.files[name].sha256:
            raise self._refusal([f"{name} has changed while it was read"])

    def _manifest(self) -> Manifest:
        try:
            text = self._archive.read(MANIFEST).decode("utf-8")
            content = json.loads(text, object_pairs_hook=without_doubles)
        except (ValueError, RecursionError, *DAMAGES) as error:
            raise self._refusal([f"{MANIFEST} cannot be read: {first_line(error)}"]) from error
        return manifest_from(content, str(self.path))

    def _listing_faults(self) -> Iterator[str]:
        listed, optional = self.manifest.files, {SHARED}
        there = {name for name in self._archive.namelist() if not name.endswith("/")} - {MANIFEST}
        wanted = self.manifest.wanted()
        yield from (f"{name} is missing" for name in sorted((set(listed) | wanted) - there))
        yield from (f"{name} is not in the manifest" for name in sorted(there - set(listed)))
        others = sorted(set(listed) - wanted - optional)
        yield from (f"{name} belongs to no bundle" for name in others)
        for name in sorted(set(listed) & there):
            if self.size(name) != listed[name].bytes:
                yield f"{name} has {self.size(name)} bytes, not {listed[name].bytes}"

    def _content_faults(self) -> Iterator[str]:
        for name, facts in self.manifest.files.items():
            if fault := self._fault_of(name, facts):
                yield f"{name} {fault}"

    def _fault_of(self, name: str, facts: FileFacts) -> str:
        digest = hashlib.sha256()
        try:
            with self.open(name) as source:
                while block := source.read(BLOCK):
                    digest.update(block)
        except DAMAGES as error:
            return f"is damaged: {first_line(error)}"
        return "" if digest.hexdigest() == facts.sha256 else "has changed since it was exported"

    def _check(self, faults: list[str]) -> None:
        if faults:
            raise self._refusal(faults)

    def _refusal(self, faults: list[str]) -> ModelError:
        return ModelError(
            f"{self.path} is refused, nothing is installed: {shortened(faults, MOST)}.", fix=AGAIN
        )


# what zipfile and zlib raise where bytes are not as they should be
DAMAGES = (
    zipfile.BadZipFile, zipfile.LargeZipFile, EOFError, NotImplementedError, RuntimeError,
    ValueError, OverflowError, KeyError, IndexError, zlib.error, struct.error, OSError,
)  # fmt: skip


def require_file(path: Path) -> None:
    """Refuse what is no file before anything else is looked at.

    Raises:
        ModelError: with what it is.
    """
    if path.is_file():
        return
    what, fix = "not there", "correct the path."
    if (path / PLANS).is_file():
        what, fix = "a model folder", f"vit_cli export {shlex.quote(str(path))} --to model.zip"
    elif path.exists():
        what = "a folder" if path.is_dir() else "a special file"
    raise ModelError(f"{path} is {what}; the zip of `vit_cli export --to` is needed.", fix=fix)


@contextlib.contextmanager
def opened_bundle(path: Path) -> Iterator[BundleZip]:
    """Open a zip and check all of it.

    Raises:
        ModelError: it is no bundle, or not as it was exported; names everything that is wrong.
    """
    with contextlib.ExitStack() as stack:
        require_file(path)
        try:
            archive = stack.enter_context(zipfile.ZipFile(path))
        except OSError as error:
            raise ModelError(
                f"{path} cannot be read: {error.strerror or error}.",
                fix="allow reading it, or copy it again.",
            ) from error
        except DAMAGES as error:
            raise ModelError(
                f"{path} is no zip, or it is cut off: {first_line(error)}.", fix=AGAIN
            ) from error
        yield BundleZip(path, archive)


def _no_bundle(path: Path, names: list[str]) -> ModelError:
    if any(name.endswith(CHECKPOINT) for name in names):
        return ModelError(
            f"{path} is a zip of nnU-Net's own: its checkpoints are pickles, which can run code "
            "when they are opened.",
            fix="ask for the zip of `vit_cli export --to`; if you trust its maker, nnU-Net's "
            "nnUNetv2_install_pretrained_model_from_zip opens it.",
        )
    below = next((name for name in names if name.endswith(f"/{MANIFEST}")), "")
    there = f": it is in a folder, {shortened([below])}" if below else " is missing"
    return ModelError(f"{path} is no exported model: {MANIFEST}{there}.", fix=AGAIN)
