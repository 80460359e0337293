"""What a fold's folder holds, decided in one place."""

import shutil

import pytest

from nnunet_vit.checkpoints.fold_folder import BEST_FILE, FINAL_FILE, KINDS, FoldFolder
from nnunet_vit.errors import ModelError

pytestmark = pytest.mark.unit

EPOCHS = 3


@pytest.fixture
def fold(tmp_path, checkpoint_of):
    """`fold(1, 2, whole=True)` returns a folder with checkpoints of those epochs."""

    def make(*epochs, whole=False, best=()):
        folder = FoldFolder(tmp_path / "fold_0")
        folder.path.mkdir()
        for epoch in epochs:
            folder.store.save(checkpoint_of(epoch), best=epoch in best)
        if whole:
            folder.whole.touch()
        return folder

    return make


@pytest.mark.parametrize(
    ("epochs", "whole", "kinds", "trained", "ends", "content"),
    [
        ((), False, "", False, False, ""),
        ((1, 2), False, "best latest", False, False, "checkpoint of epoch 2"),
        ((2, 3), False, "final best latest", True, False, "checkpoint of epoch 3"),
        ((2, 3), True, "final best latest", True, True, FINAL_FILE),
        ((), True, "final", True, True, FINAL_FILE),
        ((1, 2), True, "final best latest", True, False, FINAL_FILE),
    ],
)
def test_what_is_there(fold, epochs, whole, kinds, trained, ends, content):
    folder = fold(*epochs, whole=whole)
    assert [kind for kind in KINDS if folder.has(kind, EPOCHS)] == kinds.split()
    assert folder.is_trained(EPOCHS) == trained
    assert folder.ends_with_full_model(EPOCHS) == ends
    assert folder.content() == content
    assert folder.holds_result() == bool(content)


def test_the_best_and_the_latest_are_two(fold):
    folder = fold(1, 2, 3, best=(2,))
    assert folder.checkpoint("best").epoch == 2
    assert folder.checkpoint("latest").epoch == folder.checkpoint("final").epoch == 3


def test_a_folder_that_is_not_there(tmp_path):
    folder = FoldFolder(tmp_path / "fold_4")
    assert not folder.holds_result()
    assert folder.checkpoint("latest") is None


def test_the_files_have_nnunets_names():
    assert (FINAL_FILE, BEST_FILE) == ("checkpoint_final.pth", "checkpoint_best.pth")


def test_probabilities_of_a_validation(fold):
    folder = fold()
    validation = folder.path / "validation"
    validation.mkdir()
    for name in ("a.npz", "a.pkl", "a.png", "b.png"):
        (validation / name).touch()
    assert folder.has_probabilities(["a"])
    assert not folder.has_probabilities(["a", "b"])
    folder.forget_probabilities()
    assert sorted(file.name for file in validation.iterdir()) == ["a.png", "b.png"]


def test_the_digest_of_a_final_model(fold):
    folder = fold(2, 3)
    small = folder.digest()
    assert len(small) == 64
    folder.whole.write_bytes(b"model")
    assert folder.digest() not in ("", small)
    assert FoldFolder(folder.path.with_name("fold_1")).digest() == ""


def test_no_older_checkpoint_is_the_final_one(fold):
    folder = fold(2, 3)
    digest = folder.digest()
    assert len(digest) == 64
    last = folder.store.saves / "epoch_00003"
    weights = (last / "weights.safetensors").read_bytes()
    (last / "weights.safetensors").write_bytes(weights[:-1])
    with pytest.raises(ModelError) as caught:
        folder.checkpoint("final")
    assert caught.value.problem == (
        f"{last}, the final checkpoint, is missing or damaged; the newest that is intact is of "
        "epoch 2."
    )
    assert "--checkpoint latest" in caught.value.fix
    assert folder.checkpoint("latest").epoch == 2
    shutil.rmtree(last)
    assert folder.digest() == ""
    with pytest.raises(ModelError, match="epoch_00003, the final checkpoint, is missing"):
        folder.checkpoint("final")


def test_the_last_epoch_is_final_without_a_pointer_too(fold):
    folder = fold(2, 3)
    (folder.path / "LATEST").unlink()
    assert folder.checkpoint("final").epoch == 3
    assert folder.digest() == ""
