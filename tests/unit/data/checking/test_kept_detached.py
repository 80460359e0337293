"""Voxels beside their header: what is kept of a case hides no change of them."""

import numpy as np
import pytest

from .conftest import CASES, describe, mask, put_volume

pytestmark = pytest.mark.unit
NRRD = (
    "NRRD0004\ntype: uint8\ndimension: 3\nspace: left-posterior-superior\nsizes: 24 24 4\n"
    "space directions: (1,0,0) (0,1,0) (0,0,5)\nkinds: domain domain domain\nendian: little\n"
    "encoding: raw\nspace origin: (0,0,0)\ndata file: {}\n"
)
META = (
    "ObjectType = Image\nNDims = 3\nBinaryData = True\nBinaryDataByteOrderMSB = False\n"
    "TransformMatrix = 1 0 0 0 1 0 0 0 1\nOffset = 0 0 0\nElementSpacing = 1 1 5\n"
    "DimSize = 24 24 4\nElementType = MET_UCHAR\nElementDataFile = {}\n"
)


@pytest.fixture
def of_ending(volumes):
    """`of_ending(ending)` writes the dataset in another format and returns its folder."""

    def write(ending):
        describe(volumes, file_ending=ending)
        for old in volumes.glob("*Tr/*.nii.gz"):
            values = mask(1)[None].repeat(4, 0)
            if old.parent.name == "imagesTr":
                values = np.random.default_rng(ord(old.name[0])).random((4, 24, 24), np.float32)
            put_volume(old.with_name(old.name.replace(".nii.gz", ending)), values)
            old.unlink()
        return volumes

    return write


@pytest.mark.parametrize(("ending", "header"), [(".nrrd", NRRD), (".mha", META)])
def test_voxels_beside_their_header(of_ending, findings, watched, ending, header):
    labels = of_ending(ending) / "labelsTr"
    for case in "ab":
        (labels / f"{case}{ending}").write_text(header.format(f"{case}.raw"))
        mask(1)[None].repeat(4, 0).tofile(labels / f"{case}.raw")
    assert findings()[0] == ""
    assert sorted(watched.cases) == [*CASES]
    watched.cases.clear()
    mask(7)[None].repeat(4, 0).tofile(labels / "a.raw")
    (labels / "b.raw").unlink()
    errors = findings()[0]
    assert f"a{ending} holds the value 7" in errors
    assert f"b{ending} cannot be read" in errors
    assert sorted(watched.cases) == ["a", "b"]  # the others lie in their files
