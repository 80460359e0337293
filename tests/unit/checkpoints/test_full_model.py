"""Whole models: torch files of plain types, whole or not at all, and no code in them."""

import os
import pickle

import numpy as np
import pytest
import torch

from nnunet_vit.checkpoints.full_model import plain, read_full_model, write_full_model
from nnunet_vit.errors import MachineError, ModelError

pytestmark = pytest.mark.unit

FIX = "Fix: give a model that nnunet-vit has written, or an intact copy of the file."
OBJECTS = "this file holds Python objects; none of them was run"


@pytest.fixture
def path(tmp_path):
    return tmp_path / "checkpoint_final.pth"


@pytest.fixture
def content():
    torch.manual_seed(0)
    return {
        "network_weights": {"head.weight": torch.randn(20, 30)},
        "logging": {"ema": [np.float64(0.5), np.float32(0.25)], "dice": [np.array([0.1, np.nan])]},
        "init_args": {"fold": 0, "device": torch.device("cpu"), "shape": (1, 2)},
        "_best_ema": np.float64(0.75),
        "axes": None,
    }


@pytest.fixture
def refusal(path):
    def read():
        with pytest.raises(ModelError) as caught:
            read_full_model(path)
        return str(caught.value)

    return read


def test_round_trip_in_plain_types(path, content):
    write_full_model(path, content)
    for found in (read_full_model(path), torch.load(path, weights_only=True)):
        assert torch.equal(
            found["network_weights"]["head.weight"], content["network_weights"]["head.weight"]
        )
        assert found["logging"]["ema"] == [0.5, 0.25]
        assert {type(value) for value in found["logging"]["ema"]} == {float}
        assert (type(found["_best_ema"]), found["_best_ema"]) == (float, 0.75)
        assert found["init_args"] == {"fold": 0, "device": torch.device("cpu"), "shape": (1, 2)}
        assert found["axes"] is None


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (np.float32(0.5), 0.5),
        (np.int64(3), 3),
        (np.bool_(True), True),
        (np.str_("a"), "a"),
        (np.array([[1, 2]]), [[1, 2]]),
        ({np.int64(1): [np.float64(2.0)]}, {1: [2.0]}),
        ((1, [None, "x"]), (1, [None, "x"])),
    ],
)
def test_plain(value, expected):
    assert repr(plain(value)) == repr(expected)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({"logging": {"when": [1, object()]}}, "logging.when.1: object is not plain"),
        ({"path": os}, "path: module is not plain"),
        (b"bytes", "value: bytes is not plain"),
        ({"a": {(1, 2): 3}}, "a: tuple is no plain key"),
        (np.array([object()]), "0: object is not plain"),
        ({1, 2}, "value: set is not plain"),
    ],
)
def test_what_is_not_plain_is_refused_with_its_place(value, text):
    with pytest.raises(TypeError) as caught:
        plain(value)
    assert str(caught.value) == text


def test_objects_are_refused_before_anything_is_written(path, content):
    path.write_text("older")
    with pytest.raises(TypeError):
        write_full_model(path, {**content, "extra": object()})
    assert path.read_text() == "older"
    assert os.listdir(path.parent) == [path.name]


def test_a_full_disk_leaves_the_older_file(path, content, child):
    resource = pytest.importorskip("resource")
    write_full_model(path, content)
    older = path.read_bytes()

    def write(say):
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))
        try:
            write_full_model(path, {"w": torch.zeros(1000)})
        except MachineError as error:
            say(error)

    said, code = child(write)
    assert code == 0
    [message] = said
    assert message.startswith(
        f"{path} could not be written: File too large. Needed: 4,000 bytes; free on this disk: "
    )
    assert path.read_bytes() == older
    assert os.listdir(path.parent) == [path.name]


def test_no_folder_to_write_to(path, content):
    with pytest.raises(MachineError) as caught:
        write_full_model(path.parent / "none" / path.name, content)
    assert "could not be written: No such file or directory. Needed: 2,400 bytes; " in str(
        caught.value
    )


def test_what_a_killed_process_left_is_swept(path, content):
    leftover = path.parent / f".tmp-{path.name}-4711"
    leftover.write_bytes(b"half")
    write_full_model(path, content)
    assert os.listdir(path.parent) == [path.name]


@pytest.mark.parametrize("share", [0.0, 0.001, 0.2, 0.5, 0.9, 0.999])
def test_a_truncated_file(path, content, refusal, share):
    write_full_model(path, content)
    whole = path.read_bytes()
    path.write_bytes(whole[: int(share * len(whole))])
    assert refusal() == (
        f"{path} cannot be read as a model: it is damaged, or no torch file. {FIX}"
    )


def test_a_flipped_bit_that_torch_would_load(path, content, refusal):
    write_full_model(path, content)
    damaged = bytearray(path.read_bytes())
    value = content["network_weights"]["head.weight"].numpy().tobytes()
    damaged[damaged.index(value) + 1203] ^= 64
    path.write_bytes(damaged)
    assert torch.load(path, weights_only=True)
    assert refusal() == (
        f"{path} cannot be read as a model: its part archive/data/0 has changed since it "
        f"was saved. {FIX}"
    )


class Malicious:
    def __init__(self, marker):
        self.marker = marker

    def __reduce__(self):
        return os.mkdir, (str(self.marker),)


@pytest.mark.parametrize("zipped", [True, False], ids=["torch", "old torch"])
def test_code_in_a_file_is_not_run(path, refusal, zipped):
    marker = path.parent / "marker"
    torch.save({"w": Malicious(marker)}, path, _use_new_zipfile_serialization=zipped)
    reason = OBJECTS if zipped else "it is damaged, or no torch file"
    assert refusal() == f"{path} cannot be read as a model: {reason}. {FIX}"
    assert not marker.exists()
    torch.load(path, weights_only=False)  # the file is what it is said to be
    assert marker.exists()


def test_code_in_a_bare_pickle_is_not_run(path, refusal):
    marker = path.parent / "marker"
    path.write_bytes(pickle.dumps(Malicious(marker)))
    assert "it is damaged, or no torch file" in refusal()
    assert not marker.exists()


def test_foreign_files(path, refusal):
    torch.save({"ema": np.float64(1.0)}, path)  # as nnU-Net's own
    assert refusal() == f"{path} cannot be read as a model: {OBJECTS}. {FIX}"
    torch.save(torch.zeros(2), path)
    assert refusal() == f"{path} cannot be read as a model: it holds Tensor, not a model. {FIX}"
    path.unlink()
    assert refusal() == f"{path} cannot be read as a model: No such file or directory. {FIX}"
    path.mkdir()
    assert refusal() == f"{path} cannot be read as a model: Is a directory. {FIX}"
