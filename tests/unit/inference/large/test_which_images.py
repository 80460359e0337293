"""Which images of a folder are read in strips, by which names, and whether a model takes them."""

from pathlib import Path

import numpy as np
import pytest
import tifffile
from large_images import picture, write_tiff
from predicting_model import model_of

from nnunet_vit.data.faults import Fault
from nnunet_vit.errors import ConfigError, DataError
from nnunet_vit.inference import inputs
from nnunet_vit.inference.images.folder_cases import named
from nnunet_vit.inference.large import opening, which_images
from nnunet_vit.inference.large.which_images import clashes, large_images, refuse_large
from nnunet_vit.inference.least_size import least_size
from nnunet_vit.inference.outputs.case_outputs import CaseOutputs
from nnunet_vit.inference.prediction_options import PredictionOptions
from nnunet_vit.report.progress import Progress

pytestmark = pytest.mark.unit

FULL = {"photometric": "rgb", "tile": (32, 32)}


@pytest.fixture(autouse=True)
def small_limit(monkeypatch):
    monkeypatch.setattr(which_images, "MOST_PIXELS", 40 * 50)


def write(folder, *names, size=(41, 50), channels=3):
    for name in names:
        write_tiff(folder / name, picture(size, channels), **(FULL if channels == 3 else {}))


def names_of(folder):
    found = large_images(folder)
    assert not found.faults
    return {case: [file.name for file in files] for case, files in found.cases.items()}


def test_tiffs_by_their_pixels_and_channels_together(tmp_path):
    write(tmp_path, "a_0000.tif", "b_0000.TIFF", "c_0000.ome.tif")
    write(tmp_path, "d_0000.tif", "e.tif", size=(40, 50))
    write(tmp_path, "f_0001.tif", channels=1)
    write(tmp_path, "f_0000.tif", channels=1, size=(40, 50))
    (tmp_path / "g_0000.tif").write_bytes(b"II*\0no picture")
    (tmp_path / "._h_0000.tif").write_bytes((tmp_path / "a_0000.tif").read_bytes())
    (tmp_path / "i_0000.tif").mkdir()
    assert names_of(tmp_path) == {
        "a": ["a_0000.tif"],
        "b": ["b_0000.TIFF"],
        "c": ["c_0000.ome.tif"],
        "f": ["f_0000.tif", "f_0001.tif"],
    }


def test_slides_and_zarrs_of_any_size_need_no_number(tmp_path):
    for name in ("a.svs", "b_0000.NDPI", "c.mrxs", "d.zarr", "notes.txt", "e.png"):
        (tmp_path / name).touch()
    for name in ("f.ome.zarr", "g_0000.zarr", "h.svs"):
        (tmp_path / name).mkdir()
    assert names_of(tmp_path) == {
        "a": ["a.svs"], "b": ["b_0000.NDPI"], "c": ["c.mrxs"], "f": ["f.ome.zarr"],
        "g": ["g_0000.zarr"],
    }  # fmt: skip


def test_a_large_tiff_without_a_number(tmp_path):
    write(tmp_path, "scan.ome.tif")
    assert large_images(tmp_path).faults == (
        Fault(
            f"{tmp_path}: image files must end in _0000 and their ending, one number of four "
            "digits per channel; found scan.ome.tif.",
            "rename scan.ome.tif to scan_0000.ome.tif.",
        ),
    )


def test_a_case_that_is_there_twice(tmp_path):
    write(tmp_path, "a_0000.tif", "b_0000.tif", "c_0000.tif")
    for name in ("a.svs", "c_0000.png", "d.svs", "d_0000.png"):
        (tmp_path / name).touch()
    pictures = {"c": [tmp_path / "c_0000.png"], "d": [tmp_path / "d_0000.png"]}
    found = clashes(tmp_path, pictures, large_images(tmp_path))
    assert [fault.problem for fault in found] == [
        f"{tmp_path}: the case {case} is there twice: {names}."
        for case, names in (
            ("a", "a.svs, a_0000.tif"),
            ("c", "c_0000.png, c_0000.tif"),
            ("d", "d.svs, d_0000.png"),
        )
    ]


def test_a_folder_that_is_not_there(tmp_path):
    assert large_images(tmp_path / "none").cases == {}


def test_options_that_need_whole_images():
    refuse_large([], ["--probabilities"])
    refuse_large(["a"], [])
    options = PredictionOptions(probabilities=True, min_size=least_size("5"), volumes=True)
    with pytest.raises(ConfigError) as caught:
        refuse_large(["a", "b"], options.of_whole_images())
    assert str(caught.value) == (
        "--probabilities and --min-size are not for large images, which are read in strips: a, b. "
        "Fix: predict these by themselves, without --probabilities and --min-size."
    )
    everything = PredictionOptions(
        probabilities=True, uncertainty=True, overlays=True, instances=True, largest_component=True
    )
    assert len(everything.of_whole_images()) == 5


class Trained:
    """A model's folder as `sound_inputs` looks at it."""

    def __init__(self, path, ending, channels, **changed):
        model = model_of(ending)
        self.path, self.plans, self.description = path, model.plans.plans, model.description
        self.plans["original_median_spacing_after_transp"] = [999.0, 1.0, 1.0]
        names = dict(enumerate("RGB"[:channels]))
        self.description["channel_names"] = {str(n): name for n, name in names.items()}
        self.configuration = {**model.configuration.configuration, **changed}
        for key, value in (("normalization_schemes", "ZScoreNormalization"),
                           ("use_mask_for_norm", False)):  # fmt: skip
            self.configuration.setdefault(key, [value])
            self.configuration[key] = self.configuration[key] * channels


def sound(given, ending=".png", channels=3, **changed):
    place = given if isinstance(given, Path) else given[0].parent
    return inputs.sound_inputs(given, Trained(place, ending, channels, **changed), Progress())


@pytest.mark.parametrize("ending", [".png", ".tif"])
def test_large_images_alone(tmp_path, ending):
    write(tmp_path, "b_0000.tif", "a_0000.tif")
    found = sound(tmp_path, ending)
    assert list(found.cases) == ["a", "b"] == list(found.large)
    outputs = CaseOutputs(ending, "NaturalImage2DIO", PredictionOptions(), large=found.large[:1])
    assert (outputs.mask("a"), outputs.mask("b")) == ("a.tif", f"b{ending}")
    assert found.memory["a"] == opening.bytes_of_strips(
        opening.opened(found.cases["a"]), (24, 32), 3, 1
    )
    assert found.without(["a"]).large == ("b",)


def test_large_images_among_others(tmp_path):
    write(tmp_path, "b_0000.tif")
    tifffile.imwrite(tmp_path / "c_0000.tif", picture((20, 20)))
    from skimage.io import imsave

    imsave(tmp_path / "a_0000.png", picture((20, 20)), check_contrast=False)
    found = sound(tmp_path)
    assert (list(found.cases), found.large) == (["a", "b", "c"], ("b",))


def test_large_images_of_a_list_or_one_by_one(tmp_path):
    write(tmp_path, "photo.tif")
    tifffile.imwrite(tmp_path / "small.tif", picture((20, 20)))
    (tmp_path / "list.txt").write_text("photo.tif\nsmall.tif\n")
    files = [tmp_path / "photo.tif", tmp_path / "small.tif"]
    for given in ([tmp_path / "list.txt"], files, files[:1]):
        found = sound(given)
        assert found.large == ("photo",)
        assert set(found.readers) == set(found.cases) - {"photo"}


def test_a_zarr_or_slide_that_is_named_is_one_image(tmp_path):
    zarr, slide = tmp_path / "a.ome.zarr", tmp_path / "b.svs"
    assert [named(file).case for file in (zarr, slide)] == ["a", "b"]
    zarr.mkdir()
    slide.touch()
    with pytest.raises(DataError) as caught:
        sound([zarr])
    assert str(zarr) in str(caught.value)
    assert "folder of images" not in str(caught.value)
    with pytest.raises(DataError, match=r"b\.svs"):
        sound([slide])


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"channels": 1}, "b_0000.tif has 3 channels; the model takes 1 (R)"),
        ({"ending": ".nii.gz"}, "the model was trained on images with a spacing"),
        ({"spacing": [0.5, 0.5]}, "the model was trained on images with a spacing"),
        ({"patch_size": [8, 16, 16]}, "read in strips; the model is one of volumes"),
        ({"normalization_schemes": ["Own"]}, "read in strips; the model normalizes by Own"),
    ],
)
def test_models_that_do_not_take_them(tmp_path, changed, told):
    write(tmp_path, "b_0000.tif")
    with pytest.raises(DataError) as caught:
        sound(tmp_path, **changed)
    assert str(caught.value).startswith(f"{tmp_path / 'b_0000.tif'} ")
    assert told in str(caught.value)


def test_a_row_of_tiles_that_no_memory_holds(tmp_path, monkeypatch):
    write(tmp_path, "b_0000.tif")
    monkeypatch.setattr(opening, "bytes_of_machine", lambda: 1000)
    with pytest.raises(DataError, match=r"needs 0.1 MB of memory for a row of tiles"):
        sound(tmp_path)


def test_channels_of_other_sizes(tmp_path):
    write(tmp_path, "b_0000.tif", channels=1)
    write(tmp_path, "b_0001.tif", channels=1, size=(41, 60))
    with pytest.raises(DataError, match=r"the channels of a case must lie on the same pixels"):
        sound(tmp_path, channels=2)


def test_a_damaged_one_is_left_out(tmp_path):
    write(tmp_path, "a_0000.tif", "b_0000.tif")
    whole = (tmp_path / "b_0000.tif").read_bytes()
    (tmp_path / "b_0000.tif").write_bytes(whole[:-2000])
    found = sound(tmp_path)
    assert (found.large, list(found.faults)) == (("a",), ["b"])
    assert str(found.faults["b"]).startswith(f"{tmp_path / 'b_0000.tif'} is cut off")
    assert np.isfinite(found.memory["a"])
