"""Trackio: a run in a project of a local database, or of a Hugging Face Space."""

from collections.abc import Mapping
from pathlib import Path

from pydantic import Field

from nnunet_vit.trackers.tracker import Followed, Outcome, Tracker, TrackerOptions


class TrackioOptions(TrackerOptions):
    """Where the run goes."""

    project: str | None = Field(None, description="its name; null: that of the dataset")
    space_id: str | None = Field(
        None, description="of a Hugging Face Space, user/name; null: the folder of `TRACKIO_DIR`"
    )


class TrackioSession:
    """Logs into one run, also after the training was resumed: it is found by its name."""

    def __init__(self, followed: Followed, options: TrackioOptions) -> None:
        """Begin the run."""
        import trackio

        self.identifier = followed.identifier or followed.name
        self._run = trackio.init(
            project=options.project or followed.dataset,
            name=self.identifier,
            space_id=options.space_id,
            config=dict(followed.settings),
            resume="allow" if followed.identifier else "never",
            embed=False,
        )

    def log(self, epoch: int, figures: Mapping[str, float]) -> None:
        """Log the figures, the epoch as their step."""
        self._run.log(dict(figures), step=epoch)

    def picture(self, epoch: int, name: str, file: Path) -> None:
        """Log an image."""
        import trackio

        self._run.log({f"overlays/{name}": trackio.Image(str(file))}, step=epoch)

    def end(self, outcome: Outcome) -> None:
        """Send what is left and close the run."""
        import trackio

        trackio.finish()  # the run's own method would be called once more when Python ends


TRACKER = Tracker(
    name="trackio",
    summary="a run in a local database: `trackio show`",
    package="trackio",
    distribution="trackio",
    start=TrackioSession,
    options=TrackioOptions,
)
