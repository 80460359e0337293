"""A repaired copy: every pixel that was right stays, and nothing is repaired that could be two."""

import hashlib
import os

import numpy as np
import pytest
from PIL import Image

from nnunet_vit.data.checking import repairing
from nnunet_vit.data.checking.repairing import place_of_copy, repair
from nnunet_vit.data.dataset import raw_dataset
from nnunet_vit.errors import ConfigError, MachineError

from .conftest import describe, mask, picture, put_case, put_volume

pytestmark = pytest.mark.unit

ONE = {"background": 0, "disc": 1}
DISC = mask(1)


@pytest.fixture
def one_class(pictures):
    describe(pictures, labels=ONE)
    for case in "abcdef":
        put_case(pictures, case, label=DISC)
    return pictures


@pytest.fixture
def repaired(watched, tmp_path):
    """`repaired(raw)` returns the copy's folder and what was changed, as texts."""

    def make(raw, name="Dataset006_Repaired"):
        dataset = raw_dataset(str(raw))
        path = place_of_copy(str(tmp_path / name), dataset)
        return path, [f"{c.now}: {c.done}" for c in repair(dataset, path, watched)]

    return make


def digests(folder):
    return {
        file.relative_to(folder).as_posix(): hashlib.sha256(file.read_bytes()).hexdigest()
        for file in sorted(folder.rglob("*"))
        if file.is_file()
    }


def with_palette(values, first=(0, 0, 0)):
    image = Image.fromarray(values, mode="P")
    image.putpalette([*first, 128, 0, 0, 0, 128, 0, *range(256), *range(256), *range(247)])
    return image


def opaque(*planes):
    return np.stack([*planes, np.full((24, 24), 255, np.uint8)], -1)


MASKS = {
    "0 and 255": (lambda: Image.fromarray(DISC * 255), "1 for 255"),
    "255 alone": (lambda: Image.fromarray(np.full((24, 24), 255, np.uint8)), "1 for 255"),
    "palette": (lambda: with_palette(DISC), "palette's indices as grey"),
    "palette of 255": (lambda: with_palette(DISC * 255), "palette's indices as grey, 1 for 255"),
    "LA": (lambda: Image.fromarray(opaque(DISC)), "opaque alpha channel removed"),
    "RGBA": (lambda: Image.fromarray(opaque(*[DISC * 255] * 3)),
             "opaque alpha channel removed, equal colours as grey, 1 for 255"),
    "RGB of grey": (lambda: Image.fromarray(np.stack([DISC] * 3, -1)), "equal colours as grey"),
    "RGB of a colour": (lambda: Image.fromarray(np.stack([DISC * 9, DISC * 0, DISC * 255], -1)),
                        "1 for the colour #0900ff"),
}  # fmt: skip


@pytest.mark.parametrize("kind", MASKS)
def test_a_mask_with_one_right_answer(one_class, repaired, findings, kind):
    make, done = MASKS[kind]
    make().save(one_class / "labelsTr/b.png")
    before = digests(one_class)
    copy, changes = repaired(one_class)
    assert changes == [f"labelsTr/b.png: {done}"]
    right = np.ones_like(DISC) if kind == "255 alone" else DISC
    assert np.array_equal(np.array(Image.open(copy / "labelsTr/b.png")), right)
    assert digests(one_class) == before
    others = digests(copy)
    assert others.pop("repairs.csv")
    assert {name for name in before if others[name] != before[name]} == {"labelsTr/b.png"}
    assert findings(str(copy))[0] == ""


LEFT = {
    "255 of two classes": (None, lambda: Image.fromarray(DISC * 255)),
    "255 and one to ignore": ({**ONE, "ignore": 2}, lambda: Image.fromarray(DISC * 255)),
    "0, 128 and 255": (ONE, lambda: Image.fromarray(DISC * 255 + mask(0, 128))),
    "another number": (ONE, lambda: Image.fromarray(DISC * 7)),
    "two colours": (ONE, lambda: Image.fromarray(np.stack([DISC * 9, mask(0, 3), DISC], -1))),
    "a colour of two classes": (
        None,
        lambda: Image.fromarray(np.stack([DISC * 9, DISC, DISC], -1)),
    ),
    "a palette that begins with white": (ONE, lambda: with_palette(DISC, (255, 255, 255))),
    "an alpha that is not opaque": (ONE, lambda: Image.fromarray(np.stack([DISC, DISC], -1))),
}


@pytest.mark.parametrize("kind", LEFT)
def test_a_mask_of_several_answers_is_left_and_no_copy_is_written(
    one_class, repaired, findings, kind
):
    labels, make = LEFT[kind]
    describe(one_class, labels=labels or {**ONE, "cup": 2})
    make().save(one_class / "labelsTr/b.png")
    copy, changes = repaired(one_class)
    assert (changes, copy.exists()) == ([], False)
    assert os.listdir(copy.parent) == []
    assert "b.png" in findings()[0]


def test_an_opaque_alpha_channel_of_an_image(one_class, repaired):
    image = picture(3)
    Image.fromarray(opaque(*image.transpose(2, 0, 1))).save(one_class / "imagesTr/b_0000.png")
    Image.fromarray(picture(4)).save(one_class / "imagesTr/c_0000.png")
    copy, changes = repaired(one_class)
    assert changes == ["imagesTr/b_0000.png: opaque alpha channel removed"]
    assert np.array_equal(np.array(Image.open(copy / "imagesTr/b_0000.png")), image)


def test_colours_of_16_bits_are_not_cut_to_8(one_class, repaired):
    import struct
    import zlib

    rows = b"".join(b"\0" + (b"\x12\x34" * 3 + b"\xff\xff") * 24 for _ in range(24))

    def part(name, data):
        return (
            struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))
        )

    head = part(b"IHDR", struct.pack(">2I5B", 24, 24, 16, 6, 0, 0, 0))
    content = b"\x89PNG\r\n\x1a\n" + head + part(b"IDAT", zlib.compress(rows)) + part(b"IEND", b"")
    (one_class / "imagesTr/b_0000.png").write_bytes(content)
    assert repaired(one_class)[1] == []


def test_names_with_one_right_answer(one_class, repaired, findings):
    (one_class / "imagesTr/b_0000.png").rename(one_class / "imagesTr/b.PNG")
    (one_class / "imagesTr/c_0000.png").rename(one_class / "imagesTr/c.png")
    (one_class / "labelsTr/d.png").rename(one_class / "labelsTr/d.Png")
    copy, changes = repaired(one_class)
    assert sorted(changes) == [
        "imagesTr/b_0000.png: ending .PNG as .png, _0000 added",
        "imagesTr/c_0000.png: _0000 added",
        "labelsTr/d.png: ending .Png as .png",
    ]
    assert findings(str(copy)) == ("", "")


def test_a_name_that_is_taken_and_a_browsers_copy_are_left(one_class, repaired):
    for name in ("b_0000.PNG", "b.png", "c_0000 (1).png"):
        Image.fromarray(picture(3)).save(one_class / "imagesTr" / name, format="PNG")
    assert repaired(one_class)[1] == []


def test_what_was_renamed_is_mended_too_and_the_rest_is_copied(one_class, repaired, findings):
    Image.fromarray(DISC * 255).save(one_class / "labelsTr/b.png")
    (one_class / "labelsTr/b.png").rename(one_class / "labelsTr/b.PNG")
    Image.fromarray(DISC * 7).save(one_class / "labelsTr/c.png")
    copy, changes = repaired(one_class)
    assert changes == ["labelsTr/b.png: ending .PNG as .png", "labelsTr/b.png: 1 for 255"]
    errors = findings(str(copy))[0]
    assert f"{copy / 'labelsTr/c.png'} holds the value 7" in errors
    assert "b.png" not in errors


def test_a_volume_of_0_and_255(volumes, repaired, findings):
    import SimpleITK

    label = mask(255)[None].repeat(4, 0)
    put_volume(volumes / "labelsTr/b.nii.gz", label)
    copy, changes = repaired(volumes)
    assert changes == ["labelsTr/b.nii.gz: 1 for 255"]
    image = SimpleITK.ReadImage(str(copy / "labelsTr/b.nii.gz"))
    assert image.GetSpacing() == (1.0, 1.0, 5.0)
    assert np.array_equal(SimpleITK.GetArrayFromImage(image), label // 255)
    assert findings(str(copy)) == ("", "")


def test_places_that_cannot_be(one_class, tmp_path):
    dataset = raw_dataset(str(one_class))
    assert place_of_copy("Dataset006_New", dataset) == one_class.parent / "Dataset006_New"
    for place in (str(one_class), str(one_class / "inside")):
        with pytest.raises(ConfigError):
            place_of_copy(place, dataset)
    (tmp_path / "file").touch()
    with pytest.raises(MachineError):
        place_of_copy(str(tmp_path / "file/new"), dataset)
    describe(one_class, dataset={"a": {"images": ["a.png"], "label": "b.png"}})
    with pytest.raises(ConfigError, match="lists files"):
        place_of_copy(str(tmp_path / "new"), raw_dataset(str(one_class)))


def test_nothing_is_left_where_the_disk_refuses(one_class, repaired, monkeypatch, tmp_path):
    Image.fromarray(DISC * 255).save(one_class / "labelsTr/b.png")

    def full(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(repairing, "write_pixels", full)
    with pytest.raises(MachineError, match="No space left"):
        repaired(one_class)
    assert os.listdir(tmp_path) == []


TIFF_LEFT = {
    "turned": {"extratags": [(274, "H", 1, 3, True)]},
    "white is 0": {"photometric": "miniswhite"},
    "turned palette": {
        "extratags": [(274, "H", 1, 3, True)],
        "photometric": "palette",
        "colormap": np.arange(768, dtype=np.uint16).reshape(3, 256),
    },
    "sound": {},
}


@pytest.mark.parametrize("kind", TIFF_LEFT)
def test_a_tiff_that_programs_show_in_two_ways_is_left(one_class, repaired, findings, kind):
    import tifffile

    describe(one_class, file_ending=".tif", channel_names={"0": "grey"})
    for case in "abcdef":
        for old in one_class.glob(f"*Tr/{case}*.png"):
            old.unlink()
        tifffile.imwrite(one_class / f"imagesTr/{case}_0000.tif", picture())
        label = DISC * 255 if case == "b" else DISC
        how = TIFF_LEFT[kind] if case == "b" else {}
        tifffile.imwrite(one_class / f"labelsTr/{case}.tif", label, **how)
    copy, changes = repaired(one_class)
    assert changes == (["labelsTr/b.tif: 1 for 255"] if kind == "sound" else [])
    advice = findings()[0]
    assert ("write 1 for 255" in advice.lower()) == (kind == "sound")
    assert ("save it upright" in advice) == kind.startswith("turned")
    assert ("save it with black as 0, and check once more" in advice) == (kind == "white is 0")
    if kind == "sound":
        assert np.array_equal(tifffile.imread(copy / "labelsTr/b.tif"), DISC)
