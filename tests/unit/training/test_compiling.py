"""What of a training is compiled: its run says it, or nnU-Net's variable."""

import pytest
import torch
from small_training import SmallTraining

from nnunet_vit.errors import ConfigError
from nnunet_vit.modeling.backbone import vits_of
from nnunet_vit.modeling.runtime import compile_switch, compiled_blocks
from nnunet_vit.modeling.runtime.compile_switch import FEWEST, SWITCH, compiled_part
from nnunet_vit.modeling.runtime.compiled_blocks import CompiledBlocks
from nnunet_vit.training.callbacks.block_compiling import BlockCompiling
from nnunet_vit.training.trainer import nnUNetTrainer_vit

pytestmark = pytest.mark.unit


@pytest.fixture(autouse=True)
def plain_machine(monkeypatch):
    """A machine that could compile, whose user has set no variable; nothing is generated."""
    monkeypatch.delenv(SWITCH, raising=False)
    monkeypatch.setattr(compile_switch, "_builds_kernels", lambda: True)
    monkeypatch.setattr(compiled_blocks, "BACKEND", "eager")


@pytest.mark.parametrize(
    ("wanted", "device", "steps", "expected"),
    [
        ("auto", "cuda", FEWEST, "blocks"),
        ("auto", "cuda", FEWEST - 1, "off"),
        ("auto", "cpu", FEWEST, "off"),
        ("auto", "mps", FEWEST, "off"),
        ("off", "cuda", FEWEST, "off"),
        ("blocks", "cpu", 1, "blocks"),
        ("whole", "cpu", 1, "whole"),
    ],
)
def test_the_key_decides(wanted, device, steps, expected):
    assert compiled_part(wanted, device, steps) == expected


@pytest.mark.parametrize(
    ("value", "device", "expected"),
    [("t", "cuda", "whole"), ("1", "cuda", "whole"), ("f", "cuda", "off"), ("t", "cpu", "off")],
)
def test_nnunets_variable_decides_where_the_key_does_not(monkeypatch, value, device, expected):
    monkeypatch.setenv(SWITCH, value)
    assert compiled_part("auto", device, FEWEST) == expected
    assert compiled_part("blocks", device, FEWEST) == "blocks"


def test_a_machine_that_builds_no_kernels_compiles_nothing_unasked(monkeypatch):
    monkeypatch.setattr(compile_switch, "_builds_kernels", lambda: False)
    assert compiled_part("auto", "cuda", FEWEST) == "off"
    assert compiled_part("blocks", "cuda", FEWEST) == "blocks"


@pytest.mark.parametrize(("part", "expected"), [("whole", True), ("blocks", False), ("off", False)])
def test_nnunet_compiles_the_whole_network_alone(part, expected):
    trainer = nnUNetTrainer_vit.__new__(nnUNetTrainer_vit)
    trainer.__dict__["compiled"] = part
    assert trainer._do_i_compile() is expected


@pytest.fixture
def training(tmp_path):
    training = SmallTraining(tmp_path, callbacks=[BlockCompiling()])
    training.compiled = "blocks"
    training.build_network()
    return training


def callback_of(training):
    return training.callbacks.of(BlockCompiling)


def test_blocks_compute_compiled_in_steps_and_plain_in_validation(training):
    network = training.bare_network
    names = list(network.state_dict())
    callback = callback_of(training)
    callback.on_training_start(training)
    (vit,) = vits_of(network)
    blocks = list(vit.blocks)
    images = torch.randn(2, 3, 32, 32)
    compiled = network.train()(images)
    assert all(block._compiled_call_impl is not None for block in blocks)
    callback.on_validation_start(training)
    assert all(block._compiled_call_impl is None for block in blocks)
    plain = network(images)
    callback.on_validation_end(training)
    assert all(block._compiled_call_impl is not None for block in blocks)
    torch.testing.assert_close(compiled, plain)
    assert list(network.state_dict()) == names


def test_the_log_says_once_what_compiling_took(training):
    callback = callback_of(training)
    callback.on_training_start(training)
    for _ in range(6):
        callback.on_step_start(training)
        callback.on_step_end(training, 0.5)
    (line,) = training.log
    assert line.startswith("Compiled 6 blocks of the ViT: the first step took 0.0 s, others take")


def test_nothing_is_said_or_compiled_unasked(training):
    training.compiled = "off"
    callback = callback_of(training)
    callback.on_training_start(training)
    callback.on_step_start(training)
    callback.on_step_end(training, 0.5)
    callback.on_validation_start(training)
    callback.on_validation_end(training)
    assert training.log == []


def test_a_network_without_a_vit_is_refused():
    with pytest.raises(ConfigError, match="no ViT of timm") as caught:
        CompiledBlocks(torch.nn.Linear(2, 2))
    assert "train.compile: off" in str(caught.value)
