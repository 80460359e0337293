"""Folds at the same time: errors of their commands, and what each of them may use."""

import os
import subprocess
import sys

import pytest
from processor_counts import with_processors

from nnunet_vit.config.models import ViTnnUNetConfig
from nnunet_vit.errors import ConfigError, DataError, MachineError
from nnunet_vit.nnunet.folders import CHOSEN
from nnunet_vit.report.progress import Progress
from nnunet_vit.training import side_by_side
from nnunet_vit.training.side_by_side import Commands
from nnunet_vit.training.worker_memory import SHARING

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
    assert all(process.poll() is not None for process in commands.running)


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
    assert ("remove it." in found.fix) == ("remove" in text)


def test_different_errors_are_told_with_their_folds():
    bad = DataError("bad file.", "mend it.")
    failed = {0: bad, 2: MachineError("full."), 4: DataError("bad file.")}
    found = side_by_side._together(failed)
    assert (type(found), found.fix) == (DataError, "mend it.")
    assert found.problem == "Fold 0, 4: bad file. Fold 2: full."


def test_commands_share_the_processors(monkeypatch):
    with_processors(monkeypatch, 8)
    for variable in ("OMP_NUM_THREADS", "nnUNet_n_proc_DA", "nnUNet_def_n_proc", CHOSEN):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("nnUNet_n_proc_DA", "8")  # the usual one
    monkeypatch.setenv("nnUNet_def_n_proc", "5")  # somebody's own
    found = side_by_side._environment(4, True)
    assert (found["OMP_NUM_THREADS"], found["nnUNet_n_proc_DA"]) == ("2", "2")
    assert found["nnUNet_def_n_proc"] == "5"
    # a command may take fewer where memory is short: the first is nobody's own, the second is
    assert found[CHOSEN].split() == ["nnUNet_n_proc_DA=2"]
    assert found[SHARING] == "4"


def test_no_command_starts_while_all_are_stopped(monkeypatch, tmp_path):
    """A thread that was about to start one when the key was pressed stops it."""
    commands = Commands({0: run_of(0)}, ["cpu"], [], Progress())
    monkeypatch.setattr(side_by_side, "PROGRAM", "import time; time.sleep(60)")
    commands._stop()
    found = commands._follow(0, ["train"])
    assert "ended with -15" in found.problem
    import queue

    free = queue.SimpleQueue()
    free.put("cpu")
    assert commands._train(0, tmp_path, free) is None
    assert len(commands.running) == 1


def test_the_folder_of_the_command_hides_no_module_of_pythons_own(monkeypatch, tmp_path):
    for name in ("queue", "profile", "random"):
        (tmp_path / f"{name}.py").write_text("raise RuntimeError('not this one')")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [p for p in sys.path if p])
    said = []
    progress = Progress()
    progress.log = said.append
    assert Commands({0: None}, ["cpu"], [], progress)._follow(0, ["--version"]) is None
    assert any("nnunet-vit 0." in line for line in said)


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
