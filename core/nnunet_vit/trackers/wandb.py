"""Weights & Biases: a run in a project, online or kept in the fold's folder."""

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from pydantic import Field

from nnunet_vit.trackers.tracker import Followed, Outcome, Tracker, TrackerOptions

SECONDS = 30  # that the start may take


class WandbOptions(TrackerOptions):
    """Where the run goes."""

    project: str | None = Field(None, description="its name; null: that of the dataset")
    entity: str | None = Field(None, description="user or team; null: your own")
    mode: Literal["online", "offline"] | None = Field(
        None, description="offline: `wandb sync` sends it later; null: the variable `WANDB_MODE`"
    )


class WandbSession:
    """Logs into one run, also after the training was resumed."""

    def __init__(self, followed: Followed, options: WandbOptions) -> None:
        """Begin the run; one that is logged in has to be known to the machine already."""
        import wandb

        self._run = wandb.init(
            project=options.project or followed.dataset,
            entity=options.entity,
            mode=options.mode,
            name=followed.name,
            dir=str(followed.folder),
            id=followed.identifier,
            resume="allow" if followed.identifier else None,
            config=dict(followed.settings),
            settings=wandb.Settings(
                init_timeout=SECONDS, login_timeout=SECONDS, console="off", silent=True
            ),
        )
        self.identifier = self._run.id
        self._run.define_metric("*", step_metric="epoch")

    def log(self, epoch: int, figures: Mapping[str, float]) -> None:
        """Log the figures over the epoch."""
        self._run.log({"epoch": epoch, **figures})

    def picture(self, epoch: int, name: str, file: Path) -> None:
        """Log an image."""
        import wandb

        self._run.log({"epoch": epoch, f"overlays/{name}": wandb.Image(str(file))})

    def end(self, outcome: Outcome) -> None:
        """Close the run; only a finished one counts as a success."""
        self._run.finish(exit_code=0 if outcome == "finished" else 1)


TRACKER = Tracker(
    name="wandb",
    summary="a run in a project of Weights & Biases",
    package="wandb",
    distribution="wandb",
    start=WandbSession,
    options=WandbOptions,
)
