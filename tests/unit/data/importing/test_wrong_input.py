"""Wrong input is one error that names every offender, and leaves nothing behind."""

import os

import pytest
from imported_datasets import NAME, drawn, folders, imported_folders, squares
from PIL import Image

from nnunet_vit.data.importing import import_dataset
from nnunet_vit.data.importing.class_options import parsed_labels
from nnunet_vit.data.importing.folder_matching import Folders, cases_of_folders
from nnunet_vit.data.importing.import_dataset import place_of
from nnunet_vit.data.importing.name_patterns import checked_pattern
from nnunet_vit.errors import ConfigError, DataError, MachineError

pytestmark = pytest.mark.unit
SIZE = (16, 20)


@pytest.fixture
def sources(tmp_path):
    images, masks = folders(tmp_path)
    for number in range(6):
        Image.fromarray(drawn(number, (*SIZE, 3))).save(images / f"c{number}.png")
        Image.fromarray(squares(number, SIZE) * 255).save(masks / f"c{number}.png")
    return images, masks


def refused(tmp_path, **options) -> str:
    before = sorted(str(path) for path in tmp_path.rglob("*"))
    with pytest.raises((DataError, ConfigError)) as caught:
        imported_folders(tmp_path, **options)
    assert sorted(str(path) for path in tmp_path.rglob("*")) == before
    return str(caught.value)


def test_names_without_a_partner(tmp_path, sources):
    images, masks = sources
    (images / "c1.png").rename(images / "x.png")
    (masks / "c2.png").unlink()
    told = refused(tmp_path)
    assert "2 images without a mask: c2.png, x.png" in told
    assert "1 mask without an image: c1.png" in told


def test_names_that_differ_at_the_end_get_a_pattern(tmp_path, sources):
    for file in sources[0].iterdir():
        file.rename(file.with_name(f"{file.stem}_training.png"))
    told = refused(tmp_path)
    assert r"--pattern '(.+)_training\.' --mask-pattern '(.+)\.'" in told
    pair = Folders(sources[0], {"": sources[1]}, pattern="(?P<case>.+)_training",
                   mask_pattern=r"(?P<case>.+)\.")  # fmt: skip
    assert len(cases_of_folders(pair).cases) == 6


def test_unknown_values_and_colours(tmp_path, sources):
    Image.fromarray(squares(0, SIZE, (255, 7))).save(sources[1] / "c0.png")
    Image.fromarray(squares(1, SIZE, (9, 7))).save(sources[1] / "c1.png")
    assert "--label class_1=7 class_2=9 class_3=255" in refused(tmp_path)
    told = refused(tmp_path, labels=["vessel=255"])
    assert "c0.png holds 7, which no --label names" in told
    assert "c1.png holds 7, 9, which no --label names" in told
    Image.fromarray(drawn(0, (*SIZE, 3), highest=2)).save(sources[1] / "c4.png")
    assert "Masks have colours (#000000, #000001" in refused(tmp_path)
    told = refused(tmp_path, labels=["vessel=#ffffff"])
    assert "c4.png holds #000001" in told
    assert "c0.png holds #070707" in told


def test_sizes_jpeg_channels_and_bits_in_one_error(tmp_path, sources):
    images, masks = sources
    Image.fromarray(squares(0, (20, 16)) * 255).save(masks / "c0.png")
    Image.fromarray(squares(0, SIZE) * 255).save(masks / "c1.jpg")
    (masks / "c1.png").unlink()
    Image.fromarray(drawn(2, SIZE)).save(images / "c2.png")
    Image.fromarray(drawn(3, SIZE, "uint16")).save(images / "c3.png")
    (images / "c4.png").write_bytes((images / "c5.png").read_bytes()[:-20])
    told = refused(tmp_path)
    assert "c0.png is 20 x 16 pixels, and c0.png 16 x 20 pixels" in told
    assert "c1.jpg is a JPEG" in told
    assert "2 with 1 channel: c2.png, c3.png" in told
    assert "1 with values of type uint16: c3.png" in told
    assert "c4.png is cut off" in told


def test_a_jpeg_whose_name_says_png(tmp_path, sources):
    Image.fromarray(squares(0, SIZE) * 255).save(sources[1] / "c1.png", format="JPEG")
    assert "c1.png is a JPEG" in refused(tmp_path)


def test_turned_pictures_and_animations(tmp_path, sources):
    images = sources[0]
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(drawn(0, (*SIZE, 3))).save(images / "c0.png", exif=exif)
    (images / "c1.png").unlink()
    frames = [Image.fromarray(drawn(n, SIZE)) for n in range(3)]
    frames[0].save(images / "c1.gif", save_all=True, append_images=frames[1:])
    told = refused(tmp_path)
    assert "c0.png is to be turned" in told
    assert "c1.gif holds 3 pictures" in told


def test_cases_whose_names_clash(tmp_path, sources):
    Image.fromarray(drawn(0, (*SIZE, 3))).save(sources[0] / "C1.bmp")
    Image.fromarray(squares(0, SIZE)).save(sources[1] / "C1.png")
    assert "is there 2 times" in refused(tmp_path)


def test_nothing_is_left_when_the_writing_stops(tmp_path, sources, monkeypatch):
    for error in (KeyboardInterrupt(), OSError(28, "No space left on device")):

        def stop(*_, error=error):
            raise error

        monkeypatch.setattr(import_dataset, "_write_texts", stop)
        with pytest.raises((KeyboardInterrupt, MachineError)):
            imported_folders(tmp_path)
        assert sorted(os.listdir(tmp_path)) == ["images", "masks"]


def test_the_place_of_the_dataset(tmp_path, monkeypatch):
    monkeypatch.delenv("nnUNet_raw", raising=False)
    with pytest.raises(ConfigError, match="nnUNet_raw is not set"):
        place_of(NAME)
    with pytest.raises(ConfigError, match="no name of a dataset"):
        place_of(str(tmp_path / "eyes"))
    monkeypatch.setenv("nnUNet_raw", str(tmp_path))
    assert place_of(NAME) == tmp_path / NAME
    (tmp_path / "Dataset505_Other").mkdir()
    with pytest.raises(DataError, match="Dataset505_Other"):
        place_of(NAME)
    (tmp_path / "Dataset505_Other" / "dataset.json").touch()
    with pytest.raises(DataError, match="is there already"):
        place_of("Dataset505_Other")


@pytest.mark.parametrize(
    ("labels", "told"),
    [
        (["vessel"], "'vessel' is no NAME=VALUE"),
        (["a=1", "b=1"], "1 is a and b"),
        (["a=1", "b=#00ff00"], "values and colours are mixed"),
        (["a=#0f0", "background=1"], "'a=#0f0' is no NAME=VALUE"),
        (["background=0"], "no class but the background"),
    ],
)
def test_labels_that_say_nothing(labels, told):
    with pytest.raises(ConfigError, match=told):
        parsed_labels(labels)


def test_patterns():
    assert checked_pattern(r"\((\d+)_", "--pattern", "case") == r"\((?P<case>\d+)_"
    assert checked_pattern("(?:a|b)(.+)_x", "--pattern", "case") == "(?:a|b)(?P<case>.+)_x"
    for wrong in ("(", "abc", "(a)(b)", "(?P<other>a)"):
        with pytest.raises(ConfigError, match="--pattern"):
            checked_pattern(wrong, "--pattern", "case")


def test_images_and_masks_in_one_folder(tmp_path, sources):
    images, masks = sources
    for file in list(images.iterdir()):
        (masks / file.name).rename(images / f"{file.stem}_mask.png")
        file.rename(images / f"{file.stem}_image.png")
    both = Folders(images, {"": images}, pattern="(?P<case>.+)_image",
                   mask_pattern="(?P<case>.+)_mask")  # fmt: skip
    found = cases_of_folders(both).cases
    assert [case.name for case in found] == [f"c{number}" for number in range(6)]
    assert found[0].masks[""].name == "c0_mask.png"
    (images / "readme_x.png").write_bytes((images / "c0_mask.png").read_bytes())
    with pytest.raises(DataError, match=r"--pattern finds no case in readme_x.png"):
        cases_of_folders(both)
