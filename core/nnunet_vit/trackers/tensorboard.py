"""TensorBoard: event files in the fold's folder."""

from collections.abc import Mapping
from pathlib import Path

from nnunet_vit.trackers.tracker import Followed, Outcome, Tracker, TrackerOptions

FOLDER = "tensorboard"


class TensorBoardSession:
    """Writes the figures of a training, the epochs as steps."""

    identifier = FOLDER

    def __init__(self, followed: Followed) -> None:
        """Open the files; epochs that are trained again replace what an earlier session has."""
        from torch.utils.tensorboard import SummaryWriter

        folder = str(followed.folder / FOLDER)
        purged = followed.first_epoch + 1 if followed.identifier else None
        self._writer = SummaryWriter(folder, purge_step=purged)
        rows = [f"| {key} | {value} |" for key, value in followed.settings.items()]
        self._writer.add_text("run", "\n".join(["| key | value |", "|---|---|", *rows]))

    def log(self, epoch: int, figures: Mapping[str, float]) -> None:
        """Write scalars, which are on the disk when this returns."""
        for name, value in figures.items():
            self._writer.add_scalar(name, value, epoch)
        self._writer.flush()

    def picture(self, epoch: int, name: str, file: Path) -> None:
        """Write an image."""
        from skimage import io  # type: ignore[attr-defined]

        self._writer.add_image(name, io.imread(file), epoch, dataformats="HWC")

    def end(self, outcome: Outcome) -> None:
        """Close the files."""
        self._writer.close()


def _start(followed: Followed, options: TrackerOptions) -> TensorBoardSession:
    return TensorBoardSession(followed)


TRACKER = Tracker(
    name="tensorboard",
    summary="event files in the fold's folder `tensorboard`: `tensorboard --logdir RESULTS`",
    package="tensorboard",
    distribution="tensorboard",
    start=_start,
)
