"""Numbers as people read them."""

import pytest

from nnunet_vit.quantities import (
    bytes_text,
    decimal_text,
    operations_text,
    parameters_text,
    shape_text,
    sizes_text,
)

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("unit", "number", "text"),
    [
        (parameters_text, 94_416, "94416"),
        (parameters_text, 21_586_944, "21.59 M"),
        (parameters_text, 6_716_000_000, "6.72 B"),
        (bytes_text, 6152, "0.0 MB"),
        (bytes_text, 999_900_000, "999.9 MB"),
        (bytes_text, 999_999_999, "1.00 GB"),
        (bytes_text, 24_000_000_000, "24.00 GB"),
        (operations_text, 63_499_683_840, "63.5 GFLOPs"),
        (operations_text, 2_480_000_000_000, "2.48 TFLOPs"),
        (sizes_text, (512, 256), "512 x 256"),
        (sizes_text, [3.0, 0.5, 0.25], "3 x 0.5 x 0.25"),
        (shape_text, (1, 512, 256), "512 x 256 pixels"),
        (shape_text, (7, 512, 256), "7 x 512 x 256 voxels"),
    ],
)
def test_units(unit, number, text):
    assert unit(number) == text


@pytest.mark.parametrize(
    ("number", "plain", "signed"),
    [
        (-0.0, "0.000", "0.000"),
        (-0.0004, "0.000", "0.000"),
        (0.0004, "0.000", "0.000"),
        (-0.0006, "-0.001", "-0.001"),
        (1.23456, "1.235", "+1.235"),
        (float("nan"), "nan", "+nan"),
        (float("-inf"), "-inf", "-inf"),
    ],
)
def test_what_rounds_to_0_has_no_sign(number, plain, signed):
    assert (decimal_text(number, 3), decimal_text(number, 3, signed=True)) == (plain, signed)
