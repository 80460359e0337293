"""The members of an ensemble: the models that `vit_cli best` chose, unchanged since."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from nnunet_vit.checkpoints.fold_folder import FoldFolder
from nnunet_vit.data.labels import differing
from nnunet_vit.errors import ModelError, UserError, counted, shortened
from nnunet_vit.inference.ensemble_file import EnsembleFile, Member, described, digest_of_plans
from nnunet_vit.inference.fold_weights import read_fold
from nnunet_vit.inference.loaded_model import LoadedModel
from nnunet_vit.inference.model_folder import ModelFolder, open_model
from nnunet_vit.inference.predict import loaded
from nnunet_vit.inference.stock_model import StockModel, is_stock, load_stock, open_stock
from nnunet_vit.modeling.hub.download_progress import downloads_shown_by
from nnunet_vit.report.progress import Progress

FIX = "copy the models again, or `vit_cli best DATASET` chooses again among those that are there."


@dataclass(frozen=True)
class ReadyMember:
    """A model of an ensemble, as it was when it was chosen.

    Attributes:
        model: ours, or nnU-Net's own.
        folds: whose networks are averaged.
    """

    model: ModelFolder | StockModel
    folds: tuple[int, ...]

    def loaded(self, base: Path | None, progress: Progress) -> LoadedModel:
        """Return its network with the weights of its folds.

        Args:
            base: the pretrained weights, where a small checkpoint needs them and they have moved.
            progress: where to show downloads and what is said of checkpoints.
        """
        if isinstance(self.model, StockModel):
            return load_stock(self.model, self.folds)
        with downloads_shown_by(progress):
            weights = [read_fold(self.model, fold, "final", base=base) for fold in self.folds]
        for notice in (notice for each in weights for notice in each.notices):
            progress.log(notice)
        return loaded(self.model, weights)


def ready_members(chosen: EnsembleFile) -> list[ReadyMember]:
    """Return the members.

    Raises:
        ModelError: names every one that is missing, changed or of another dataset.
    """
    problems, found = [], []
    for member in chosen.members:
        try:
            ready = _opened(member)
        except UserError as error:
            problems.append(error.problem)
            continue
        faults = list(_faults(ready, member, chosen))
        problems += faults
        found += [] if faults else [ready]
    if problems:
        several = "\n  ".join([f"{counted(len(problems), 'problem')}:", *problems])
        told = several if len(problems) > 1 else problems[0]
        raise ModelError(f"{chosen.path}: {told}", FIX)
    return found


def _opened(member: Member) -> ReadyMember:
    if not member.folder.is_dir():
        raise ModelError(f"{member.folder} is missing.")
    stock = is_stock(member.folder)
    model = open_stock(member.folder, member.configuration) if stock else open_model(member.folder)
    return ReadyMember(model, tuple(member.digests))


def _faults(ready: ReadyMember, member: Member, chosen: EnsembleFile) -> Iterator[str]:
    own = described(ready.model.description)
    keys = own.keys() | chosen.description.keys()
    others = differing(own, chosen.description, sorted(keys))
    if others:
        yield f"{member.folder / 'dataset.json'} has another {', '.join(others)} than the ensemble."
    if member.plans and digest_of_plans(member.folder) != member.plans:
        yield f"{member.folder / 'plans.json'} is another one than when it was chosen."
    states: dict[str, list[str]] = {}
    for fold, digest in member.digests.items():
        there = FoldFolder(member.folder / f"fold_{fold}").digest()
        state = "missing" if not there else "another one than when it was chosen"
        if there != digest:
            states.setdefault(state, []).append(str(fold))
    for state, folds in states.items():
        names = shortened(folds, len(folds))
        yield f"{member.folder}: the final model of fold {names} is {state}."
