"""What people wrote, without the paths of their machine."""

import pytest

from nnunet_vit.sharing.free_text import without_paths

pytestmark = pytest.mark.unit
HOMES, WINDOWS = "/" + "home", "C:/" + "Users"


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("/data/me/weights.pth", "weights.pth"),
        ("/data/my weights/a b.pth", "a b.pth"),
        ("/data/me/snapshot/", "snapshot"),
        ("~/w.pth", "w.pth"),
        ("C:\\My Data\\w.pth", "w.pth"),
        ("\\\\server\\share\\w.pth", "w.pth"),
        ("weights.pth", "weights.pth"),
        ("", ""),
        ("from /data/me/raw, in 2020", "from raw, in 2020"),
        ("see https://example.org/a/b/c", "see https://example.org/a/b/c"),
        ("see doi:/10.1000/182", "see doi:/10.1000/182"),
        ("stain /anti GFP/ used", "stain /anti GFP/ used"),
        ("(/CD8 positive cells/ml)", "(/CD8 positive cells/ml)"),
        (" /" + "a" * 100_000, " /" + "a" * 100_000),
        ("file:///data/me/x", "file://x"),
        ("and/or, 1/2, timm:vit/x", "and/or, 1/2, timm:vit/x"),
        ("CC BY 4.0 / CC0", "CC BY 4.0 / CC0"),
        ("at D:\\me\\x here", "at x here"),
        (f"from {HOMES}/jane doe/my data/raw, in 2020", "from raw, in 2020"),
        (f"from {HOMES}/jane doe (jd)/raw", "from raw"),
        ("see ~john/data/x.csv for more", "see x.csv for more"),
        ("~john/w.pth", "w.pth"),
        ("~10/20 of them, ~5 mm / 3", "~10/20 of them, ~5 mm / 3"),
        ("from /data/My Files/raw/set 1/x.nii, in 2020", "from x.nii, in 2020"),
        ("at \\\\server\\my share\\x y\\z.png now", "at z.png now"),
        ("smb://server/share/x and sftp://host/private/y", "x and y"),
        ("path:/data/me/x, x=/data/me/y, (/data/me/z)", "path:x, x=y, (z)"),
        ('as in "/a b/c, d/e f.txt"', 'as in "e f.txt"'),
        (
            "see /data/x/y and/or z; /data/x/w see https://example.org/b/c",
            "see y and/or z; w see https://example.org/b/c",
        ),
        (f"at {WINDOWS}/Jane Doe/raw here", "at raw here"),
        (f"see https://x.org{HOMES}/of us/a", f"see https://x.org{HOMES}/of us/a"),
    ],
)
def test_paths_are_left_out_of_texts(text, left):
    assert without_paths(text) == left


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("kept at ROOT/Dataset005 today", "kept at Dataset005 today"),
        ("see ROOT.", "see nnUNet_raw."),
        ("beside it, ../big: 2, old disk", "beside it, ../big: 2, old disk"),
        ("at DISK/notes of Jane/a b", "at notes of Jane/a b"),
        ("see https://example.org/ROOT/a", "see https://example.org/ROOT/a"),
    ],
)
def test_folders_of_this_machine_whatever_their_names(text, left, monkeypatch):
    disk = "/mnt/big: 2, old disk"
    monkeypatch.setenv("nnUNet_raw", f"{disk}/nnUNet_raw")
    given, wanted = (
        part.replace("ROOT", f"{disk}/nnUNet_raw").replace("DISK", disk) for part in (text, left)
    )
    assert without_paths(given) == wanted


def test_the_home_whatever_its_name(monkeypatch):
    monkeypatch.setenv("HOME", "/work of/jane, md")
    assert without_paths("in /work of/jane, md/data now") == "in data now"
