"""Fingerprint, plans and preprocessed cases are those of nnU-Net's own commands."""

import json
import pickle
import shutil
from multiprocessing.pool import ThreadPool
from types import SimpleNamespace

import blosc2
import numpy as np
import pytest
from kinds_of_files import KINDS, prepared_with, write_kind

from nnunet_vit.data.dataset import find_dataset

pytestmark = pytest.mark.unit


@pytest.fixture(params=KINDS, ids=lambda kind: kind.__name__)
def raw(request, nnunet_folders):
    """A raw dataset of one kind of file; returns its folder."""
    return write_kind(nnunet_folders / "raw", request.param)


DRAWS = 2e5  # nnU-Net's 100,000,000 take it half a minute


@pytest.fixture
def stock(raw, nnunet_folders, monkeypatch):
    """Makes with nnU-Net's own functions what it is told, with threads for its processes."""
    from nnunetv2.experiment_planning import plan_and_preprocess_api
    from nnunetv2.experiment_planning.dataset_fingerprint import fingerprint_extractor
    from nnunetv2.preprocessing.preprocessors import default_preprocessor

    class Pool(ThreadPool):
        """Threads that nnU-Net takes for processes."""

    class Extractor(fingerprint_extractor.DatasetFingerprintExtractor):
        def __init__(self, *given):
            super().__init__(*given)
            self.num_foreground_voxels_for_intensitystats = DRAWS

    threads = SimpleNamespace(get_context=lambda _: SimpleNamespace(Pool=Pool))
    for module in (fingerprint_extractor, default_preprocessor):
        monkeypatch.setattr(module, "multiprocessing", threads)

    def plan():
        Extractor(5, 2).run()
        plan_and_preprocess_api.plan_experiment_dataset(5)

    def preprocess():
        plan_and_preprocess_api.preprocess_dataset(5, configurations=["2d"], num_processes=[2])

    return SimpleNamespace(plan=plan, preprocess=preprocess)


def numbers(path):
    return json.loads(path.read_text())


def test_fingerprint_and_plans_are_equal(stock, tmp_path):
    ours = prepared_with(0).rename(tmp_path / "ours")
    stock.plan()
    theirs = find_dataset(5).preprocessed
    key = "foreground_intensity_properties_per_channel"
    for name in ("dataset_fingerprint.json", "nnUNetPlans.json"):
        one, other = numbers(ours / name), numbers(theirs / name)
        own, drawn = one.pop(key), other.pop(key)
        assert one == other
        assert own.keys() == drawn.keys()
        for channel, values in own.items():
            spread = drawn[channel]["std"]
            assert values == pytest.approx(drawn[channel], abs=0.05 * spread, rel=0)


@pytest.mark.parametrize("room", [2**30, 0], ids=["kept", "read again"])
def test_preprocessed_cases_are_equal(stock, tmp_path, room):
    ours = prepared_with(room)
    kept = tmp_path / "ours"
    for inner in ("nnUNetPlans_2d", "gt_segmentations"):
        shutil.copytree(ours / inner, kept / inner)
        shutil.rmtree(ours / inner)
    stock.preprocess()  # with the same plans
    for inner in ("nnUNetPlans_2d", "gt_segmentations"):
        names = sorted(file.name for file in (ours / inner).iterdir())
        assert sorted(file.name for file in (kept / inner).iterdir()) == names != []
    for theirs in (ours / "nnUNetPlans_2d").iterdir():
        own = kept / "nnUNetPlans_2d" / theirs.name
        if own.suffix == ".pkl":
            first, second = (pickle.loads(file.read_bytes()) for file in (own, theirs))
            assert repr(first) == repr(second)
            continue
        first, second = (blosc2.open(str(file), mode="r") for file in (own, theirs))
        assert (first.chunks, first.blocks) == (second.chunks, second.blocks)
        np.testing.assert_array_equal(first[:], second[:], strict=True)
