"""The sample dataset: its files, its masks, its determinism and its refusals."""

import hashlib
import json
from pathlib import Path

import numpy
import pytest

from nnunet_vit.errors import DataError
from nnunet_vit.sample import drawn_dataset as dataset_module
from nnunet_vit.sample.drawn_dataset import write_sample_dataset
from nnunet_vit.sample.fundus import fundus_image

pytestmark = pytest.mark.unit


def read(path: Path) -> numpy.ndarray:
    from skimage.io import imread

    return imread(path)


def digests(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_sample_dataset(tmp_path_factory.mktemp("raw"), 6, 2, image_size=256, seed=3)


def test_layout_and_names(sample: Path) -> None:
    assert sample.name == "Dataset901_SampleFundus"
    training, test = range(6), range(6, 8)
    expected = {"dataset.json"}
    expected |= {f"imagesTr/fundus_{case:03d}_0000.png" for case in training}
    expected |= {f"labelsTr/fundus_{case:03d}.png" for case in training}
    expected |= {f"imagesTs/fundus_{case:03d}_0000.png" for case in test}
    expected |= {f"labelsTs/fundus_{case:03d}.png" for case in test}
    assert set(digests(sample)) == expected
    assert [path.name for path in sample.parent.iterdir()] == [sample.name]


def test_own_name_and_no_test_cases(tmp_path: Path) -> None:
    target = tmp_path / "new" / "Dataset123_Mine"
    assert write_sample_dataset(target, 5, 0, image_size=64) == target
    assert len(list((target / "imagesTr").iterdir())) == 5
    assert list((target / "imagesTs").iterdir()) == []


def test_an_empty_folder_of_that_name_is_filled(tmp_path: Path) -> None:
    target = tmp_path / "Dataset901_SampleFundus"
    target.mkdir()
    assert write_sample_dataset(tmp_path, 5, 0, image_size=64) == target
    assert (target / "dataset.json").is_file()


def test_the_dataset_is_readable_by_others_as_the_umask_allows(tmp_path: Path) -> None:
    plain = tmp_path / "plain"
    plain.mkdir()
    made = write_sample_dataset(tmp_path, 5, 0, image_size=64)
    assert made.stat().st_mode == plain.stat().st_mode


def test_dataset_json(sample: Path) -> None:
    from nnunetv2.preprocessing.normalization.default_normalization_schemes import (
        RGBTo01Normalization,
    )
    from nnunetv2.preprocessing.normalization.map_channel_name_to_normalization import (
        get_normalization_scheme,
    )

    content = json.loads((sample / "dataset.json").read_text(encoding="utf-8"))
    assert content["labels"] == {"background": 0, "optic_disc": 1, "vessel": 2}
    assert (content["numTraining"], content["file_ending"]) == (6, ".png")
    assert content["licence"] == "CC0-1.0"
    assert content["description"]
    assert list(content["channel_names"]) == ["0", "1", "2"]
    schemes = {get_normalization_scheme(name) for name in content["channel_names"].values()}
    assert schemes == {RGBTo01Normalization}


def test_images_and_masks_have_their_types_and_shares(sample: Path) -> None:
    for path in sorted(sample.glob("labelsT*/*.png")):
        mask = read(path)
        images = path.parent.name.replace("labels", "images")
        image = read(sample / images / f"{path.stem}_0000.png")
        assert (mask.shape, mask.dtype) == ((256, 256), numpy.uint8)
        assert (image.shape, image.dtype) == ((256, 256, 3), numpy.uint8)
        shares = numpy.bincount(mask.ravel(), minlength=3) / mask.size
        assert len(shares) == 3
        assert 0.004 < shares[1] < 0.03
        assert 0.05 < shares[2] < 0.14


def test_the_masks_lie_on_what_the_image_shows(sample: Path) -> None:
    from scipy.ndimage import binary_dilation

    for path in sorted(sample.glob("labelsTr/*.png")):
        mask = read(path)
        image = read(sample / "imagesTr" / f"{path.stem}_0000.png").astype(float)
        green, in_field = image[..., 1], image[..., 0] > 40
        near_disc = binary_dilation(mask == 1, iterations=6)
        vessel = (mask == 2) & ~near_disc
        beside = binary_dilation(vessel, iterations=5) & (mask == 0) & ~near_disc
        beside &= in_field & ~binary_dilation(vessel, iterations=2)
        assert green[vessel].mean() < 0.9 * green[beside].mean()
        assert green[mask == 1].mean() > 1.2 * green[in_field & (mask == 0)].mean()
        assert not in_field[0, 0]
        assert mask[~binary_dilation(in_field, iterations=2)].max() == 0


def test_vessels_hang_together(sample: Path) -> None:
    from skimage.measure import label

    for path in sorted(sample.glob("labelsTr/*.png")):
        vessels = read(path) == 2
        sizes = numpy.sort(numpy.bincount(label(vessels, connectivity=2).ravel())[1:])[::-1]
        assert sizes[0] > 0.85 * vessels.sum()
        assert len(sizes) <= 6
        assert sizes[-1] >= 30


def test_vessels_are_wide_at_the_disc_and_thin_far_from_it(sample: Path) -> None:
    from scipy.ndimage import distance_transform_edt
    from skimage.morphology import skeletonize

    radii = []
    for path in sorted(sample.glob("labelsTr/*.png")):
        vessels = read(path) == 2
        radii.append(distance_transform_edt(vessels)[skeletonize(vessels)])
    widths = numpy.concatenate(radii)
    assert numpy.percentile(widths, 10) <= 1.5
    assert 2.5 < numpy.percentile(widths, 98) < 7.0


def test_cases_differ_and_both_sides_occur() -> None:
    masks = [
        fundus_image(numpy.random.default_rng(child), 96)[1]
        for child in numpy.random.SeedSequence(0).spawn(12)
    ]
    assert len({mask.tobytes() for mask in masks}) == 12
    left = [bool(numpy.nonzero(mask == 1)[1].mean() < 48) for mask in masks]
    assert 2 <= sum(left) <= 10


def test_the_same_eye_at_another_size() -> None:
    from skimage.transform import rescale

    small, large = (fundus_image(numpy.random.default_rng(4), size)[1] == 2 for size in (128, 256))
    shrunk = rescale(large.astype(float), 0.5) >= 0.5
    assert 2 * (small & shrunk).sum() / (small.sum() + shrunk.sum()) > 0.75


def test_the_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    first = digests(write_sample_dataset(tmp_path / "a", 5, 1, image_size=96, seed=7))
    second = digests(write_sample_dataset(tmp_path / "b", 5, 1, image_size=96, seed=7))
    other = digests(write_sample_dataset(tmp_path / "c", 5, 1, image_size=96, seed=8))
    assert first == second
    assert {name for name in first if first[name] == other[name]} == {"dataset.json"}


def test_a_case_does_not_depend_on_the_number_of_cases(tmp_path: Path) -> None:
    few = digests(write_sample_dataset(tmp_path / "few", 5, 2, image_size=64))
    many = digests(write_sample_dataset(tmp_path / "many", 7, 3, image_size=64))
    as_test = "imagesTs/fundus_005_0000.png"
    as_training = "imagesTr/fundus_005_0000.png"
    assert few[as_test] == many[as_training]
    shared = [name for name in few if "Tr/" in name]
    assert len(shared) == 10
    assert all(few[name] == many[name] for name in shared)


@pytest.mark.parametrize(
    ("numbers", "message"),
    [
        (
            {"training_cases": 4},
            "training_cases is 4, but must be 5 or more: nnU-Net splits the training cases into "
            "5 folds. Fix: give training_cases a value of 5 or more.",
        ),
        (
            {"test_cases": -1},
            "test_cases is -1, but must be 0 or more: it counts images. "
            "Fix: give test_cases a value of 0 or more.",
        ),
        (
            {"image_size": 63},
            "image_size is 63, but must be 64 or more: a smaller image cannot show a vessel. "
            "Fix: give image_size a value of 64 or more.",
        ),
        (
            {"seed": -2},
            "seed is -2, but must be 0 or more: numpy takes no negative seed. "
            "Fix: give seed a value of 0 or more.",
        ),
    ],
)
def test_bad_numbers_are_refused(tmp_path: Path, numbers: dict[str, int], message: str) -> None:
    with pytest.raises(DataError) as caught:
        write_sample_dataset(tmp_path / "raw", **numbers)
    assert str(caught.value) == message
    assert list(tmp_path.iterdir()) == []


def test_an_existing_dataset_is_refused_and_kept(tmp_path: Path) -> None:
    target = tmp_path / "Dataset901_SampleFundus"
    target.mkdir()
    (target / "mine.txt").write_text("keep")
    with pytest.raises(DataError) as caught:
        write_sample_dataset(tmp_path, 5, 0, image_size=64)
    assert str(caught.value) == (
        f"{target} already exists and is not empty. Fix: delete it or give another folder."
    )
    assert digests(tmp_path) == {
        "Dataset901_SampleFundus/mine.txt": hashlib.sha256(b"keep").hexdigest()
    }


def test_a_file_in_the_way_is_refused(tmp_path: Path) -> None:
    in_the_way = tmp_path / "raw"
    in_the_way.write_text("not a folder")
    with pytest.raises(DataError) as caught:
        write_sample_dataset(in_the_way, 5, 0, image_size=64)
    assert str(caught.value) == (
        f"{in_the_way} is a file, so {in_the_way / 'Dataset901_SampleFundus'} cannot be made. "
        "Fix: give another folder."
    )
    assert in_the_way.read_text() == "not a folder"


def test_a_crash_half_way_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    drawn = []

    def crash_at_the_third(random: numpy.random.Generator, image_size: int) -> tuple:
        drawn.append(image_size)
        if len(drawn) == 3:
            raise KeyboardInterrupt
        return fundus_image(random, image_size)

    monkeypatch.setattr(dataset_module, "fundus_image", crash_at_the_third)
    with pytest.raises(KeyboardInterrupt):
        write_sample_dataset(tmp_path, 5, 0, image_size=64)
    assert len(drawn) == 3
    assert list(tmp_path.iterdir()) == []


def test_nnunet_finds_no_fault(sample: Path) -> None:
    from nnunetv2.experiment_planning.verify_dataset_integrity import verify_dataset_integrity

    verify_dataset_integrity(str(sample), num_processes=1)
