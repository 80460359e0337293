"""Folds at the same time: errors of their commands, and what each of them may use."""

import os
import subprocess
import sys

import pytest

from nnunet_vit.config.models import ViTnnUNetConfig
from nnunet_vit.errors import ConfigError, DataError, MachineError
from nnunet_vit.report.progress import Progress
from nnunet_vit.training import side_by_side
from nnunet_vit.training.side_by_side import Commands

pytestmark = pytest.mark.unit


def run_of(fold, **paths):
    return ViTnnUNetConfig.model_validate(
        {
            "data": {"dataset": 5, "fold": fold},
            "model": {"head": "linear", "backbone": "timm:test_vit", "pretrained": False},
            "paths": paths,
        }
    )


def test_errors_of_all_folds_are_one(tmp_path):
    """Real commands; there is no such dataset."""
    paths = {name: str(tmp_path / name) for name in ("raw", "preprocessed", "results")}
    (tmp_path / "raw").mkdir()
    commands = Commands({f: run_of(f, **paths) for f in (0, 3)}, ["cpu", "cpu"], [], Progress())
    with pytest.raises((DataError, ConfigError)) as caught:
        commands.run(2)
    assert caught.value.problem.startswith("Fold 0, 3: ")
    assert "5" in caught.value.problem
    assert commands.running == []


@pytest.mark.parametrize(
    ("code", "text", "kind", "words"),
    [
        (3, "error[data]: x.png is empty. Fix: remove it.", DataError, "x.png is empty."),
        (3, "error[data]: two\n  lines", DataError, "two\n  lines"),
        (1, "error[bug]: KeyError: 'a'. Fix: report", MachineError, "ended with 1: error[bug]"),
        (-9, "", MachineError, "ended with -9: it said nothing"),
    ],
)
def test_the_error_of_a_command(code, text, kind, words):
    found = side_by_side._error_of(code, text)
    assert type(found) is kind
    assert words in found.problem
    assert found.fix == ("remove it." if "remove" in text else "")


def test_different_errors_are_told_with_their_folds():
    bad = DataError("bad file.", "mend it.")
    failed = {0: bad, 2: MachineError("full."), 4: DataError("bad file.")}
    found = side_by_side._together(failed)
    assert (type(found), found.fix) == (DataError, "mend it.")
    assert found.problem == "Fold 0, 4: bad file. Fold 2: full."


def test_commands_share_the_processors(monkeypatch):
    monkeypatch.setattr(os, "cpu_count", lambda: 8)
    for variable in ("OMP_NUM_THREADS", "nnUNet_n_proc_DA", "nnUNet_def_n_proc"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("nnUNet_n_proc_DA", "8")  # the usual one
    monkeypatch.setenv("nnUNet_def_n_proc", "5")  # somebody's own
    found = side_by_side._environment(4)
    assert (found["OMP_NUM_THREADS"], found["nnUNet_n_proc_DA"]) == ("2", "2")
    assert found["nnUNet_def_n_proc"] == "5"


FOLLOWER = """
import time
from nnunet_vit.report import stopping
with stopping.listening():
    stopping.follow_parent()
    try:
        print("ready", flush=True)
        time.sleep(60)
    except KeyboardInterrupt:
        print("stopped", stopping.exit_code(), flush=True)
"""


def test_a_command_stops_when_its_parent_is_gone():
    process = subprocess.Popen(
        [sys.executable, "-c", FOLLOWER],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
        env={**os.environ, "NNUNET_VIT_FOLLOWS": "1"},
    )  # fmt: skip
    assert process.stdout.readline() == "ready\n"
    process.stdin.close()
    assert process.stdout.read() == "stopped 143\n"
    assert process.wait() == 0
