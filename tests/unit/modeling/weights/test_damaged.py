"""Tensors that lie in a file in other ways than plainly, or not wholly: refused in one sentence."""

import numpy as np
import pytest
import torch

pytestmark = pytest.mark.unit


def test_a_damaged_storage_is_noticed(trained, weights_file, refusal):
    """The archive has a checksum of each storage."""
    file = weights_file(trained, "weights.pth")
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 0xFF
    file.write_bytes(content)
    assert "cannot be read as weights: it is cut off or damaged." in refusal(file)


def test_a_tensor_beyond_its_storage_is_damage(trained, refusal, tmp_path):
    class Beyond:
        def __reduce__(self):
            storage = torch.zeros(4).untyped_storage()
            typed = torch.storage.TypedStorage(wrap_storage=storage, dtype=torch.float32)
            return torch._utils._rebuild_tensor_v2, (typed, 2, (3,), (1,), False, {})

    torch.save({**trained, "x": Beyond()}, tmp_path / "weights.pth")
    assert "it is no PyTorch file, or damaged" in refusal(tmp_path / "weights.pth")


def odd(kind, tensor):
    if kind == "sparse":
        return tensor.to_sparse() if tensor.ndim > 1 else tensor
    if kind == "meta":
        return tensor.to("meta")
    if kind == "quantized":
        return torch.quantize_per_tensor(tensor, 0.1, 0, torch.qint8)
    return torch.nested.nested_tensor([tensor, tensor])


ODD_FIX = {
    "sparse": "{name: tensor.to_dense() for name, tensor in model.state_dict().items()}",
    "meta": "model.state_dict() of the trained model, on the CPU",
    "quantized": "the weights from before they were quantized",
    "nested": "model.state_dict() of the trained model, on the CPU",
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", list(ODD_FIX))
def test_tensors_without_plain_values(trained, refusal, tmp_path, kind):
    tensors = {name: odd(kind, value) for name, value in trained.items()}
    torch.save({"model": tensors}, tmp_path / "weights.pth")
    count = sum(value.ndim > 1 or kind != "sparse" for value in trained.values())
    assert refusal(tmp_path / "weights.pth") == (
        f"{{file}} holds {count} tensors without plain values ({kind}): cls_token, pos_embed, "
        f"patch_embed.proj.weight, … ({count} in all). Fix: where the file was made, save "
        f"{ODD_FIX[kind]}."
    )


def test_tensors_that_are_shards_of_several_processes(trained, refusal, tmp_path):
    from torch.distributed.tensor import DTensor

    class Shard:
        def __reduce__(self):
            parts = (DTensor, torch.float32, (2, 2), (2, 1), 0, torch.strided, "cpu", False)
            return torch._utils._rebuild_wrapper_subclass, parts

    torch.save({name: Shard() for name in trained}, tmp_path / "weights.pth")
    text = refusal(tmp_path / "weights.pth")
    assert "78 tensors without plain values (distributed): cls_token" in text
    assert "get_model_state_dict and StateDictOptions(full_state_dict=True)" in text


def test_damaged_files_all_end_in_one_sentence(trained, weights_file, refusal):
    file = weights_file({"model": trained}, "weights.pth")
    torch.save({"model": trained}, file.parent / "older.pth", _use_new_zipfile_serialization=False)
    generator = np.random.default_rng(0)
    for path in (file, file.parent / "older.pth"):
        whole = path.read_bytes()
        for _ in range(12):
            damaged = bytearray(whole)
            start = int(generator.integers(0, 9000))
            damaged[start : start + 9] = generator.bytes(9)
            path.write_bytes(bytes(damaged))
            try:
                text = refusal(path)
            except (AssertionError, pytest.fail.Exception):
                continue  # it hit what does not matter
            assert text.startswith("{file} ")
