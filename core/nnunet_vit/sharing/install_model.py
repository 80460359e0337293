"""vit_cli install: a bundle into a results folder, checked first, whole or not at all."""

import shlex
from dataclasses import dataclass
from pathlib import Path

from nnunet_vit.checkpoints.disk import writing
from nnunet_vit.errors import ConfigError, counted
from nnunet_vit.files.locks import given_back
from nnunet_vit.files.writable import check_writable
from nnunet_vit.inference.model_folder import ModelFolder
from nnunet_vit.nnunet.folders import claim
from nnunet_vit.report.progress import Progress
from nnunet_vit.sharing.bundle_format import CARD, DESCRIPTION, PLANS, Manifest
from nnunet_vit.sharing.bundle_plans import model_of
from nnunet_vit.sharing.bundle_weights import require_pretrained, write_folds
from nnunet_vit.sharing.bundle_zip import BundleZip, opened_bundle
from nnunet_vit.sharing.fitting import check_weights
from nnunet_vit.sharing.installed_record import (
    RECORD,
    installed_manifest,
    is_as_installed,
    was_installed,
    write_record,
)
from nnunet_vit.sharing.needed_packages import require_packages
from nnunet_vit.sharing.whole_folder import put_back, staged


@dataclass(frozen=True)
class Installed:
    """A model that is installed now.

    Attributes:
        folder: of the model.
        manifest: of its bundle.
        was_there: whether the same one was installed before.
    """

    folder: Path
    manifest: Manifest
    was_there: bool = False

    def as_text(self) -> str:
        """Return what is printed last: where the model is, and how to predict with it."""
        already = "Installed already: " if self.was_there else "Model: "
        words = f"--model {shlex.quote(str(self.folder))} --folds {' '.join(self.manifest.folds)}"
        return f"{already}{self.folder}\nPredict with: vit_cli predict -i IMAGES -o MASKS {words}"


@dataclass(frozen=True)
class Request:
    """Where a model is to be installed, and how.

    Attributes:
        results: nnU-Net's results folder; it need not be there yet.
        overwrite: replace another model of that name.
        base: the pretrained weights, for a bundle of what was trained alone.
        source: where the bundle is from; '': the name of its file.
    """

    results: Path
    overwrite: bool = False
    base: Path | None = None
    source: str = ""


def install(path: Path, request: Request, progress: Progress) -> Installed:
    """Install an exported model where nnU-Net looks for models.

    Args:
        path: of the zip.
        request: where to and how.
        progress: where to show what happens.

    Raises:
        ModelError: the zip is refused; nothing is written.
        PluginError: a package that the model needs is not installed.
        ConfigError: another model has that name.
        MachineError: the folder cannot be written, or a training is at work in it.
    """
    progress.start_work(f"Checking {path.name}")
    with opened_bundle(path) as bundle:
        target = request.results / bundle.manifest.folder
        _finish_replacing(target, progress)
        _check_installed(target)
        if not request.overwrite and _is_there(target, bundle.manifest):
            return Installed(target, bundle.manifest, was_there=True)
        notices = require_packages(bundle.manifest, str(path))
        model = model_of(bundle)
        check_weights(bundle, model)
        require_pretrained(bundle, request.base)
        check_writable(target, f"--results {request.results}")
        for notice in [*notices, *_others_of_id(request.results, bundle.manifest)]:
            progress.log(notice)
        progress.start_work(f"Installing {path.name}")
        _write(bundle, model, target, request=request)
    return Installed(target, bundle.manifest)


def _finish_replacing(target: Path, progress: Progress) -> None:
    """Put back what an installation that was killed had set aside.

    Raises:
        MachineError: the disk refuses.
    """
    with writing(target, 0):
        if put_back(target):
            progress.log(f"{target} is back: another installation was killed while it replaced it.")


def _is_there(target: Path, manifest: Manifest) -> bool:
    """Tell whether the same model is installed.

    Raises:
        ConfigError: another one has its place.
    """
    if not target.exists():
        return False
    if installed_manifest(target) != manifest:
        damaged = f"an installed model whose {RECORD} is damaged"
        what = "another bundle's model" if installed_manifest(target) else damaged
        raise ConfigError(
            f"{target} is there already, and is {what}.",
            fix="--overwrite replaces it; or --results with another folder.",
        )
    if not is_as_installed(target):
        raise ConfigError(
            f"{target} is this model, and its files have changed since it was installed.",
            fix="--overwrite installs it again.",
        )
    return True


def _check_installed(target: Path) -> None:
    """Refuse a place where something lies that nothing brings back: --overwrite does not count.

    Raises:
        ConfigError: it is a model that was trained here, or no model.
    """
    if not target.exists() or was_installed(target):
        return
    folds = len(list(target.glob("fold_*")))
    what = f"a model that was trained here, with {counted(folds, 'fold')}" if folds else "no model"
    raise ConfigError(
        f"{target} is there already, and is {what}, which install never replaces.",
        fix="--results with another folder; or move it away.",
    )


def _write(bundle: BundleZip, model: ModelFolder, target: Path, *, request: Request) -> None:
    needed = sum(facts.bytes for facts in bundle.manifest.files.values())
    with (
        given_back(),
        writing(target, needed),
        staged(target, replace=request.overwrite) as folder,
    ):
        for name in (PLANS, DESCRIPTION, CARD):
            bundle.extract(name, folder / name)
        write_folds(bundle, model, folder, base=request.base)
        write_record(folder, bundle.manifest, request.source or bundle.path.name)
        for fold in target.glob("fold_*"):
            claim(fold)  # nobody trains in what is about to be replaced


def _others_of_id(results: Path, manifest: Manifest) -> list[str]:
    """Return a sentence where stock nnU-Net cannot tell the dataset by its number."""
    number = manifest.dataset.partition("_")[0]
    others = [path.name for path in results.glob(f"{number}_*") if path.name != manifest.dataset]
    return [
        f"{results} holds {other} too: nnU-Net's own commands need -d {manifest.dataset} in full."
        for other in others
    ]
