"""installed.json: what a model folder that was installed says of its bundle."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from nnunet_vit.errors import DataError
from nnunet_vit.files.digests import sha256
from nnunet_vit.files.json_file import read_json, write_json
from nnunet_vit.sharing.bundle_format import FileFacts, Manifest

RECORD = "installed.json"


class InstalledRecord(BaseModel):
    """Which bundle a model folder is from, and what was written.

    Attributes:
        bundle: the manifest of the bundle.
        source: the name of its file, or OWNER/NAME@COMMIT of a hub.
        written: the files of the model folder as they were installed.
    """

    model_config = ConfigDict(extra="forbid")

    bundle: Manifest
    source: str
    written: dict[str, FileFacts]


def record_of(folder: Path) -> InstalledRecord | None:
    """Return the record of a model folder; None: it was not installed, or the file is damaged."""
    try:
        return InstalledRecord.model_validate(read_json(folder / RECORD))
    except (DataError, ValidationError):
        return None


def was_installed(folder: Path) -> bool:
    """Tell whether a model folder has a record, damaged or not."""
    return (folder / RECORD).is_file()


def installed_manifest(folder: Path) -> Manifest | None:
    """Return the manifest of the bundle that a model folder was installed from; None: of none."""
    found = record_of(folder)
    return None if found is None else found.bundle


def write_record(folder: Path, bundle: Manifest, source: str) -> None:
    """Write the record of a model folder that is complete otherwise.

    Args:
        folder: of the model.
        bundle: its manifest.
        source: where it is from.
    """
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    written = {path.relative_to(folder).as_posix(): facts_of(path) for path in files}
    record = InstalledRecord(bundle=bundle, source=source, written=written)
    write_json(record.model_dump(mode="json", by_alias=True), folder / RECORD)


def facts_of(file: Path) -> FileFacts:
    """Return size and sha256 of a file."""
    return FileFacts(bytes=file.stat().st_size, sha256=sha256(file))


def is_as_installed(folder: Path) -> bool:
    """Tell whether the files of an installed model are those that were written."""
    found = record_of(folder)
    if found is None:
        return False
    try:
        return all(facts_of(folder / name) == facts for name, facts in found.written.items())
    except OSError:
        return False
