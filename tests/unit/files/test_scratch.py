"""Folders for a while: many begin at once in one place, and what killed processes left."""

import os
import shutil
import subprocess
import sys
import time

import pytest

from nnunet_vit.files import scratch
from nnunet_vit.files.locks import LockedError, lock
from nnunet_vit.files.scratch import DAY, LOCK, scratch_in

pytestmark = pytest.mark.unit
BUSY = """
import sys, time
from pathlib import Path
from nnunet_vit.files.scratch import scratch_in
print(flush=True)
sys.stdin.readline()
end = time.time() + 1
while time.time() < end:
    with scratch_in(Path(sys.argv[1]), ".x-") as folder:
        (folder / "file").write_text("mine")
        assert (folder / "file").read_text() == "mine"
"""


def test_many_processes_begin_at_once(tmp_path):
    command = [sys.executable, "-c", BUSY, str(tmp_path)]
    all_of_them = [
        subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    for one in all_of_them:
        one.stdout.readline()
    for one in all_of_them:
        one.stdin.write("\n")
        one.stdin.flush()
    assert [one.communicate() and one.returncode for one in all_of_them] == [0] * 3
    assert not list(tmp_path.iterdir())


def locked_by_another(path):
    raise LockedError


def removed_after_it_is_locked(path):
    held = lock(path)
    shutil.rmtree(path.parent)
    return held


@pytest.mark.parametrize("first", [locked_by_another, removed_after_it_is_locked])
def test_another_process_is_about_to_remove_the_new_folder(tmp_path, monkeypatch, first):
    locks = [first, lock]
    monkeypatch.setattr(scratch, "lock", lambda path: locks.pop(0)(path))
    with scratch_in(tmp_path, ".x-") as folder:
        (folder / "file").touch()
    assert not locks


@pytest.mark.parametrize(("age", "stays"), [(DAY / 2, True), (DAY * 2, False)])
def test_where_there_are_no_locks_only_old_folders_are_removed(tmp_path, monkeypatch, age, stays):
    left = tmp_path / ".x-left"
    left.mkdir()
    (left / LOCK).touch()
    os.utime(left, (time.time() - age, time.time() - age))
    monkeypatch.setattr(scratch, "_keeps_apart", lambda held: False)
    with scratch_in(tmp_path, ".x-"):
        assert left.exists() is stays


def test_one_inside_another(tmp_path):
    with scratch_in(tmp_path, ".x-") as outer, scratch_in(tmp_path, ".x-") as inner:
        assert outer.is_dir() and inner.is_dir() and outer != inner
