"""The memory of the processes that make batches, and how many of them there is room for."""

from types import SimpleNamespace

import pytest
from processor_counts import with_processors
from small_training import Shown

from nnunet_vit.nnunet.folders import use_processors
from nnunet_vit.planning import memory_limit
from nnunet_vit.planning.memory_limit import limit_here
from nnunet_vit.training import worker_memory
from nnunet_vit.training.worker_memory import (
    SHARING,
    WORKERS,
    LoaderBytes,
    bytes_of_loader,
    fitting_workers,
    room_for_workers,
    validation_workers,
)

pytestmark = pytest.mark.unit

GB = 10**9


@pytest.fixture
def machine(monkeypatch):
    """`machine(free, chosen=…)` returns the workers of a training on a GPU, and what is said."""
    with_processors(monkeypatch, 12)

    def start(free, given=None, device="cuda", batch=32, edge=512):
        monkeypatch.delenv(WORKERS)
        if given is not None:
            monkeypatch.setenv(WORKERS, str(given))
        use_processors()
        monkeypatch.setattr(worker_memory, "bytes_available", lambda: free)
        shown, log = Shown(), []
        trainer = SimpleNamespace(
            num_input_channels=3,
            device=SimpleNamespace(type=device),
            kept_bytes=0,
            progress=shown,
            print_to_log_file=log.append,
            _get_deep_supervision_scales=lambda: [[1, 1], [0.5, 0.5]],
        )
        loader = SimpleNamespace(
            batch_size=batch,
            final_patch_size=(1, edge, edge),
            patch_size=(1, 672, 672),
            transforms=[],
        )
        count = fitting_workers(trainer, loader)
        assert log == shown.lines + shown.warnings
        return count, shown

    return start


def test_what_a_worker_holds_is_what_was_measured():
    # two workers of 512 x 512 pixels, 32 per batch: 1.86 GB private and shared, without validation
    loader = SimpleNamespace(
        batch_size=32, final_patch_size=(1, 512, 512), patch_size=[1, 600, 600], transforms=[]
    )
    needed = bytes_of_loader(loader, 3, [[1, 1], [0.5, 0.5]])
    assert needed.batch == 32 * 512 * 512 * (3 * 4 + 2 * 1.25)
    alone = 2 * needed.of_worker + 3 * needed.batch
    assert 1.86 * GB <= alone <= 1.2 * 1.86 * GB


def test_memory_for_all(machine):
    count, shown = machine(100 * GB)
    assert (count, shown.lines, shown.warnings) == (12, [], [])


def test_a_small_machine_gets_fewer_and_says_so(machine):
    count, shown = machine(8 * GB)
    assert 1 <= count < 6 and shown.warnings == []
    (line,) = shown.lines
    assert line.startswith("12 workers for batches and those for validation need about ")
    assert f"8.00 GB are free: {count} worker" in line


def test_the_network_on_the_processor_needs_memory_too(machine):
    assert machine(16 * GB, device="cpu")[0] < machine(16 * GB)[0]


@pytest.mark.parametrize("device", ["cpu", "mps"])
def test_a_plan_and_its_workers_take_no_more_than_is_free(monkeypatch, device):
    monkeypatch.setattr(memory_limit, "bytes_available", lambda: 16 * GB)
    assert limit_here([device]).usable + room_for_workers(16 * GB, device) <= 16 * GB


def test_somebodys_own_number_is_kept_with_a_warning(machine):
    count, shown = machine(8 * GB, given=9)
    assert count == 9 and shown.lines == []
    assert shown.warnings[0].endswith(f"8.00 GB are free: a smaller {WORKERS} needs less.")
    count, shown = machine(GB, given=1)
    assert count == 1 and "a smaller train.batch_size needs less" in shown.warnings[0]


def test_one_is_left_where_nothing_fits(machine):
    count, shown = machine(GB)
    assert count == 1 and "1.00 GB are free: 1 worker makes batches" in shown.lines[0]


def test_without_workers_or_without_knowing_nothing_changes(machine):
    assert machine(1, given=0)[0] == 0
    assert machine(None)[0] == 12


def test_commands_that_train_together_share_the_memory(machine, monkeypatch):
    alone, _ = machine(16 * GB)
    monkeypatch.setenv(SHARING, "2")
    assert machine(16 * GB)[0] == machine(8 * GB)[0] or alone > machine(16 * GB)[0]


@pytest.mark.parametrize("room", [1, 3 * GB, 5 * GB, 20 * GB])
def test_the_most_workers_that_fit(room):
    needed = LoaderBytes(batch=100_000_000, work=10_000_000)
    count = needed.most_workers(12, room)
    assert count == 1 or needed.of(count) <= room
    assert count == 12 or needed.of(count + 1) > room


def test_validation_has_half_of_them():
    assert [validation_workers(count) for count in (0, 1, 2, 3, 12)] == [0, 1, 1, 1, 6]


def test_workers_that_crop_alone_hold_larger_patches():
    given = {"batch_size": 4, "final_patch_size": (1, 512, 512), "patch_size": [1, 600, 600]}
    needed = bytes_of_loader(SimpleNamespace(**given, transforms=None), 3, [[1, 1], [0.5, 0.5]])
    assert needed.batch == 4 * 600 * 600 * (3 * 4 + 2)
    augmenting = bytes_of_loader(SimpleNamespace(**given, transforms=[]), 3, None)
    assert needed.work == augmenting.work / 2
