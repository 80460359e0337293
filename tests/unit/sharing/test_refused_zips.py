"""Zips that are refused, and that nothing is written then."""

import contextlib
import random
import stat
import zipfile

import pytest
from refused_bundles import refusal
from shared_models import contents, everything_in, installed, repacked

from nnunet_vit.errors import ModelError, UserError

pytestmark = pytest.mark.unit
FOLD = "weights/fold_0.safetensors"


def entry(name, *, mode=stat.S_IFREG | 0o644, content=b"x"):
    """Return an entry of a zip with a mode of Unix."""
    about = zipfile.ZipInfo(name)
    about.external_attr = mode << 16
    return about, content


ENTRIES = {
    "../out.json": (entry("../out.json"), "'../out.json' leads out of the folder"),
    "a/../../b": (entry("a/../../b"), "'a/../../b' leads out of the folder"),
    "absolute": (entry("/tmp/x.json"), "'/tmp/x.json' is an absolute path"),
    "drive": (entry("C:/x.json"), "'C:/x.json' is an absolute path"),
    "share": (entry("\\\\server\\x"), "is an absolute path"),
    "backslash": (entry("weights\\..\\..\\x"), "leads out of the folder"),
    "windows": (entry("weights\\x.json"), "is no name that a bundle has"),
    "hidden": (entry(".bashrc"), "'.bashrc' is no name that a bundle has"),
    "control": (entry("a\x1b[2J.json"), "is no name that a bundle has"),
    "link": (entry("link", mode=stat.S_IFLNK | 0o777, content=b"/etc"), "'link' is a link"),
    "device": (entry("null", mode=stat.S_IFCHR | 0o666), "'null' is a special file"),
    "pickle": (entry("fold_0/checkpoint_final.pth"), "is a pickle, which can run code"),
    "PICKLE": (entry("weights/x.PKL"), "'weights/x.PKL' is a pickle"),
    "twice": (entry("plans.json"), "'plans.json' is there 2 times"),
    "case": (entry("Plans.JSON"), "'plans.json' is there 2 times"),
    "extra": (entry("weights/fold_9.safetensors"), "fold_9.safetensors is not in the manifest"),
    "folder": (entry("plans.json/"), "'plans.json' is there 2 times"),
}


@pytest.mark.parametrize(("added", "problem"), ENTRIES.values(), ids=ENTRIES)
def test_entries_that_no_bundle_has(small_bundle, results, tmp_path, added, problem):
    bad = tmp_path / "bad.zip"
    bad.write_bytes(small_bundle.read_bytes())
    twice = added[0].filename == "plans.json"
    with (
        pytest.warns(UserWarning) if twice else contextlib.nullcontext(),
        zipfile.ZipFile(bad, "a") as archive,
    ):
        archive.writestr(*added)
    assert problem in refusal(bad, results)


def test_all_problems_come_at_once(small_bundle, results, tmp_path):
    bad = repacked(small_bundle, tmp_path / "bad.zip", {"../a": b"", "b.pth": b"", "/c": b""})
    text = refusal(bad, results)
    assert "'../a' leads out" in text and "'b.pth' is a pickle" in text and "'/c' is" in text
    assert text.startswith(f"{bad} is refused, nothing is installed: ")


def test_files_that_are_missing_changed_or_more(bundle, results, tmp_path):
    plans = contents(bundle)["plans.json"]
    changes = {
        "dataset.json": None,
        "plans.json": plans.replace(b"0", b"1"),
        "notes.json": b"{}",
    }
    text = refusal(repacked(bundle, tmp_path / "bad.zip", changes), results)
    assert "dataset.json is missing" in text
    assert "notes.json is not in the manifest" in text
    changed = {"plans.json": plans.replace(b"0", b"1", 1)}
    text = refusal(repacked(bundle, tmp_path / "changed.zip", changed), results)
    assert text.endswith("plans.json has changed since it was exported.")


def test_a_bomb_is_not_unpacked(small_bundle, results, tmp_path):
    bomb = bytes(64 << 20)
    bad = tmp_path / "bad.zip"
    with zipfile.ZipFile(bad, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in contents(small_bundle).items():
            archive.writestr(name, bomb if name in (FOLD, "plans.json") else content)
    assert bad.stat().st_size < 1 << 20
    text = refusal(bad, results)
    assert f"'{FOLD}' is compressed: weights are stored as they are" in text
    assert "'plans.json' is larger than 16,777,216 bytes unpacked" in text


def test_entries_that_share_their_bytes(small_bundle, results, tmp_path):
    """A bomb without compression: many entries of one place."""
    content = bytearray(small_bundle.read_bytes())
    with zipfile.ZipFile(small_bundle) as archive:
        end, start = len(content) - 22, archive.start_dir
        one = next(i for i in archive.infolist() if i.filename == FOLD)
    directory = bytes(content[start:end])
    name_at = directory.index(FOLD.encode())
    record = directory[name_at - 46 : name_at + len(FOLD)]
    more = b"".join(record.replace(b"fold_0", b"fold_%d" % n) for n in range(1, 10))
    tail = bytearray(content[end:])
    count = len(contents(small_bundle)) + 9
    tail[8:10] = tail[10:12] = count.to_bytes(2, "little")
    tail[12:16] = (len(directory) + len(more)).to_bytes(4, "little")
    bad = tmp_path / "bad.zip"
    bad.write_bytes(bytes(content[:start]) + directory + more + bytes(tail))
    assert one.file_size * 10 > bad.stat().st_size
    assert "its entries overlap" in refusal(bad, results)


def test_an_encrypted_entry(small_bundle, results, tmp_path):
    content = bytearray(small_bundle.read_bytes())
    with zipfile.ZipFile(small_bundle) as archive:
        start = archive.start_dir
    content[start + 8] |= 1
    bad = tmp_path / "bad.zip"
    bad.write_bytes(content)
    assert "'manifest.json' is encrypted" in refusal(bad, results)


@pytest.mark.parametrize("kept", [0, 10, 1000, -1, -30])
def test_a_zip_that_is_cut_off(small_bundle, results, tmp_path, kept):
    bad = tmp_path / "bad.zip"
    bad.write_bytes(small_bundle.read_bytes()[:kept])
    assert refusal(bad, results).startswith(f"{bad} is no zip, or it is cut off: ")


def test_what_is_no_file(results, tmp_path):
    absent = tmp_path / "absent.zip"
    with pytest.raises(ModelError, match=r"absent.zip is not there; the zip of "):
        installed(absent, results)
    with pytest.raises(ModelError, match="is a folder; the zip of "):
        installed(results, results)


def test_zips_of_others(bundle, results, tmp_path):
    of_nnunet = tmp_path / "nnunet.zip"
    with zipfile.ZipFile(of_nnunet, "w") as archive:
        archive.writestr("Dataset001_A/b__c__2d/plans.json", "{}")
        archive.writestr("Dataset001_A/b__c__2d/fold_0/checkpoint_final.pth", "x")
    assert "is a zip of nnU-Net's own: its checkpoints are pickles" in refusal(of_nnunet, results)
    inside = tmp_path / "inside.zip"
    with zipfile.ZipFile(inside, "w") as archive:
        for name, content in contents(bundle).items():
            archive.writestr(f"model/{name}", content)
    text = refusal(inside, results)
    assert text.endswith("manifest.json: it is in a folder, model/manifest.json.")
    empty = tmp_path / "empty.zip"
    zipfile.ZipFile(empty, "w").close()
    assert refusal(empty, results).endswith("manifest.json is missing.")


def test_a_changed_byte_is_refused_or_changes_nothing(small_bundle, results, tmp_path):
    whole = small_bundle.read_bytes()
    (tmp_path / "good").mkdir()
    good = contents_of(installed(small_bundle, tmp_path / "good"))
    numbers, refused = random.Random(0), 0
    directory = whole.index(b"PK\x01\x02")
    places = [numbers.randrange(len(whole)) for _ in range(30)]
    places += [numbers.randrange(directory, len(whole)) for _ in range(90)]
    for number, place in enumerate(places):
        changed = bytearray(whole)
        changed[place] ^= numbers.randrange(1, 256)
        bad = tmp_path / "bad.zip"
        bad.write_bytes(changed)
        before = everything_in(results)
        try:
            folder = installed(bad, tmp_path / f"fuzzed {number}")
        except UserError:
            refused += 1
            assert not (tmp_path / f"fuzzed {number}").exists()
        else:
            assert contents_of(folder) == good
        assert everything_in(results) == before
    assert refused > 60


def contents_of(folder):
    return {file.name: file.read_bytes() for file in folder.rglob("*") if file.is_file()
            and file.name != "installed.json"}  # fmt: skip
