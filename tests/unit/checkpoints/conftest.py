"""Small checkpoints, networks and a process that can be killed at any step."""

import os
import sys

import pytest
import torch
from torch import nn

from nnunet_vit.checkpoints.store import Checkpoint, CheckpointStore


@pytest.fixture(scope="session", autouse=True)
def one_thread():
    """Tensors are tiny here, and forked children must not wait for a pool of threads."""
    torch.set_num_threads(1)


def build_checkpoint(epoch, size=16):
    weights = {"head.weight": torch.full((4, size), float(epoch)), "steps": torch.tensor(epoch)}
    optimizer = {"0.exp_avg": torch.full((4, size), epoch / 2), "0.step": torch.tensor(1.0 + epoch)}
    return Checkpoint(epoch, weights, optimizer, {"best_ema": epoch / 10, "logs": [epoch, None]})


def compare(checkpoint, epoch):
    expected = build_checkpoint(epoch)
    assert checkpoint.epoch == epoch
    assert checkpoint.state == expected.state
    for own, other in (
        (checkpoint.weights, expected.weights),
        (checkpoint.optimizer, expected.optimizer),
    ):
        assert set(own) == set(other)
        assert all(own[name].dtype == other[name].dtype for name in own)
        assert all(torch.equal(own[name], other[name]) for name in own)


@pytest.fixture(scope="session")
def checkpoint_of():
    """`checkpoint_of(epoch)` is a small checkpoint whose every part tells its epoch."""
    return build_checkpoint


@pytest.fixture(scope="session")
def assert_is():
    """`assert_is(checkpoint, epoch)` compares every bit with `checkpoint_of(epoch)`."""
    return compare


@pytest.fixture
def store(tmp_path):
    return CheckpointStore(tmp_path / "fold_0")


@pytest.fixture
def saved(store):
    """`saved(1, 2, best=1)` is the store after these epochs."""

    def save(*epochs, best=None):
        for epoch in epochs:
            store.save(build_checkpoint(epoch), best=epoch == best)
        return store

    return save


@pytest.fixture
def child():
    """`child(work)` forks, runs `work(say)` there and returns what was said and how it ended.

    `say(text)` is heard even when the child is killed right after it.
    """

    def run(work, while_it_runs=lambda pid: None):
        heard, said = os.pipe()
        pid = os.fork()
        if pid == 0:
            code = 1
            try:
                os.close(heard)
                work(lambda text: os.write(said, f"{text}\n".encode()))
                code = 0
            finally:
                sys.stderr.flush()
                os._exit(code)
        os.close(said)
        while_it_runs(pid)
        with os.fdopen(heard) as answers:
            lines = answers.read().splitlines()
        return lines, os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])

    return run


class Block(nn.Module):
    def __init__(self, width):
        super().__init__()
        self.qkv = nn.Linear(width, width)
        self.relative_position_bias_table = nn.Parameter(torch.randn(3, 2))
        self.register_buffer("seen", torch.zeros(2))


class Network(nn.Module):
    """Named as a ViT with a head: two frozen blocks, a frozen stem, a trained head."""

    def __init__(self, seed=0, width=4):
        super().__init__()
        torch.manual_seed(seed)
        self.pos_embed = nn.Parameter(torch.randn(1, 5, width))
        self.stem = nn.Linear(3, width)
        self.blocks = nn.ModuleList([Block(width), Block(width)])
        for parameter in self.parameters():
            parameter.requires_grad_(False)
        self.head = nn.Linear(width, 2)


@pytest.fixture
def network():
    """`network(seed)` is a small ViT-like network with frozen blocks."""
    return Network
