"""What `vit_cli export` does for each of its targets."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from nnunet_vit.errors import counted
from nnunet_vit.inference.model_folder import kind_of, open_model
from nnunet_vit.modeling.hub.download_progress import downloads_shown_by
from nnunet_vit.quantities import bytes_text
from nnunet_vit.report.progress import Progress
from nnunet_vit.sharing.export_zip import check_zip_path, export_zip
from nnunet_vit.sharing.model_content import ModelContent, trained_content, whole_content
from nnunet_vit.sharing.nnunet_folder import check_new_folder, write_nnunet_folder


@dataclass(frozen=True)
class Source:
    """What of which model is exported.

    Attributes:
        path: the model folder.
        folds: which; None: all that are trained.
        checkpoint: final, best or latest.
        base: the pretrained weights, where a small checkpoint needs them and they have moved.
    """

    path: Path
    folds: Sequence[str] | None
    checkpoint: str
    base: Path | None

    def content(self, progress: Progress, *, adapters_only: bool = False) -> ModelContent:
        """Return the weights that are exported.

        Raises:
            ModelError: the folder is no trained model, or a fold is missing or damaged.
        """
        model, kind = open_model(self.path), kind_of(self.checkpoint)
        progress.start_work("Reading the weights")
        if adapters_only:
            return trained_content(model, self.folds, kind)
        with downloads_shown_by(progress):
            content = whole_content(model, self.folds, kind, base=self.base)
        for fold in content.folds.values():
            for notice in fold.notices:
                progress.log(notice)
        return content


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
