"""Locks on files: once per process, told apart from file systems that have none."""

import errno
import subprocess
import sys

import pytest

from nnunet_vit.errors import MachineError
from nnunet_vit.files.locks import LockedError, given_back, lock, waited_for
from nnunet_vit.nnunet.folders import claim

fcntl = pytest.importorskip("fcntl")
pytestmark = pytest.mark.unit

TRY = (
    "import pathlib, sys\n"
    "from nnunet_vit.files.locks import LockedError, lock\n"
    "try:\n"
    "    lock(pathlib.Path(sys.argv[1]), shared=sys.argv[2] == 'shared')\n"
    "except LockedError as error:\n"
    "    print('held', error)\n"
    "else:\n"
    "    print('free')\n"
)


def from_another_process(path, kind="alone"):
    done = subprocess.run(
        [sys.executable, "-c", TRY, path, kind], capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def test_closing_a_second_claim_keeps_the_first(tmp_path):
    with claim(tmp_path) as first:
        claim(tmp_path).close()
        assert from_another_process(tmp_path / "run.lock").startswith("held ")
    assert first.file.closed
    assert from_another_process(tmp_path / "run.lock") == "free"


def test_a_lock_that_is_shared_lets_others_share_it_and_nobody_hold_it_alone(tmp_path):
    path = tmp_path / "data.lock"
    with lock(path, shared=True) as held:
        held.write("me")
        assert from_another_process(path, "shared") == "free"
        assert from_another_process(path) == "held me"


def test_what_another_process_holds_is_refused_with_what_it_wrote(tmp_path):
    path = tmp_path / "data.lock"
    source = TRY.replace("print('free')", "print('free', flush=True); sys.stdin.read()")
    command = [sys.executable, "-c", source, str(path), "alone"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as it:
        assert it.stdout.readline() == "free\n"
        path.write_text("somebody")
        with pytest.raises(LockedError, match=r"^somebody$"):
            lock(path)
        it.communicate("")
    lock(path).close()


@pytest.fixture
def refusing(monkeypatch, tmp_path):
    """Let the system refuse to lock files below a folder, with an error number."""

    def refuse(folder, number):
        real = fcntl.lockf

        def lockf(file, *arguments):
            if str(folder) in file.name:
                raise OSError(number, "refused")
            return real(file, *arguments)

        monkeypatch.setattr(fcntl, "lockf", lockf)
        monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))

    return refuse


@pytest.mark.parametrize("number", [errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS])
def test_a_file_system_without_locks_is_said_and_this_machine_kept_apart(
    tmp_path, refusing, number
):
    fold = tmp_path / "nfs" / "fold_0"
    refusing(tmp_path / "nfs", number)
    with claim(fold) as held:
        assert held.notice == (
            f"{fold} lies on a file system without locks: trainings of this machine are kept "
            "apart, those of other machines are not."
        )
        (stand_in,) = (tmp_path / "temporary").glob("*/*")
        assert from_another_process(stand_in).startswith("held ")
    assert from_another_process(stand_in) == "free"


def test_another_error_of_the_lock_is_not_taken_for_a_training(tmp_path, refusing):
    fold = tmp_path / "broken" / "fold_0"
    refusing(tmp_path / "broken", errno.EIO)
    with pytest.raises(MachineError) as caught:
        claim(fold)
    assert str(caught.value) == (
        f"{fold / 'run.lock'} cannot be locked: refused. Fix: choose a folder on another disk."
    )


def test_a_lock_in_a_files_place_is_refused(tmp_path):
    (tmp_path / "fold_0").touch()
    with pytest.raises(MachineError, match="cannot be written"):
        claim(tmp_path / "fold_0")


RANK = (
    "import pathlib, sys\n"
    "from nnunet_vit.errors import MachineError\n"
    "from nnunet_vit.training.trainer import nnUNetTrainer_vit\n"
    "trainer = nnUNetTrainer_vit.__new__(nnUNetTrainer_vit)\n"
    "trainer.output_folder = sys.argv[1]\n"
    "for trainer.local_rank in (1, 0):\n"
    "    try:\n"
    "        trainer.claim_fold()\n"
    "    except MachineError:\n"
    "        print('refused')\n"
    "    else:\n"
    "        print('started')\n"
)


def test_one_rank_claims_the_fold_for_all(tmp_path):
    with claim(tmp_path):  # what rank 0 of the same training holds, or another training
        command = [sys.executable, "-c", RANK, str(tmp_path)]
        done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["started", "refused"]


def test_what_a_training_left_locked_is_given_back_in_a_notebook(tmp_path):
    paths = [tmp_path / "fold.lock", tmp_path / "data.lock"]
    with lock(paths[0]):
        with pytest.raises(KeyError), given_back():
            lock(paths[0])  # once more, as the trainer does
            lock(paths[1], shared=True)
            lock(paths[1], shared=True)
            assert from_another_process(paths[1]).startswith("held")
            raise KeyError
        assert from_another_process(paths[0]).startswith("held")  # the one from before
        assert from_another_process(paths[1]) == "free"
    assert from_another_process(paths[0]) == "free"


def test_waiting_for_another_process_is_said(tmp_path):
    path, said = tmp_path / "preparing", []
    with waited_for(path, lambda: said.append("waiting")):
        assert said == []
    source = TRY.replace("print('free')", "print('free', flush=True); sys.stdin.read()")
    command = [sys.executable, "-c", source, str(path), "alone"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as it:
        assert it.stdout.readline() == "free\n"

        def waiting():
            said.append("waiting")
            it.stdin.close()  # ends the other process

        with waited_for(path, waiting):
            assert from_another_process(path).startswith("held")
    assert said == ["waiting"]
