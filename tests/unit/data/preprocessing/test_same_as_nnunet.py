"""Fingerprint, plans and preprocessed cases are those of nnU-Net's own commands."""

import json
import pickle
import shutil
from multiprocessing.pool import ThreadPool
from types import SimpleNamespace

import blosc2
import nibabel
import numpy as np
import pytest
import tifffile
from PIL import Image

from nnunet_vit.data.checking.training_files import check_training_files
from nnunet_vit.data.dataset import find_dataset
from nnunet_vit.data.preprocessing.plan_and_preprocess import prepare
from nnunet_vit.data.preprocessing.raw_files import files_by_case
from nnunet_vit.data.preprocessing.read_cases import ReadCases
from nnunet_vit.report.progress import Progress

pytestmark = pytest.mark.unit

NAME = "Dataset005_Mine"


def blob(shape, random, most):
    label = np.zeros(shape, np.uint8)
    for value in range(1, most + 1):
        corner = [int(random.integers(1, edge // 2 + 1)) if edge > 2 else 0 for edge in shape]
        label[tuple(slice(c, c + max(1, e // 3)) for c, e in zip(corner, shape, strict=True))] = (
            value
        )
    return label


def pictures(raw, random):
    """RGB with a black border, which nnU-Net crops, of several sizes."""
    for number, size in enumerate([(40, 56), (64, 48), (33, 47), (50, 50)]):
        image = random.integers(1, 256, (*size, 3)).astype(np.uint8)
        image[:3] = image[:, -5:] = 0
        Image.fromarray(image).save(raw / "imagesTr" / f"c{number}_0000.png")
        Image.fromarray(blob(size, random, 2)).save(raw / "labelsTr" / f"c{number}.png")
    return {
        "channel_names": {"0": "red", "1": "green", "2": "blue"},
        "labels": {"background": 0, "a": 1, "b": 2}, "file_ending": ".png",
    }  # fmt: skip


def volumes(raw, random):
    """CT and MRI of different spacings; regions, and an ignore label."""
    for number, (size, step) in enumerate(
        [((24, 30, 9), (1, 1.5, 4)), ((20, 26, 7), (0.8, 0.8, 5)), ((26, 22, 8), (1, 1, 3))]
    ):
        affine = np.diag([*step, 1.0])
        ct = random.integers(-1000, 1500, size).astype(np.int16)
        mri = random.normal(100, 30, size).astype(np.float32)
        for channel, values in enumerate((ct, mri)):
            image = nibabel.Nifti1Image(values, affine)
            nibabel.save(image, raw / "imagesTr" / f"c{number}_{channel:04}.nii.gz")
        label = nibabel.Nifti1Image(blob(size, random, 3), affine)
        nibabel.save(label, raw / "labelsTr" / f"c{number}.nii.gz")
    return {
        "channel_names": {"0": "CT", "1": "T1"},
        "labels": {"background": 0, "whole": [1, 2], "core": 2, "ignore": 3},
        "regions_class_order": [1, 2], "file_ending": ".nii.gz",
    }  # fmt: skip


def stacks(raw, random):
    """Stacks of 16 bits with a spacing beside some of them."""
    for number, size in enumerate([(5, 30, 34), (4, 28, 40), (6, 36, 30)]):
        values = random.integers(0, 4000, size).astype(np.uint16)
        tifffile.imwrite(raw / "imagesTr" / f"c{number}_0000.tif", values, photometric="minisblack")
        tifffile.imwrite(
            raw / "labelsTr" / f"c{number}.tif", blob(size, random, 1), photometric="minisblack"
        )
        for folder in ("imagesTr", "labelsTr"):
            (raw / folder / f"c{number}.json").write_text('{"spacing": [3, 0.5, 0.5]}')
    return {
        "channel_names": {"0": "rescale_to_0_1"}, "labels": {"background": 0, "a": 1},
        "file_ending": ".tif", "overwrite_image_reader_writer": "Tiff3DIO",
    }  # fmt: skip


@pytest.fixture(params=[pictures, volumes, stacks], ids=lambda kind: kind.__name__)
def raw(request, nnunet_folders):
    """A raw dataset of one kind of file; returns its folder."""
    folder = nnunet_folders / "raw" / NAME
    for inner in ("imagesTr", "labelsTr"):
        (folder / inner).mkdir(parents=True)
    description = request.param(folder, np.random.default_rng(3))
    description["numTraining"] = len(list((folder / "labelsTr").glob("c?.[!j]*")))
    (folder / "dataset.json").write_text(json.dumps(description))
    return folder


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


@pytest.fixture
def prepared(raw):
    """Prepares the dataset with so much room for what has been read; returns the folder."""

    def prepare_with(room):
        dataset = find_dataset(5)
        read = ReadCases(files_by_case(dataset), fingerprints=True, room=room)
        check_training_files(dataset, 16, Progress(), take=read.take)
        prepare(dataset, "2d", Progress(), read=read)
        return dataset.preprocessed

    return prepare_with


def numbers(path):
    return json.loads(path.read_text())


def test_fingerprint_and_plans_are_equal(stock, prepared, tmp_path):
    ours = prepared(0).rename(tmp_path / "ours")
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
def test_preprocessed_cases_are_equal(stock, prepared, tmp_path, room):
    ours = prepared(room)
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


def test_cases_that_were_cut_off_are_no_hindrance(prepared):
    root = prepared(0)
    whole = root / "nnUNetPlans_2d"
    names = sorted(file.name for file in whole.iterdir())
    (root / "nnUNetPlans_2d.record.json").unlink()
    (whole / "c0.pkl").unlink()
    making = whole / ".making" / "c0"
    making.mkdir(parents=True)
    for name in ("c0.b2nd", "c0_seg.b2nd"):
        (whole / name).replace(making / name)
    prepared(0)
    assert sorted(file.name for file in whole.iterdir()) == names


def test_what_has_been_read_is_not_read_again(raw, monkeypatch):
    from nnunet_vit.data.preprocessing import planning, preprocess_cases

    dataset = find_dataset(5)
    read = ReadCases(files_by_case(dataset), fingerprints=True, room=2**30)
    check_training_files(dataset, 16, Progress(), take=read.take)
    for module, name in ((planning, "fingerprint_of_case"), (preprocess_cases, "_plans_alone")):
        monkeypatch.setattr(module, name, lambda *_, **__: pytest.fail("read again"))
    prepare(dataset, "2d", Progress(), read=read)


def test_a_file_that_has_changed_since_is_read_again(raw, monkeypatch):
    dataset = find_dataset(5)
    files = files_by_case(dataset)
    read = ReadCases(files, fingerprints=True, room=2**30)
    check_training_files(dataset, 16, Progress(), take=read.take)
    first, second, *_ = files
    changed = files[first][0]
    changed.write_bytes(changed.read_bytes())
    states = {case: state_now(paths) for case, paths in files.items()}
    (reader,) = {read._reader}
    assert read.fingerprint(first, states[first], reader) is None
    assert read.pixels(first, states[first], reader) is None
    assert read.fingerprint(second, states[second], reader) is not None
    assert read.fingerprint(second, states[second], "AnotherReader") is None  # and forgotten
    assert read.pixels(second, states[second], reader) is not None
    assert read.pixels(second, states[second], reader) is None  # given away


def state_now(paths):
    from nnunet_vit.data.preprocessing.raw_files import states_of

    return states_of({"case": paths})["case"]
