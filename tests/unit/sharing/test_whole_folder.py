"""A folder that appears whole or not at all."""

import os
import signal
import subprocess
import sys
import time

import pytest
from shared_models import everything_in, exported, installed

from nnunet_vit.report.progress import Progress
from nnunet_vit.sharing.install_model import Request, install
from nnunet_vit.sharing.model_list import model_rows
from nnunet_vit.sharing.whole_folder import ASIDE, SCRATCH, put_back, scratch_folder, staged

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


KILLED = """
import os, signal, sys
from nnunet_vit.cli import main
rename, done = os.rename, []
def killed(source, place):
    if len(done) == int(sys.argv[1]):
        os.kill(os.getpid(), signal.SIGKILL)
    rename(source, place)
    done.append(place)
os.rename = killed
main(sys.argv[2:])
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


@pytest.fixture
def killed_install(model, bundle, tmp_path):
    """Install a model, and return what replaces it by another one and is killed meanwhile."""
    target = installed(bundle, tmp_path / "results")
    other = exported(model, tmp_path / "one.zip", folds=["0"])

    def run(renames):
        words = ["install", str(other), "--results", str(tmp_path / "results"), "--overwrite"]
        done = subprocess.run([sys.executable, "-c", KILLED, str(renames), *words], check=False)
        assert done.returncode == -signal.SIGKILL
        return target

    return run


def folds_of(folder):
    return sorted(path.name for path in folder.glob("fold_*"))


def test_a_kill_between_the_two_renames_loses_no_model(killed_install, bundle, tmp_path):
    target = killed_install(1)
    assert not target.exists()
    (row,) = model_rows(target.parent)
    assert row.path.name.startswith(f"{ASIDE}{target.name}-") and len(row.folds) == 3
    assert row.problems[0].endswith(f"or: mv {row.path} {target}")
    lines, progress = [], Progress()
    progress.log = lines.append
    assert install(bundle, Request(tmp_path / "results"), progress).was_there
    assert lines == [f"{target} is back: another installation was killed while it replaced it."]
    assert os.listdir(target.parent) == [target.name] and len(folds_of(target)) == 3


def test_a_kill_after_them_leaves_the_new_model_alone(killed_install, tmp_path):
    target = killed_install(2)
    assert folds_of(target) == ["fold_0"]
    assert [row.path for row in model_rows(target.parent)] == [target]
    installed(tmp_path / "one.zip", tmp_path / "results")
    assert os.listdir(target.parent) == [target.name] and folds_of(target) == ["fold_0"]


def test_nothing_is_put_back_where_nothing_was_set_aside(tmp_path):
    fill(tmp_path / "c", "1")
    (tmp_path / f"{ASIDE}d-0123abcd").mkdir()
    before = everything_in(tmp_path)
    assert not put_back(tmp_path / "c") and not put_back(tmp_path / "e/f")
    assert everything_in(tmp_path) == before
