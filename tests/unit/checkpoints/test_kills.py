"""Kill -9 and a disk that refuses, at random and at every single step of a save."""

import errno
import os
import random
import shutil
import signal
import sys
import time

import pytest

from nnunet_vit.checkpoints.store import CheckpointStore
from nnunet_vit.errors import MachineError, UserError

pytestmark = pytest.mark.unit

resource = pytest.importorskip("resource")  # and fork: there are neither on Windows

SLOW = pytest.mark.slow
KILLS = 8
FAULT = "now"


def test_random_kills_lose_no_epoch_that_was_acknowledged(
    tmp_path, child, checkpoint_of, assert_is
):
    store, moments = CheckpointStore(tmp_path), random.Random(3)
    acknowledged = first = 0
    for number in range(20 * KILLS):
        if number >= KILLS and acknowledged >= 3:  # on a busy machine a kill may come too soon
            break
        begun = store.epoch_of_latest() or 0

        def save_for_ever(say):
            newest = store.latest()
            epoch = newest.epoch if newest else 0
            while True:
                epoch += 1
                store.save(checkpoint_of(epoch, size=20_000), best=epoch % 3 == 0)
                say(epoch)

        def kill_soon(pid):
            time.sleep(moments.uniform(0.04, 0.2))
            os.kill(pid, signal.SIGKILL)

        said, code = child(save_for_ever, kill_soon)
        assert code == -signal.SIGKILL
        acknowledged = int(said[-1]) if said else begun
        newest = store.latest()
        # the one that was being saved may be there or not
        assert (newest.epoch if newest else 0) in (acknowledged, acknowledged + 1)
        if newest:
            assert float(newest.weights["head.weight"].sum()) == newest.epoch * 80_000
        if said:  # the first that was saved whole is the best until then
            first = first or int(said[0])
        if first:
            assert store.best().epoch % 3 == 0 or store.best().epoch in (first - 1, first)
    assert acknowledged >= 3
    # the first save of all may have been cut between its folder and LATEST
    first_alone = f"{tmp_path}: LATEST is missing or damaged. Resuming from epoch_00001."
    assert set(store.notices) <= {first_alone}


def kill():
    os.kill(os.getpid(), signal.SIGKILL)


def refuse():
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def fault_at(number, folder, fault, say):
    """Let the `number`-th step of this process on files of `folder` go wrong, before it is done."""
    steps = 0

    def step(path):
        nonlocal steps
        if not isinstance(path, str | os.PathLike) or str(path).startswith(str(folder)):
            steps += 1
            if steps == number:
                say(FAULT)
                fault()

    def audit(event, arguments):
        if event in {"open", "os.mkdir", "os.rename", "os.remove", "os.rmdir"}:
            step(arguments[0])

    os.fsync = step
    sys.addaudithook(audit)


# each of both faults and each of both saves once; the other two pairs are slow
PAIRS = {"kill-next": (kill, 4), "refuse-again": (refuse, 3)}
MORE_PAIRS = {"kill-again": (kill, 3), "refuse-next": (refuse, 4)}


@pytest.mark.parametrize(
    ("fault", "epoch"),
    [
        *(pytest.param(*pair, id=name) for name, pair in PAIRS.items()),
        *(pytest.param(*pair, id=name, marks=SLOW) for name, pair in MORE_PAIRS.items()),
    ],
)
def test_a_fault_at_every_step(
    tmp_path, saved, child, checkpoint_of, assert_is, monkeypatch, fault, epoch
):
    begun = saved(1, 2, 3, best=2)
    monkeypatch.setattr(os, "fsync", lambda descriptor: None)  # the kernel outlives the process
    again = checkpoint_of(epoch)
    again.state["again"] = True
    for number in range(1, 200):
        store = CheckpointStore(tmp_path / "tried")
        shutil.copytree(begun.folder, store.folder)

        def save(say, store=store, number=number):
            fault_at(number, store.folder, fault, say)
            try:
                store.save(again, best=True)
                say("saved")
            except MachineError as error:
                say(error)

        said, code = child(save)
        assert code == (-signal.SIGKILL if FAULT in said and fault is kill else 0)
        assert_holds(store, epoch, "saved" in said, assert_is)
        store.save(checkpoint_of(epoch + 1), best=False)
        assert_clean(store, epoch)
        shutil.rmtree(store.folder)
        if FAULT not in said:  # it has fewer steps
            break
    assert 20 < number < 199


def assert_holds(store, epoch, acknowledged, assert_is):
    newest, best = store.latest(), store.best()
    new = [found.state.pop("again", False) for found in (newest, best)]
    assert new == [True, True] if acknowledged else new in ([True, True], [False, False])
    assert newest.epoch == (epoch if new[0] else 3)
    assert best.epoch == (epoch if new[1] else 2)
    assert_is(newest, newest.epoch)
    assert_is(best, best.epoch)
    assert store.notices == []


def assert_clean(store, epoch):
    kept = {path.name for path in store.saves.iterdir()}
    newest = f"epoch_{epoch + 1:05d}"
    assert newest in kept
    assert len(kept) <= 3
    assert all(name.startswith("epoch_") for name in kept)
    assert store.epoch_of_latest() == epoch + 1
    assert {path.name for path in store.folder.iterdir()} == {"BEST", "LATEST", "ckpt"}


@pytest.mark.parametrize(
    ("size", "limit"), [(50_000, 100_000), (16, 100), (16, 0)], ids=["weights", "state", "all"]
)
def test_a_full_disk(saved, child, checkpoint_of, assert_is, size, limit):
    store = saved(1, 2)

    def save(say):
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
        try:
            store.save(checkpoint_of(3, size), best=True)
        except UserError as error:
            say(f"{error.exit_code} {error}")

    said, code = child(save)
    assert code == 0
    [message] = said
    needed = 2 * (4 * size * 4) + 8 + 4
    assert message.startswith(f"6 {store.saves / 'epoch_00003'} could not be written: ")
    assert "File too large" in message
    assert f". Needed: {needed:,} bytes; free on this disk: " in message
    assert message.endswith(
        " bytes. Fix: make room or give write permission; what was saved before is intact."
    )
    assert sorted(path.name for path in store.saves.iterdir()) == ["epoch_00001", "epoch_00002"]
    assert_is(store.latest(), 2)
    assert store.notices == []


def test_no_folder_can_be_made(tmp_path, checkpoint_of):
    (tmp_path / "fold_0").write_text("a file")
    store = CheckpointStore(tmp_path / "fold_0")
    with pytest.raises(MachineError) as caught:
        store.save(checkpoint_of(1), best=True)
    assert caught.value.problem.startswith(
        f"{store.saves / 'epoch_00001'} could not be written: Not a directory. Needed: 524 bytes; "
    )
