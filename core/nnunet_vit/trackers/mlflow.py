"""MLflow: a run in an experiment, on a tracking server or in local files."""

import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field

from nnunet_vit.trackers.tracker import Followed, Outcome, Tracker, TrackerOptions

LONGEST_VALUE = 500  # characters of a parameter, in every version
AT_ONCE = 100  # parameters in one request
STATUS = {"finished": "FINISHED", "failed": "FAILED", "stopped": "KILLED"}
IMPATIENT = {
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "10",  # seconds
    "MLFLOW_HTTP_REQUEST_BACKOFF_FACTOR": "1",
}


def _no_secret(uri: str) -> str:
    parts = urlsplit(uri)
    if "@" in uri or parts.query:
        raise ValueError(
            "with a user, a password or a query, which plans and models would keep; allowed: an "
            "address without them, and the variables MLFLOW_TRACKING_USERNAME, "
            "MLFLOW_TRACKING_PASSWORD and MLFLOW_TRACKING_URI"
        )
    return uri


class MlflowOptions(TrackerOptions):
    """Where the run goes."""

    experiment: str | None = Field(None, description="its name; null: that of the dataset")
    uri: Annotated[str, AfterValidator(_no_secret)] | None = Field(
        None,
        repr=False,
        description="of the tracking server, or file:FOLDER; null: the variable "
        "`MLFLOW_TRACKING_URI`",
    )


class MlflowSession:
    """Logs into one run, also after the training was resumed."""

    def __init__(self, followed: Followed, options: MlflowOptions) -> None:
        """Find the run, or create it with the run file as its parameters."""
        for variable, value in IMPATIENT.items():
            os.environ.setdefault(variable, value)  # its own: 7 times 120 seconds
        if (options.uri or "").startswith("file:"):
            os.environ.setdefault("MLFLOW_ALLOW_FILE_STORE", "true")  # asked for by its name
        from mlflow.tracking import MlflowClient

        self._client = MlflowClient(tracking_uri=options.uri)
        if followed.identifier is not None:
            self.identifier = followed.identifier
            self._client.update_run(self.identifier, status="RUNNING")
            epochs = str(followed.settings.get("train.num_epochs"))  # more, if it was lengthened
            self._client.set_tag(self.identifier, "train.num_epochs", epochs)
            return
        name = options.experiment or followed.dataset
        experiment = self._client.get_experiment_by_name(name)
        number = experiment.experiment_id if experiment else self._client.create_experiment(name)
        self.identifier = self._client.create_run(number, run_name=followed.name).info.run_id
        self._log_settings(followed)

    def _log_settings(self, followed: Followed) -> None:
        from mlflow.entities import Param

        settings = followed.settings.items()
        parameters = [Param(key, str(value)[:LONGEST_VALUE]) for key, value in settings]
        for first in range(0, len(parameters), AT_ONCE):
            part = parameters[first : first + AT_ONCE]
            self._client.log_batch(self.identifier, params=part)

    def log(self, epoch: int, figures: Mapping[str, float]) -> None:
        """Log metrics, the epoch as their step."""
        from mlflow.entities import Metric

        now = int(time.time() * 1000)
        metrics = [Metric(_allowed(name), value, now, epoch) for name, value in figures.items()]
        self._client.log_batch(self.identifier, metrics=metrics)

    def picture(self, epoch: int, name: str, file: Path) -> None:
        """Keep the file among the run's artifacts."""
        self._client.log_artifact(self.identifier, str(file), "overlays")

    def end(self, outcome: Outcome) -> None:
        """Say how the run ended."""
        self._client.set_terminated(self.identifier, STATUS[outcome])


def _allowed(name: str) -> str:
    """Return the name of a metric with the letters that MLflow allows."""
    return "".join(letter if letter.isalnum() or letter in "/_-. " else "_" for letter in name)


TRACKER = Tracker(
    name="mlflow",
    summary="a run in an experiment of a tracking server",
    package="mlflow",
    distribution="mlflow-skinny",
    start=MlflowSession,
    options=MlflowOptions,
)
