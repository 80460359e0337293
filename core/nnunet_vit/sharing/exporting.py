"""What `vit_cli export` does for each of its targets."""

import shlex
from pathlib import Path

from nnunet_vit.errors import counted
from nnunet_vit.quantities import bytes_text
from nnunet_vit.report.progress import Progress
from nnunet_vit.sharing.export_source import Source
from nnunet_vit.sharing.export_zip import check_zip_path, export_zip
from nnunet_vit.sharing.nnunet_folder import check_new_folder, write_nnunet_folder


def export_for_installing(
    source: Source, progress: Progress, to: Path | None, *, nnunet: Path | None, trained: bool
) -> str:
    """Write a model as a zip or as nnU-Net's folder, and say so for people.

    Args:
        source: which model.
        progress: where to show what happens.
        to: the zip; None: the folder is asked for.
        nnunet: the folder.
        trained: leave the pretrained weights out of the zip.

    Raises:
        UserError: the model cannot be read, or nothing can be written there.
    """
    if to is None:
        assert nnunet is not None
        return f"{nnunet}: {export_folder_of(source, nnunet, progress)}"
    facts = export_zip_of(source, to, adapters_only=trained, progress=progress)
    needs = " --pretrained-weights FILE" if trained else ""
    return f"{to}: {facts}\nInstall with: vit_cli install {shlex.quote(str(to))}{needs}"


def export_zip_of(source: Source, path: Path, *, adapters_only: bool, progress: Progress) -> str:
    """Write a model as a zip and return what is in it, for people.

    Raises:
        UserError: the model cannot be read, or the file not be written.
    """
    check_zip_path(path)
    content = source.content(progress, adapters_only=adapters_only)
    progress.start_work(f"Writing {path.name}")
    manifest = export_zip(content, path)
    folds = f"{counted(len(manifest.folds), 'fold')}, {bytes_text(path.stat().st_size)}"
    return f"{manifest.folder}, {folds}"


def export_folder_of(source: Source, folder: Path, progress: Progress) -> str:
    """Write a model as nnU-Net's folder and return what is in it, for people.

    Raises:
        UserError: the model cannot be read, or the folder not be written.
    """
    check_new_folder(folder, f"--nnunet {folder}")
    content = source.content(progress)
    progress.start_work(f"Writing {folder.name}")
    write_nnunet_folder(content, folder)
    size = sum(file.stat().st_size for file in folder.rglob("*") if file.is_file())
    return f"{counted(len(content.folds), 'fold')}, {bytes_text(size)}"
