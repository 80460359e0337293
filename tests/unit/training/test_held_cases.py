"""Cases held in memory: the same batches to the bit, within a budget, and only where it pays."""

from types import SimpleNamespace

import numpy as np
import pytest
import torch
from nnunetv2.preprocessing.preprocessors.default_preprocessor import DefaultPreprocessor
from nnunetv2.training.dataloading.data_loader import nnUNetDataLoader
from nnunetv2.training.dataloading.nnunet_dataset import comp_blosc2_params, nnUNetDatasetBlosc2
from nnunetv2.training.nnUNetTrainer.nnUNetTrainer import nnUNetTrainer
from nnunetv2.utilities.label_handling.label_handling import LabelManager
from small_training import Shown

from nnunet_vit.training import held_cases, worker_memory
from nnunet_vit.training.dataloading import augmenter
from nnunet_vit.training.held_cases import HeldCases, held_within, hold_cases

pytestmark = pytest.mark.unit
GB = 10**9
SIZES = {"small": (40, 90), "wide": (70, 200), "large": (130, 110)}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Three cases as nnU-Net preprocesses them."""
    made, draw = tmp_path_factory.mktemp("cases"), np.random.default_rng(0)
    for name, plane in SIZES.items():
        image = draw.standard_normal((3, 1, *plane), dtype=np.float32)
        mask = (image[:1] > 1).astype(np.int8)
        places = DefaultPreprocessor._sample_foreground_locations(mask, [1])
        blocks, chunks = comp_blosc2_params(image.shape, (64, 64), 4)
        nnUNetDatasetBlosc2.save_case(
            image, mask, {"class_locations": places}, str(made / name),
            chunks=chunks, blocks=blocks, chunks_seg=chunks, blocks_seg=blocks,
        )  # fmt: skip
    return str(made)


@pytest.fixture
def loader(folder):
    """Makes loaders of augmented patches, as nnU-Net's trainer does."""
    labels = LabelManager({"background": 0, "nucleus": 1}, None)

    def make(cases=None, patch=(64, 64)):
        transforms = nnUNetTrainer.get_training_transforms(
            patch,
            (-3.1, 3.1),
            None,
            (0, 1),
            False,
            foreground_labels=[1],
            use_mask_for_norm=[False] * 3,
        )
        data = nnUNetDatasetBlosc2(folder) if cases is None else cases
        return nnUNetDataLoader(data, 3, (84, 84), patch, labels, 0.33, transforms=transforms)

    return make


@pytest.fixture
def trainer():
    """What is asked of a training."""
    return SimpleNamespace(
        is_ddp=False, is_cascaded=False, num_epochs=10, current_epoch=0, batch_size=3,
        num_iterations_per_epoch=5, device=torch.device("cuda"), num_input_channels=3,
        progress=Shown(), print_to_log_file=lambda *_: None,
        _get_deep_supervision_scales=lambda: None, kept_bytes=0,
    )  # fmt: skip


@pytest.fixture
def free(monkeypatch):
    """`free(bytes)` sets the free memory of the machine."""

    def set_free(count):
        for module in (held_cases, worker_memory):
            monkeypatch.setattr(module, "bytes_available", lambda: count)

    set_free(100 * GB)
    return set_free


def held(folder):
    (cases,) = held_within(GB, [nnUNetDatasetBlosc2(folder)], Shown())
    return cases


def drawn(source, workers, count=12):
    batches = augmenter(source, 7, 0, workers=workers, pin_memory=False)
    try:
        return [next(batches) for _ in range(count)]
    finally:
        if workers:
            batches.close()


def same(one, other):
    return all(
        torch.equal(a["data"], b["data"])
        and torch.equal(a["target"], b["target"])
        and list(a["keys"]) == list(b["keys"])
        for a, b in zip(one, other, strict=True)
    )


@pytest.mark.parametrize("workers", [0, 2])
def test_batches_are_the_same_to_the_bit(loader, folder, workers):
    plain = drawn(loader(), 0)
    cases = held(folder)
    assert same(drawn(loader(cases), workers), plain)
    assert same(drawn(loader(cases), workers), plain)  # nothing that was drawn has changed them


def test_what_writes_into_a_part_leaves_the_case(folder):
    image = held(folder).load_case("small")[0]
    before = np.array(image)
    part = image[:, :, 2:9]
    assert type(part) is np.ndarray and part.flags.c_contiguous
    part[:] = 7
    assert np.array_equal(image, before)


def test_a_case_is_what_nnunet_loads(folder):
    cases, theirs = held(folder), nnUNetDatasetBlosc2(folder)
    for name, plane in SIZES.items():
        image, mask, before, properties = cases.load_case(name)
        own, own_mask, own_before, own_properties = theirs.load_case(name)
        assert image.shape == own.shape == (3, 1, *plane) and image.dtype == own.dtype
        assert np.array_equal(image, own[:]) and np.array_equal(mask, own_mask[:])
        assert before is own_before is None
        assert properties["class_locations"].keys() == own_properties["class_locations"].keys()


def test_all_that_is_held_counts(folder):
    cases = HeldCases(nnUNetDatasetBlosc2(folder))
    cases.hold("small")
    image, mask, _, properties = cases.load_case("small")
    assert cases.bytes == image.nbytes + mask.nbytes + properties["class_locations"][1].nbytes


@pytest.mark.parametrize("missing", [1, 0.1])
def test_all_or_none(folder, missing):
    data = nnUNetDatasetBlosc2(folder)
    room = held(folder).bytes
    assert held_within(room, [data], Shown())
    assert held_within(int(room * missing) - 1, [data], Shown()) == []


def test_the_loaders_draw_from_memory(loader, trainer, free):
    both = loader(), loader()
    hold_cases(trainer, *both, workers=2)
    assert all(isinstance(each._data, HeldCases) for each in both)


@pytest.mark.parametrize(
    ("change", "memory"),
    [
        ({}, 10**6),
        ({}, None),
        ({"current_epoch": 9, "batch_size": 1}, 100 * GB),
        ({"is_ddp": True}, 100 * GB),
        ({"is_cascaded": True}, 100 * GB),
    ],
)
def test_where_nothing_is_held(loader, trainer, free, change, memory):
    free(memory)
    vars(trainer).update(change)
    made = loader()
    hold_cases(trainer, made, workers=1)
    assert isinstance(made._data, nnUNetDatasetBlosc2)


def test_workers_that_are_spawned_would_have_a_copy_each(loader, trainer, free, monkeypatch):
    monkeypatch.setattr("multiprocessing.get_start_method", lambda: "spawn")
    made = loader()
    hold_cases(trainer, made, workers=1)
    assert isinstance(made._data, nnUNetDatasetBlosc2)
    hold_cases(trainer, made, workers=0)
    assert isinstance(made._data, HeldCases)


def test_what_workers_need_comes_first(loader, trainer, free):
    needed = worker_memory.bytes_of_loader(loader(), 3, None)
    for count, kept in ((2, True), (20, False)):
        free(round(needed.of(2) / worker_memory.SHARE["cuda"]) + 10**7)
        made = loader()
        hold_cases(trainer, made, workers=count)
        assert isinstance(made._data, HeldCases) is kept
