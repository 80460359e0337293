"""The one owner of what the numbers of palette masks mean."""

import numpy as np
import pytest
from PIL import Image

from nnunet_vit.data.checks.mask_palettes import (
    NO_COLOUR,
    colours_used,
    meanings_of,
    packed,
    unclear_palettes,
)

pytestmark = pytest.mark.unit
RED, GREEN = 0xFF0000, 0x00FF00


def test_colours_of_the_numbers_that_a_mask_holds():
    palette = packed(np.array([(0, 0, 0), (255, 0, 0), (1, 2, 3)], np.uint8).T)
    assert palette.tolist() == [0, RED, 0x010203]
    assert colours_used(np.array([[0, 2], [2, 7]]), palette) == {0: 0, 2: 0x010203, 7: NO_COLOUR}


def test_what_numbers_mean_in_all_masks():
    found = meanings_of([("a", {0: 0, 1: RED}), ("b", {0: 0, 1: GREEN, 2: RED}), ("c", {1: RED})])
    assert found.files[1] == {RED: "a", GREEN: "b"}
    assert (found.unlike, found.colours) == ([1], [0, GREEN, RED])
    assert (found.numbers_of(RED), found.numbers_of(0x123456)) == ([1, 2], [])


def test_numbers_without_a_colour_are_unclear(tmp_path):
    for name, numbers in (("short", [0, 3]), ("whole", [0, 2])):
        picture = Image.fromarray(np.array([numbers], np.uint8), mode="P")
        picture.putpalette([0, 0, 0, 255, 0, 0, 0, 255, 0])
        picture.save(tmp_path / f"{name}.png")
    (tmp_path / "damaged.png").write_bytes(b"\x89PNG")
    assert unclear_palettes(sorted(tmp_path.iterdir())) == {tmp_path / "short.png"}
