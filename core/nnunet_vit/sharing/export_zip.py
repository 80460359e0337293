"""vit_cli export --to: a model as one file."""

from pathlib import Path

from nnunet_vit.errors import ConfigError
from nnunet_vit.files.writable import check_writable
from nnunet_vit.sharing.bundle_folder import write_bundle
from nnunet_vit.sharing.bundle_format import MANIFEST, Manifest
from nnunet_vit.sharing.deterministic_zip import write_zip
from nnunet_vit.sharing.model_content import ModelContent
from nnunet_vit.sharing.whole_folder import scratch_folder

ENDING = ".zip"


def check_zip_path(path: Path) -> None:
    """Refuse a name that is no zip's, or a place where no file can be written.

    Raises:
        ConfigError: it does not end with .zip, or is a folder.
        MachineError: its folder cannot be written.
    """
    if path.suffix.lower() != ENDING or path.is_dir():
        what = "is a folder" if path.is_dir() else f"does not end with {ENDING}"
        raise ConfigError(f"--to {path} {what}.", fix=f"--to {path.with_suffix(ENDING)}")
    check_writable(path.parent, f"--to {path}")


def export_zip(content: ModelContent, path: Path) -> Manifest:
    """Write a model as a zip, whole or not at all, and return its manifest.

    Raises:
        ModelError: the network is built with a file of this machine.
        MachineError: the disk is full or not writable.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    with scratch_folder(path.parent) as folder:
        return write_bundle_zip(content, folder, path)


def write_bundle_zip(content: ModelContent, folder: Path, path: Path) -> Manifest:
    """Write the files of a bundle into an empty folder and then as a zip; return its manifest.

    Raises:
        ModelError: the network is built with a file of this machine.
        MachineError: the disk is full or not writable.
    """
    manifest = write_bundle(content, folder)
    write_zip(folder, [MANIFEST, *manifest.files], path)
    return manifest
