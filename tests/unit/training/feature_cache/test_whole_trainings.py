"""Trainings with kept features: stopped and resumed, from memory and disk, to the same bits."""

import json
import os
import shutil
from pathlib import Path

import pytest
import torch
from cached_runs import CachedRuns, fold_of, same_bits

from nnunet_vit.errors import NumericsError
from nnunet_vit.training.feature_cache.first_batches import first_batches
from nnunet_vit.training.feature_cache.opened_store import FOLDER, RECORD

pytestmark = [pytest.mark.unit, pytest.mark.slow]
LOTS = 8  # 4 views of 4 training cases, 2 at a time; an epoch has 3 steps
DISK = {"where": "disk"}


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    return CachedRuns(tmp_path_factory.mktemp("cached"))


@pytest.fixture(autouse=True)
def in_this_process(monkeypatch):
    monkeypatch.setenv("nnUNet_n_proc_DA", "0")


@pytest.fixture(scope="module", autouse=True)
def without_workers():
    with pytest.MonkeyPatch.context() as patch:
        for name in ("raw", "preprocessed", "results"):  # of this file's runs, in their paths
            patch.setenv(f"nnUNet_{name}", "")
        patch.setenv("nnUNet_n_proc_DA", "0")
        yield


@pytest.fixture(scope="module")
def unbroken(runs):
    return runs.trained("unbroken", cache={})


@pytest.fixture(scope="module")
def kept(runs, unbroken):
    """A training that stopped when all its views were made."""
    return runs.trained("kept", cache=DISK, after=3)


def files_of(trainer):
    return sorted((fold_of(trainer) / FOLDER).glob("*"))


def test_what_is_kept_is_said_and_recorded(unbroken):
    (line,) = [line for line in unbroken.progress.lines if line.startswith("Features of")]
    assert line.startswith("Features of 16 views of 4 training cases are kept in memory: ")
    assert "The first 8 steps make them; later ones draw from these views, without fresh" in line
    record = json.loads((fold_of(unbroken) / RECORD).read_text())
    assert (record["views"], record["cases"], record["steps"]) == (16, 4, LOTS)
    assert record["bytes"] == 16 * (4 * 3 * 32 * 48 + 2 * 32 * 48 + 2 * 64 * 2 * 3)
    assert record["mirroring_errors"].keys() == {"-2", "-1"}
    assert line in (fold_of(unbroken) / next(fold_of(unbroken).glob("training_log*"))).read_text()


@pytest.mark.parametrize("after", [1, 3])  # while views are made, and when all are
@pytest.mark.parametrize("cache", [{}, DISK], ids=["memory", "disk"])
def test_a_resumed_training_equals_the_unbroken_one_bit_by_bit(runs, unbroken, cache, after):
    name = f"resumed {after} {cache}"
    stopped = runs.trained(name, cache=cache, after=after)
    assert len(files_of(stopped)) == (min(3 * after, LOTS) if cache else 0)
    resumed = runs.trained(name, cache=cache, resumes=True)
    again = [("Computing kept features again", min(3 * after, LOTS))]
    read = [("Checking kept features", min(3 * after, LOTS))]
    assert resumed.progress.parts == (read if cache else again)
    assert same_bits(resumed, unbroken)
    assert files_of(resumed) == []  # the training is done


def test_a_run_may_go_on_in_the_other_place(runs, unbroken):
    runs.trained("moved", cache={}, after=1)
    stopped = runs.trained("moved", cache=DISK, resumes=True, after=3)
    assert len(files_of(stopped)) == LOTS
    assert same_bits(runs.trained("moved", cache={}, resumes=True), unbroken)
    assert files_of(stopped) == []


def test_workers_change_no_bit(runs, unbroken, monkeypatch):
    monkeypatch.setenv("nnUNet_n_proc_DA", "2")
    assert same_bits(runs.trained("workers", cache={}), unbroken)


def test_damaged_and_half_written_files_are_made_again(runs, unbroken):
    stopped = runs.trained("damaged", cache=DISK, after=3)
    first, second, *_ = files_of(stopped)
    content = bytearray(first.read_bytes())
    content[-1] ^= 1
    first.write_bytes(content)
    second.write_bytes(second.read_bytes()[:-100])
    left = second.with_name(".tmp-half")
    left.write_bytes(b"half")
    resumed = runs.trained("damaged", cache=DISK, resumes=True)
    told = "2 files of kept features not what was written: made again."
    assert resumed.progress.warnings[-1] == told
    assert resumed.progress.parts[-1] == ("Computing kept features again", 2)
    assert not left.exists()
    assert same_bits(resumed, unbroken)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"seed": 8}, "the number of views, the seed, the batch or the augmentation"),
        ({"augmentation": "none"}, "the number of views, the seed, the batch"),
        ({"batch_size": 4}, "nnU-Net's plans; the number of views, the seed, the batch"),
        ({"patch_size": [32, 32]}, "the size or normalization of its input"),
        ({"cache": {**DISK, "views": 5}}, "the number of views"),
        ({"cache": {**DISK, "dtype": "float32"}}, "the type of the numbers"),
        ({"model": {"precision": "bfloat16"}}, "its precision"),
        ({"model": {"input_mean": [0.1] * 3, "input_std": [0.3] * 3}}, "frozen weights"),
        ({"model": {"head": "segformer"}}, "what the head asks for"),
        ({"model": {"backbone": "timm:vit_tiny_patch16_224"}}, "the backbone's frozen weights"),
        ({"model": {"tuning": "last_blocks", "trained_blocks": 1}}, "frozen weights"),
    ],
    ids=lambda value: str(value)[:30],
)
def test_what_changes_features_or_views_makes_them_again(runs, kept, changes, words):
    name = f"changed {changes}"
    trainer = runs.trainer(name, **{"cache": DISK, **changes})
    assert_made_again(trainer, kept, words)


def test_views_of_the_same_run_are_taken(runs, kept):
    trainer = runs.trainer("the same", cache=DISK)
    opened(trainer, kept)
    assert len(files_of(trainer)) == len(files_of(kept)) == LOTS
    assert not any("made again" in line for line in trainer.progress.lines)


def test_a_changed_preprocessed_file_makes_them_again(runs, kept):
    trainer = runs.trainer("changed file", cache=DISK)
    case = trainer.do_split()[0][0]
    file = next(Path(trainer.preprocessed_dataset_folder).glob(f"{case}.b2nd"))
    before = file.stat()
    try:
        os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns + 1))
        assert_made_again(trainer, kept, "the training cases, their files")
    finally:
        os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))


def test_another_weights_file_makes_them_again(runs, kept, monkeypatch):
    trainer = runs.trainer("changed weights", cache=DISK)
    trainer.initialize()
    with torch.no_grad():
        trainer.bare_network.model.backbone.model.blocks[1].mlp.fc2.weight[0, 0] += 1e-6
    assert_made_again(trainer, kept, "the backbone's frozen weights")


def opened(trainer, kept):
    """Open the cache of a training in whose folder there are the files of another one."""
    shutil.copytree(fold_of(kept) / FOLDER, fold_of(trainer) / FOLDER)
    shutil.copy(fold_of(kept) / RECORD, fold_of(trainer))
    if not trainer.was_initialized:
        trainer.initialize()
    trainer.get_dataloaders()


def assert_made_again(trainer, kept, words):
    opened(trainer, kept)
    (said,) = [line for line in trainer.progress.lines if "made again" in line]
    assert words in said
    assert files_of(trainer) == []


def test_validation_is_never_fed_from_it(runs):
    trainer = runs.trained("validated", cache={}, after=3)
    batch = next(trainer.dataloader_val)
    trainer.on_validation_epoch_start()
    with torch.no_grad():
        before = trainer.validation_step(batch)
        for rows in trainer.dataloader_train.store._rows.values():
            rows.fill_(0)
        after = trainer.validation_step(batch)
    assert before["loss"] == after["loss"]
    trainer.on_train_epoch_start()
    with pytest.raises(NumericsError):  # while training steps are
        for rows in trainer.dataloader_train.store._rows.values():
            rows.fill_(float("nan") if rows.is_floating_point() else 0)
        trainer.train_step(next(trainer.dataloader_train))


def test_a_shown_batch_is_that_of_the_first_step(runs):
    trainer = runs.trainer("shown", cache={})
    trainer.enable_deep_supervision = False
    trainer._set_batch_size_and_oversample()
    shown = next(first_batches(trainer))
    trainer.initialize()
    batches, _ = trainer.get_dataloaders()
    assert torch.equal(shown["data"], next(batches)["data"])
