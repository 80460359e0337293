"""A folder that appears whole or not at all."""

import os
import signal
import subprocess
import sys
import time

import pytest

from nnunet_vit.sharing.whole_folder import SCRATCH, scratch_folder, staged

pytestmark = pytest.mark.unit
WAITING = """
import sys, time
from pathlib import Path
from nnunet_vit.sharing.whole_folder import staged
with staged(Path(sys.argv[1])) as folder:
    (folder / "half.bin").write_text("x")
    print("ready", flush=True)
    time.sleep(60)
"""


def fill(target, content, **choice):
    with staged(target, **choice) as folder:
        (folder / "file").write_text(content)


def test_a_folder_and_those_above_it(tmp_path):
    fill(tmp_path / "a/b/c", "1")
    assert (tmp_path / "a/b/c/file").read_text() == "1"
    assert [path.name for path in (tmp_path / "a/b").iterdir()] == ["c"]


def test_what_goes_wrong_leaves_nothing(tmp_path):
    (tmp_path / "a").mkdir()
    with pytest.raises(RuntimeError), staged(tmp_path / "a/b/c") as folder:
        (folder / "file").write_text("1")
        raise RuntimeError
    assert list(tmp_path.rglob("*")) == [tmp_path / "a"]


def test_another_folder_is_replaced_on_request_alone(tmp_path):
    target = tmp_path / "c"
    fill(target, "1")
    with pytest.raises(OSError, match="not empty"):
        fill(target, "2")
    assert (target / "file").read_text() == "1"
    fill(target, "3", replace=True)
    assert (target / "file").read_text() == "3" and os.listdir(tmp_path) == ["c"]


def test_a_rename_that_fails_puts_the_older_one_back(tmp_path, monkeypatch):
    target = tmp_path / "c"
    fill(target, "1")
    rename = os.rename

    def fails(source, place):
        if str(source).endswith("content"):
            raise OSError("no")
        rename(source, place)

    monkeypatch.setattr(os, "rename", fails)
    with pytest.raises(OSError, match="no"):
        fill(target, "2", replace=True)
    assert (target / "file").read_text() == "1" and os.listdir(tmp_path) == ["c"]


def test_what_a_killed_process_left_is_removed_and_that_of_a_living_one_is_not(tmp_path):
    command = [sys.executable, "-c", WAITING, str(tmp_path / "theirs")]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "ready\n"
        with scratch_folder(tmp_path):
            assert len(list(tmp_path.glob(f"{SCRATCH}*"))) == 2
        assert len(list(tmp_path.glob(f"{SCRATCH}*/content/half.bin"))) == 1
        process.send_signal(signal.SIGKILL)
        process.wait()
        time.sleep(0.05)
    fill(tmp_path / "mine", "1")
    assert os.listdir(tmp_path) == ["mine"]
