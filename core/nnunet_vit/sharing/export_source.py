"""What of which model is shared, and its weights as they are read."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from nnunet_vit.errors import ConfigError
from nnunet_vit.evaluation.fold_splits import split_doubt
from nnunet_vit.inference.model_folder import ModelFolder, kind_of, open_model
from nnunet_vit.modeling.hub.download_progress import downloads_shown_by
from nnunet_vit.report.progress import Progress
from nnunet_vit.sharing.model_content import ModelContent, trained_content, whole_content


@dataclass(frozen=True)
class Source:
    """What of which model is shared.

    Attributes:
        path: the model folder.
        folds: which; None: all that are trained.
        checkpoint: final, best or latest.
        base: the pretrained weights, where a small checkpoint needs them and they have moved.
    """

    path: Path
    folds: Sequence[str] | None = None
    checkpoint: str = "final"
    base: Path | None = None

    def check(self) -> ModelFolder:
        """Return the model folder; what is wrong with a source shows before any work.

        Raises:
            ConfigError: there is no such kind of checkpoint, or no such file of weights.
            ModelError: the folder is no trained model, or a fold is missing.
        """
        kind = kind_of(self.checkpoint)
        if self.base is not None and not self.base.exists():
            raise ConfigError(
                f"--pretrained-weights {self.base} is not there.",
                fix="leave it out where the weights lie where they lay, or correct the path.",
            )
        model = open_model(self.path)
        model.folds(self.folds, kind)
        return model

    def checked(self) -> "Source":
        """Return the source itself, checked."""
        self.check()
        return self

    def content(self, progress: Progress, *, adapters_only: bool = False) -> ModelContent:
        """Return the weights that are exported.

        Raises:
            ModelError: the folder is no trained model, or a fold is missing or damaged.
        """
        model, kind = self.check(), kind_of(self.checkpoint)
        progress.start_work("Reading the weights")
        if adapters_only:
            return trained_content(model, self.folds, kind)
        with downloads_shown_by(progress):
            content = whole_content(model, self.folds, kind, base=self.base)
        for fold in content.folds.values():
            for notice in fold.notices:
                progress.log(notice)
        doubt = split_doubt(model.path, list(content.folds))
        if not doubt.joins:
            progress.log(f"The figures of the validation are left out: {doubt.problem}")
        return content
