"""What a store keeps, names and gives back where nothing is broken."""

import json
import os
import re
import stat

import pytest
import torch

from nnunet_vit.checkpoints.store import Checkpoint, CheckpointStore
from nnunet_vit.errors import ModelError, NumericsError

pytestmark = pytest.mark.unit


def names(store):
    return sorted(path.name for path in store.saves.iterdir())


def test_nothing_saved(store):
    assert store.latest() is None
    assert not store.exists()
    assert not store.has_best()
    assert store.epoch_of_latest() is None
    assert not store.folder.exists()
    with pytest.raises(ModelError) as caught:
        store.best()
    assert str(caught.value) == f"{store.folder}: BEST is missing or damaged."


def test_round_trip_of_every_kind_of_tensor(store):
    weights = {
        "scalar": torch.tensor(0.1, dtype=torch.float64),
        "half": torch.randn(3, 2).to(torch.bfloat16),
        "flags": torch.tensor([True, False]),
        "none": torch.zeros(0, 3),
        "turned": torch.randn(3, 5).T,
        "part": torch.randn(8)[2:5],
    }
    weights["tied"] = weights["half"]
    state = {"text": "é", "deep": {"list": [1, 2.5, None, True]}, "nan": float("nan"), "e": 1e-310}
    store.save(Checkpoint(1, weights, {}, state), best=False)
    found = store.latest()
    assert set(found.weights) == set(weights)
    for name, tensor in weights.items():
        assert found.weights[name].dtype == tensor.dtype
        assert torch.equal(found.weights[name], tensor)
    assert found.optimizer == {}
    assert found.state.pop("nan") != state.pop("nan")
    assert found.state == state


def test_the_layout(saved):
    store = saved(4, 5, best=5)
    assert sorted(path.name for path in store.folder.iterdir()) == ["BEST", "LATEST", "ckpt"]
    assert names(store) == ["epoch_00004", "epoch_00005"]
    folder = store.saves / "epoch_00005"
    assert sorted(path.name for path in folder.iterdir()) == [
        "MANIFEST.json",
        "optim.safetensors",
        "state.json",
        "weights.safetensors",
    ]
    manifest = json.loads((folder / "MANIFEST.json").read_text())
    assert manifest["schema"] == 1
    assert {name: file["bytes"] for name, file in manifest["files"].items()} == {
        name: (folder / name).stat().st_size
        for name in ("weights.safetensors", "optim.safetensors", "state.json")
    }
    assert json.loads((folder / "state.json").read_text())["epoch"] == 5
    assert json.loads((store.folder / "LATEST").read_text())["dir"] == "epoch_00005"


def test_files_are_readable_for_those_who_may_read_the_folder(saved):
    folder = saved(1).saves / "epoch_00001"
    mode = stat.S_IMODE(folder.stat().st_mode) & 0o666
    assert {stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()} == {mode}


def test_latest_and_best_in_another_process_of_the_run(saved, assert_is):
    folder = saved(1, 2, 3, best=2).folder
    again = CheckpointStore(folder)
    assert_is(again.latest(), 3)
    assert_is(again.best(), 2)
    assert (again.epoch_of_latest(), again.exists(), again.has_best()) == (3, True, True)
    assert again.notices == []


def test_the_two_newest_and_the_best_are_kept(saved):
    store = saved(1, 2, 3, 4, 5, 6, best=2)
    assert names(store) == ["epoch_00002", "epoch_00005", "epoch_00006"]
    assert store.best().epoch == 2


def test_the_first_is_the_best_until_there_is_a_better_one(saved):
    store = saved(1, 2, 3)
    assert store.best().epoch == 1
    assert names(store) == ["epoch_00001", "epoch_00002", "epoch_00003"]


def test_epochs_beyond_five_digits(saved):
    store = saved(99999, 100000, 100001, best=99999)
    assert names(store) == ["epoch_100000", "epoch_100001", "epoch_99999"]
    assert store.latest().epoch == 100001


def test_saving_an_epoch_again_replaces_it(store, checkpoint_of, assert_is):
    first = Checkpoint(2, {"w": torch.zeros(3)}, {}, {})
    store.save(checkpoint_of(1), best=False)
    store.save(first, best=True)
    path = store.save(checkpoint_of(2), best=False)
    assert path == store.saves / "epoch_00002"
    assert_is(store.latest(), 2)
    assert_is(store.best(), 2)  # the best one was replaced
    assert names(store) == ["epoch_00001", "epoch_00002"]


def test_epochs_of_a_future_that_was_given_up_are_removed(saved, checkpoint_of):
    store = saved(3, 6, 7, best=3)
    store.save(checkpoint_of(4), best=False)
    assert names(store) == ["epoch_00003", "epoch_00004"]
    assert store.latest().epoch == 4


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_weights_that_are_not_finite_are_never_saved(saved, checkpoint_of, assert_is, value):
    store = saved(1)
    broken = checkpoint_of(2)
    broken.weights["head.weight"][1, 3] = value
    before = sorted(store.folder.rglob("*"))
    with pytest.raises(NumericsError) as caught:
        store.save(broken, best=True)
    assert str(caught.value) == (
        "The weights after epoch 2 are not finite: head.weight; they are not saved. Fix: lower "
        "train.initial_lr or train.gradient_clip; the checkpoints before are kept."
    )
    assert sorted(store.folder.rglob("*")) == before
    assert_is(store.latest(), 1)


def test_what_a_killed_process_left_is_swept(saved, checkpoint_of):
    store = saved(1)
    leftover = store.saves / ".tmp-epoch_00002-4711"
    leftover.mkdir()
    (leftover / "weights.safetensors").write_bytes(b"half")
    (store.folder / ".tmp-LATEST-4711").write_text("{")
    store.save(checkpoint_of(2), best=False)
    assert names(store) == ["epoch_00001", "epoch_00002"]
    assert sorted(path.name for path in store.folder.iterdir()) == ["BEST", "LATEST", "ckpt"]


def test_a_kill_between_the_pointers_does_not_lose_the_best(saved, checkpoint_of, assert_is):
    store = saved(1, 2, best=1)
    before = (store.folder / "BEST").read_bytes()
    store.save(checkpoint_of(3), best=True)
    (store.folder / "BEST").write_bytes(before)
    assert_is(store.best(), 3)
    store.save(checkpoint_of(4), best=False)
    assert_is(store.best(), 3)


def test_state_that_is_not_plain_leaves_nothing_behind(saved, checkpoint_of):
    store = saved(1)
    odd = Checkpoint(2, checkpoint_of(2).weights, {}, {"logs": {"when": object()}})
    with pytest.raises(TypeError, match=r"^logs\.when: object is not plain$"):
        store.save(odd, best=False)
    assert names(store) == ["epoch_00001"]


UNFINISHED = "ckpt/.tmp-epoch_00001-PID"
ORDER = [
    f"fsync {UNFINISHED}/weights.safetensors",
    f"fsync {UNFINISHED}/optim.safetensors",
    f"fsync {UNFINISHED}/state.json",
    f"fsync {UNFINISHED}/MANIFEST.json",
    f"fsync {UNFINISHED}",
    f"rename {UNFINISHED} ckpt/epoch_00001",
    "fsync ckpt",
    "fsync .tmp-LATEST-PID",
    "replace .tmp-LATEST-PID LATEST",
    "fsync .",
    "fsync .tmp-BEST-PID",
    "replace .tmp-BEST-PID BEST",
    "fsync .",
]


@pytest.fixture
def disk_steps(store, monkeypatch):
    """What is synced and renamed, in order, with paths from the fold's folder."""
    if not os.path.isdir("/proc/self/fd"):
        pytest.skip("no /proc to tell the names of open files")
    steps = []

    def named(path):
        file = os.readlink(f"/proc/self/fd/{path}") if isinstance(path, int) else path
        relative = os.path.relpath(file, store.folder)
        return re.sub(rf"-{os.getpid()}(-[0-9a-f]{{8}})?(?![0-9a-f])", "-PID", relative)

    def recorded(verb):
        act = getattr(os, verb)

        def step(*arguments):
            steps.append(" ".join([verb, *map(named, arguments)]))
            return act(*arguments)

        return step

    for verb in ("fsync", "rename", "replace"):
        monkeypatch.setattr(os, verb, recorded(verb))
    return steps


def test_everything_reaches_the_disk_before_it_is_named(store, checkpoint_of, disk_steps):
    store.save(checkpoint_of(1), best=True)
    assert disk_steps == ORDER
