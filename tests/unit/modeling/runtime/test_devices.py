"""What --device may say, on this machine and on one with two GPUs."""

import pytest
import torch

from nnunet_vit.errors import ConfigError, MachineError
from nnunet_vit.modeling.runtime.devices import choose_device, device_kind

pytestmark = pytest.mark.unit


@pytest.fixture
def gpus(monkeypatch):
    """`gpus(2)` is a machine with two GPUs; it returns the list of those that were chosen."""

    def have(number):
        chosen = []
        monkeypatch.setattr(torch.cuda, "is_available", lambda: number > 0)
        monkeypatch.setattr(torch.cuda, "device_count", lambda: number)
        monkeypatch.setattr(torch.cuda, "set_device", chosen.append)
        monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
        return chosen

    return have


def refusal(error, wanted):
    with pytest.raises(error) as caught:
        choose_device(wanted)
    return str(caught.value)


def test_the_device():
    there = ["cuda"] if torch.cuda.is_available() else []
    there += ["mps"] if torch.backends.mps.is_available() else []
    there.append("cpu")
    assert choose_device(None) == there[0]
    assert choose_device("cpu") == "cpu"
    for absent in {"cuda", "mps"} - set(there):
        assert refusal(MachineError, absent) == (
            f"--device {absent} is not available here; available: {', '.join(there)}."
        )


@pytest.mark.parametrize("unknown", ["tpu", "gpu", "cuda:", "cuda:x", "cuda:-1", "cpu:1", "CUDA"])
def test_a_device_that_nobody_has(unknown):
    expected = f"--device {unknown} is unknown; allowed: cuda, cuda:NUMBER, mps, cpu."
    assert refusal(ConfigError, unknown) == expected
    with pytest.raises(ConfigError):
        device_kind(unknown)


def test_a_gpu_by_its_number_becomes_the_current_one(gpus):
    chosen = gpus(2)
    assert [choose_device(wanted) for wanted in (None, "cuda", "cuda:0", "cuda:1", "cpu:0")] == [
        "cuda", "cuda", "cuda:0", "cuda:1", "cpu",
    ]  # fmt: skip
    assert chosen == [0, 1]
    assert device_kind("cuda:99") == "cuda"


def test_a_gpu_that_is_not_there(gpus):
    gpus(2)
    assert refusal(MachineError, "cuda:99") == (
        "--device cuda:99 is not available here; available: cuda:0, cuda:1, cpu."
    )
    gpus(0)
    assert refusal(MachineError, "cuda:1") == (
        "--device cuda:1 is not available here; available: cpu."
    )


def test_the_trainer_keeps_the_gpu_that_it_was_given(monkeypatch):
    """nnU-Net's own takes the first one whatever it is given."""
    from nnunetv2.training.nnUNetTrainer.nnUNetTrainer import nnUNetTrainer

    from nnunet_vit.training import trainer as module

    def take_the_first(self, *_):
        self.is_ddp, self.device = False, torch.device("cuda", 0)

    run = type("Run", (), {"train": None})
    monkeypatch.setattr(nnUNetTrainer, "__init__", take_the_first)
    monkeypatch.setattr(module, "run_of_plans", lambda _: run)
    trainer = module.nnUNetTrainer_vit.__new__(module.nnUNetTrainer_vit)
    with pytest.raises(AttributeError):  # it goes on to the settings of a run, which has none
        trainer.__init__({}, "2d", 0, {}, torch.device("cuda", 1))
    assert trainer.device == torch.device("cuda", 1)
