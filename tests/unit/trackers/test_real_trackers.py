"""Each tracker against the real library: what is logged into a local folder is read back."""

import json
import sqlite3
import struct
import time
import warnings

import numpy as np
import pytest
from skimage import io

from nnunet_vit.trackers import named_tracker, own_trackers
from nnunet_vit.trackers.tracker import Followed

pytestmark = pytest.mark.unit

FIGURES = {"dice": 0.25, "dice_per_class/optic disc": 0.5, "train_loss": -0.125}
LATER = {"dice": 0.75, "dice_per_class/optic disc": 1.0, "train_loss": -0.5}
BLOCK, HEADER = 32768, 7  # bytes, of wandb's files


@pytest.fixture
def picture(tmp_path):
    file = tmp_path / "epoch_00001.png"
    io.imsave(file, np.zeros((8, 8, 3), np.uint8), check_contrast=False)
    return file


def follow(name, folder, picture, *, options=None, known=None, first=0):
    """Log an epoch and a picture, and close."""
    tracker = named_tracker(name)
    settings = {"train.initial_lr": 0.001, "model.head": "linear", "train.seed": None}
    followed = Followed("run-fold_0", "Dataset001_Cells", folder, settings, first, known)
    session = tracker.start(followed, tracker.options.model_validate(options or {}))
    session.log(first + 1, LATER if first else FIGURES)
    session.picture(first + 1, "case_1", picture)
    session.end("finished")
    return session.identifier


def follow_twice(name, folder, picture, **options):
    """Follow a training of two epochs that was resumed after the first."""
    folder.mkdir()
    known = follow(name, folder, picture, options=options)
    time.sleep(1.1)  # wandb's folders have a time in their names, in seconds
    return follow(name, folder, picture, options=options, known=known, first=1)


def test_tensorboard(tmp_path, picture):
    pytest.importorskip("tensorboard")
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    follow_twice("tensorboard", tmp_path / "fold_0", picture)
    events = EventAccumulator(str(tmp_path / "fold_0" / "tensorboard"))
    events.Reload()
    for name, value in FIGURES.items():
        found = [(event.step, event.value) for event in events.Scalars(name)]
        assert found == [(1, value), (2, LATER[name])]
    assert [image.step for image in events.Images("case_1")] == [1, 2]
    assert "run/text_summary" in events.Tags()["tensors"]


def test_mlflow(tmp_path, picture, monkeypatch):
    pytest.importorskip("mlflow")
    for variable in ("MLFLOW_ALLOW_FILE_STORE", "MLFLOW_HTTP_REQUEST_TIMEOUT",
                     "MLFLOW_HTTP_REQUEST_MAX_RETRIES"):  # fmt: skip
        monkeypatch.setenv(variable, "")  # put back afterwards
        monkeypatch.delenv(variable)
    uri = (tmp_path / "mlruns").as_uri()
    run = follow_twice("mlflow", tmp_path / "fold_0", picture, uri=uri, experiment="cells")
    from mlflow.tracking import MlflowClient

    client = MlflowClient(tracking_uri=uri)
    for name, value in FIGURES.items():
        found = [(metric.step, metric.value) for metric in client.get_metric_history(run, name)]
        assert found == [(1, value), (2, LATER[name])]
    kept = client.get_run(run)
    assert kept.data.params["train.initial_lr"] == "0.001"
    assert kept.info.status == "FINISHED"
    assert kept.info.experiment_id == client.get_experiment_by_name("cells").experiment_id
    assert [file.path for file in client.list_artifacts(run, "overlays")]


def test_wandb(tmp_path, picture, monkeypatch):
    pytest.importorskip("wandb")
    monkeypatch.setenv("WANDB_SILENT", "true")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        run = follow_twice("wandb", tmp_path / "fold_0", picture, mode="offline", project="p")
    end = time.monotonic() + 20
    values: list[dict] = []
    while len(values) < 2 and time.monotonic() < end:  # its service writes in a process of its own
        files = sorted((tmp_path / "fold_0/wandb").glob(f"offline-run-*-{run}/run-{run}.wandb"))
        rows = [row for file in files for row in history_of(file.read_bytes())]
        values = [row for row in rows if "dice" in row]
    assert [(row["epoch"], row["dice"]) for row in values] == [(1, 0.25), (2, 0.75)]
    assert values[1]["dice_per_class/optic disc"] == 1.0
    assert any("overlays/case_1" in row or "overlays/case_1._type" in row for row in rows)


def history_of(content):
    """Return the rows that wandb's file holds: records of protobuf in LevelDB's log format."""
    from wandb.proto import wandb_internal_pb2

    for data in records_of(content):
        record = wandb_internal_pb2.Record()
        record.ParseFromString(data)
        if record.WhichOneof("record_type") == "history":
            items = record.history.item
            names = [item.key or ".".join(item.nested_key) for item in items]
            values = [json.loads(item.value_json) for item in items]
            yield dict(zip(names, values, strict=True))


def records_of(content):
    position, parts = HEADER, b""
    while position + HEADER <= len(content):
        if BLOCK - position % BLOCK < HEADER:
            position += BLOCK - position % BLOCK
            continue
        _, length, kind = struct.unpack("<IHB", content[position : position + HEADER])
        parts += content[position + HEADER : position + HEADER + length]
        position += HEADER + length
        if kind in (1, 4):  # a whole record, or the last part of one
            yield parts
            parts = b""


def test_trackio(tmp_path, picture, monkeypatch):
    monkeypatch.setenv("TRACKIO_DIR", str(tmp_path / "trackio"))  # read when it is imported
    pytest.importorskip("trackio")
    run = follow_twice("trackio", tmp_path / "fold_0", picture, project="p")
    assert run == "run-fold_0"
    with sqlite3.connect(tmp_path / "trackio" / "p.db") as database:
        rows = database.execute("SELECT run_name, step, metrics FROM metrics").fetchall()
    assert {name for name, _, _ in rows} == {run}
    kept = {step: json.loads(figures) for _, step, figures in rows if b"dice" in figures}
    assert kept == {1: FIGURES, 2: LATER}
    assert sum(b"overlays/case_1" in figures for _, _, figures in rows) == 2


def test_a_password_in_an_address_is_refused():
    options = named_tracker("mlflow").options
    with pytest.raises(ValueError, match="MLFLOW_TRACKING_PASSWORD"):
        options(uri="http://localhost:secret@localhost/")
    assert options(uri="http://localhost/").uri == "http://localhost/"


def test_all_are_described():
    assert list(own_trackers()) == ["mlflow", "tensorboard", "trackio", "wandb"]
    for tracker in own_trackers().values():
        assert tracker.summary and tracker.distribution
        assert all(field.description for field in tracker.options.model_fields.values())
