"""Checkpoints that are not as they were saved: refused, and the one before stands in."""

import json
import shutil

import pytest

from nnunet_vit.errors import ModelError

pytestmark = pytest.mark.unit

FILES = ["weights.safetensors", "optim.safetensors", "state.json", "MANIFEST.json"]
CHANGED = {
    "weights.safetensors": "epoch_00002: weights.safetensors has changed since it was saved",
    "optim.safetensors": "epoch_00002: optim.safetensors has changed since it was saved",
    "state.json": "epoch_00002: state.json has changed since it was saved",
}
APART = "epoch_00002: LATEST and its MANIFEST.json do not belong together"


def flip(path, place, bit):
    content = bytearray(path.read_bytes())
    content[place] ^= 1 << bit
    path.write_bytes(content)


def listed_again(store, epoch="epoch_00002"):
    """Make manifest and LATEST agree with files that were changed on purpose."""
    from nnunet_vit.checkpoints.directory import sha256

    folder = store.saves / epoch
    manifest = json.loads((folder / "MANIFEST.json").read_text())
    for name, file in manifest["files"].items():
        file |= {"bytes": (folder / name).stat().st_size, "sha256": sha256(folder / name)}
    (folder / "MANIFEST.json").write_text(json.dumps(manifest))
    pointer = json.loads((store.folder / "LATEST").read_text())
    pointer["manifest"] = sha256(folder / "MANIFEST.json")
    (store.folder / "LATEST").write_text(json.dumps(pointer))


@pytest.fixture
def falls_back(assert_is):
    """`falls_back(store, why)`: epoch 1 stands in for epoch 2, and the notice says why."""

    def check(store, why):
        assert_is(store.latest(), 1)
        assert store.notices == [f"{store.folder}: {why}. Resuming from epoch_00001."]

    return check


@pytest.mark.parametrize("share", [0.0, 0.3, 0.5, 0.8, 0.999])
@pytest.mark.parametrize("name", sorted(CHANGED))
def test_a_flipped_bit(saved, falls_back, name, share):
    store = saved(1, 2)
    file = store.saves / "epoch_00002" / name
    flip(file, int(share * file.stat().st_size), 4)
    falls_back(store, CHANGED[name])


def test_a_flipped_bit_anywhere_in_the_manifest(saved, assert_is):
    store = saved(1, 2)
    file = store.saves / "epoch_00002" / "MANIFEST.json"
    intact = file.read_bytes()
    for place in range(0, len(intact), 3):
        store.notices.clear()
        flip(file, place, place % 7)
        assert_is(store.latest(), 1)
        assert store.notices[0].startswith(f"{store.folder}: {APART}; epoch_00002: ")
        file.write_bytes(intact)


def test_a_flipped_bit_in_latest_costs_no_epoch(saved, assert_is):
    store = saved(1, 2)
    file = store.folder / "LATEST"
    intact = file.read_bytes()
    for place in range(len(intact)):
        flip(file, place, place % 8)
        assert store.latest().epoch == 2
        file.write_bytes(intact)
    assert f"{store.folder}: LATEST is missing or damaged. Resuming from epoch_00002." in (
        store.notices
    )
    assert f"{store.folder}: {APART}. Resuming from epoch_00002." in store.notices


@pytest.mark.parametrize("share", [0.0, 0.01, 0.25, 0.5, 0.75, 0.99])
@pytest.mark.parametrize("name", sorted(CHANGED))
def test_a_truncated_file(saved, falls_back, name, share):
    store = saved(1, 2)
    file = store.saves / "epoch_00002" / name
    content = file.read_bytes()
    kept = int(share * len(content))
    file.write_bytes(content[:kept])
    falls_back(store, f"epoch_00002: {name} has {kept} bytes, not {len(content)}")


@pytest.mark.parametrize("share", [0.0, 0.3, 0.6, 0.99])
def test_a_truncated_manifest(saved, falls_back, share):
    store = saved(1, 2)
    file = store.saves / "epoch_00002" / "MANIFEST.json"
    content = file.read_bytes()
    file.write_bytes(content[: int(share * len(content))])
    falls_back(store, f"{APART}; epoch_00002: MANIFEST.json is no JSON")


@pytest.mark.parametrize("name", FILES)
def test_a_missing_file_is_named(saved, falls_back, name):
    store = saved(1, 2)
    (store.saves / "epoch_00002" / name).unlink()
    again = f"; epoch_00002: {name} is missing" if name == "MANIFEST.json" else ""
    falls_back(store, f"epoch_00002: {name} is missing{again}")


def test_a_folder_in_the_place_of_a_file(saved, falls_back):
    store = saved(1, 2)
    (store.saves / "epoch_00002" / "state.json").unlink()
    (store.saves / "epoch_00002" / "state.json").mkdir()
    falls_back(store, "epoch_00002: state.json cannot be read: Is a directory")


def test_latest_names_a_folder_that_was_deleted(saved, falls_back):
    store = saved(1, 2)
    shutil.rmtree(store.saves / "epoch_00002")
    assert store.exists()
    falls_back(store, "epoch_00002: the folder is missing")


def test_no_latest_at_all(saved, assert_is):
    store = saved(1, 2)
    (store.folder / "LATEST").unlink()
    assert store.epoch_of_latest() == 2
    assert_is(store.latest(), 2)
    assert store.notices == [
        f"{store.folder}: LATEST is missing or damaged. Resuming from epoch_00002."
    ]


@pytest.mark.parametrize("place", ["../../elsewhere", "/etc", ".tmp-epoch_00002-1", 7, None])
def test_latest_names_nothing_but_checkpoints(saved, assert_is, place):
    store = saved(1, 2)
    pointer = json.loads((store.folder / "LATEST").read_text())
    (store.folder / "LATEST").write_text(json.dumps({**pointer, "dir": place}))
    assert_is(store.latest(), 2)
    assert len(store.notices) == 1


def test_several_are_damaged(saved, assert_is):
    store = saved(1, 2, 3, best=1)
    for epoch in (2, 3):
        (store.saves / f"epoch_0000{epoch}" / "state.json").write_text("")
    assert_is(store.latest(), 1)
    [notice] = store.notices
    assert notice.startswith(f"{store.folder}: epoch_00003: state.json has 0 bytes, not ")
    assert "; epoch_00002: state.json has 0 bytes, not " in notice
    assert notice.endswith(". Resuming from epoch_00001.")


def test_none_is_intact(saved):
    store = saved(1, 2)
    for epoch in (1, 2):
        (store.saves / f"epoch_0000{epoch}" / "weights.safetensors").unlink()
    with pytest.raises(ModelError) as caught:
        store.latest()
    assert str(caught.value) == (
        f"No checkpoint in {store.folder} is intact: epoch_00002: weights.safetensors is missing; "
        "epoch_00001: weights.safetensors is missing. Fix: restore the folder from a copy, or "
        "start from scratch with --overwrite."
    )


def test_the_best_is_damaged(saved):
    store = saved(1, 2, 3, best=1)
    flip(store.saves / "epoch_00001" / "weights.safetensors", -1, 0)
    with pytest.raises(ModelError) as caught:
        store.best()
    assert str(caught.value) == (
        f"{store.folder}: the best checkpoint, epoch_00001, cannot be used: weights.safetensors "
        "has changed since it was saved. Fix: restore the folder from a copy; the latest "
        "checkpoint may be intact."
    )


def test_files_of_others_are_ignored(saved, assert_is):
    store = saved(1, 2)
    (store.saves / "epoch_00002" / "notes.txt").write_text("mine")
    (store.saves / "epoch_elsewhere").mkdir()
    assert_is(store.latest(), 2)
    assert store.notices == []


@pytest.mark.parametrize(
    ("header", "reason"),
    [
        (b"", "is no safetensors file: "),
        ((2**40).to_bytes(8, "little") + b"{}", "is no safetensors file: "),
        (b"\x02" + bytes(7) + b"[]", "is no safetensors file: "),
        (
            (58).to_bytes(8, "little")
            + b'{"w":{"dtype":"F32","shape":[4611686018427387904],"data_of',
            "is no safetensors file: ",
        ),
    ],
)
def test_a_header_that_a_manifest_vouches_for(saved, assert_is, header, reason):
    store = saved(1, 2)
    (store.saves / "epoch_00002" / "weights.safetensors").write_bytes(header)
    listed_again(store)
    assert_is(store.latest(), 1)
    assert f"epoch_00002: weights.safetensors {reason}" in store.notices[0]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        ("[" * 100_000, "state.json is no JSON"),
        ("[]", "state.json holds no JSON object"),
        ('{"epoch": 2, "state": {}}', "its schema is None"),
        ('{"schema": 1, "epoch": "2", "state": {}}', "state.json is not that of a checkpoint"),
        ('{"schema": 1, "epoch": 2}', "state.json is not that of a checkpoint"),
    ],
)
def test_a_state_that_a_manifest_vouches_for(saved, falls_back, content, reason):
    store = saved(1, 2)
    (store.saves / "epoch_00002" / "state.json").write_text(content)
    listed_again(store)
    falls_back(store, f"epoch_00002: {reason}")


@pytest.mark.parametrize("name", ["state.json", "MANIFEST.json"])
def test_a_newer_version_has_written_it(saved, name):
    store = saved(1, 2)
    file = store.saves / "epoch_00002" / name
    file.write_text(file.read_text().replace('"schema": 1', '"schema": 2'))
    listed_again(store)
    with pytest.raises(ModelError) as caught:  # the older one does not stand in: nothing is broken
        store.latest()
    assert str(caught.value) == (
        f"{store.saves / 'epoch_00002'} has schema 2; this version of nnunet-vit reads up to 1. "
        "Fix: update nnunet-vit to the version that wrote it."
    )
    assert store.notices == []


@pytest.mark.parametrize("read", ["latest", "best"])
def test_prediction_reads_the_weights_alone(store, checkpoint_of, read):
    store.save(checkpoint_of(1), best=True)
    (store.saves / "epoch_00001" / "optim.safetensors").unlink()
    checkpoint = getattr(store, read)(weights_alone=True)
    assert checkpoint.epoch == 1 and checkpoint.optimizer == {}
    assert store.notices == []
    with pytest.raises(ModelError, match=r"optim\.safetensors is missing"):
        getattr(store, read)()
