"""Many train on preprocessed data at once, and nobody changes them meanwhile."""

import subprocess
import sys

import pytest

from nnunet_vit.data.preprocessing.in_use import nobody_trains_on, train_on
from nnunet_vit.errors import MachineError

pytestmark = pytest.mark.unit

HOLDER = (
    "import sys, pathlib\n"
    "from nnunet_vit.data.preprocessing.in_use import train_on\n"
    "train_on(pathlib.Path(sys.argv[1]), 'fold 3 of 2d')\n"
    "print('in', flush=True)\n"
    "sys.stdin.read()\n"
)


@pytest.fixture
def training(tmp_path):
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdout.readline() == b"in\n"
    yield process
    process.kill()
    process.communicate()


def test_data_that_a_fold_trains_on_are_not_changed(tmp_path, training):
    with pytest.raises(MachineError) as caught, nobody_trains_on(tmp_path):
        pass
    assert str(caught.value) == (
        f"The preprocessed data in {tmp_path} cannot be changed while they are trained on: fold 3 "
        f"of 2d in process {training.pid}. Fix: wait for it or stop it."
    )
    train_on(tmp_path, "fold 4 of 2d")  # beside the other
    train_on(tmp_path, "fold 4 of 2d")
    with pytest.raises(MachineError), nobody_trains_on(tmp_path):
        pass
    training.kill()
    training.communicate()
    with nobody_trains_on(tmp_path):
        assert (tmp_path / ".in_use").read_text() == ""


def test_nobody_starts_while_data_change(tmp_path):
    with nobody_trains_on(tmp_path):
        done = subprocess.run(
            [sys.executable, "-c", HOLDER, str(tmp_path)], input=b"", capture_output=True
        )
    assert b"MachineError: The preprocessed data in" in done.stderr
    assert b"are being made again by another process" in done.stderr


def test_again_is_refused_while_a_fold_trains(prepared, again, nnunet, rewrite):
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(prepared)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdout.readline() == b"in\n"
    try:
        for asked in ({"again": True}, {"update": True}):
            if "update" in asked:
                (prepared / "nnUNetPlans_2d" / "a.pkl").unlink()  # would be preprocessed again
            with pytest.raises(MachineError) as caught:
                again(**asked)
            assert "while they are trained on" in str(caught.value)
    finally:
        process.kill()
        process.communicate()
    assert nnunet == []


def test_a_failed_change_lets_others_train_again(tmp_path):
    train_on(tmp_path, "fold 0 of 2d")  # in this process, as in a notebook
    with pytest.raises(ValueError, match="a bad mask"), nobody_trains_on(tmp_path):
        raise ValueError("a bad mask")
    other = subprocess.run([sys.executable, "-c", HOLDER, str(tmp_path)], input="", text=True)
    assert other.returncode == 0


def test_a_notebook_that_has_trained_is_not_named(tmp_path):
    from nnunet_vit.files.locks import given_back

    with given_back():
        train_on(tmp_path, "fold 0 of 2d")
        assert "fold 0" in (tmp_path / ".in_use").read_text()
    assert (tmp_path / ".in_use").read_text() == ""
