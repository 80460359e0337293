"""Whether a training is compiled: nnU-Net's switch has to ask for it."""

import pytest
import torch

from nnunet_vit.training.trainer import nnUNetTrainer_vit

pytestmark = pytest.mark.unit


def compiles(kind: str) -> bool:
    trainer = nnUNetTrainer_vit.__new__(nnUNetTrainer_vit)
    trainer.device = torch.device(kind)
    trainer.print_to_log_file = lambda *_: None
    return trainer._do_i_compile()


def test_no_gpu_compiles_unasked(monkeypatch):
    monkeypatch.delenv("nnUNet_compile", raising=False)
    assert not compiles("cuda")


@pytest.mark.parametrize(("value", "kind", "expected"), [
    ("t", "cuda", True), ("1", "cuda", True), ("f", "cuda", False), ("t", "cpu", False),
])  # fmt: skip
def test_the_switch_decides(monkeypatch, value, kind, expected):
    monkeypatch.setattr("os.name", "posix")  # nnU-Net compiles nothing on Windows
    monkeypatch.setenv("nnUNet_compile", value)
    assert compiles(kind) is expected
