"""Cores that compute side by side: the same logits, each with modules of its own."""

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import torch
from torch import nn

from nnunet_vit.inference.tiling.forward import MOST_VOXELS, Forward

pytestmark = pytest.mark.unit

CPU, TILE = torch.device("cpu"), (8, 8)


class Remembering(nn.Module):
    """Stores what it has seen in itself and reads it again: no two threads may use it."""

    def __init__(self, meeting=None):
        super().__init__()
        self.weight = nn.Parameter(torch.tensor(2.0))
        if meeting is not None:
            self.seen_by = lambda: meeting  # a function with an object in it

    def forward(self, views):
        self.seen = views
        torch.randn(64, 64) @ torch.randn(64, 64)  # time for another thread
        return self.seen * self.weight


def forward_with(cores, monkeypatch, network, tile=TILE, tell=print):
    monkeypatch.setattr(torch, "get_num_threads", lambda: cores)
    return Forward([network], tile, CPU, tell)


@pytest.mark.parametrize("cores", [1, 2, 5])
def test_networks_that_store_what_they_see(cores, monkeypatch):
    forward = forward_with(cores, monkeypatch, Remembering())
    forward.batch = 1
    views = torch.arange(40.0).reshape(40, 1, 1, 1).expand(40, 1, *TILE)
    with ThreadPoolExecutor(4) as users:
        for logits in users.map(lambda _: forward(views), range(10)):
            torch.testing.assert_close(logits[0], views * 2)
    assert forward.teams == cores


def test_a_network_that_cannot_be_copied_computes_alone(monkeypatch):
    forward = forward_with(4, monkeypatch, Remembering(meeting=object()))
    assert forward.teams == 1
    torch.testing.assert_close(forward(torch.ones(9, 1, *TILE))[0], torch.full((9, 1, *TILE), 2.0))


def test_copies_share_their_parameters(monkeypatch):
    network = Remembering()
    forward = forward_with(3, monkeypatch, network)
    with torch.no_grad():
        network.weight.fill_(7)
    assert bool((forward(torch.ones(30, 1, *TILE)) == 7).all())


@pytest.mark.parametrize(("edge", "teams"), [(256, 64), (512, 16), (2048, 1), (4096, 1)])
def test_large_tiles_are_computed_by_several_cores_each(edge, teams, monkeypatch):
    forward = forward_with(64, monkeypatch, Remembering(), tile=(edge, edge))
    assert forward.teams == teams
    assert forward.teams * edge**2 <= max(MOST_VOXELS, edge**2)


def test_threads_of_others_keep_their_number(monkeypatch):
    before, found = torch.get_num_threads(), []
    Forward([Remembering()], TILE, CPU, print)
    other = threading.Thread(target=lambda: found.append(torch.get_num_threads()))
    other.start()
    other.join()
    assert [before] == found
    assert torch.get_num_threads() == before


class Failing(Remembering):
    """Has memory for one view in all threads together."""

    inside = 0
    lock = threading.Lock()

    def forward(self, views):
        with self.lock:
            Failing.inside += len(views)
            short = Failing.inside > 1
        try:
            if short:
                raise RuntimeError("DefaultCPUAllocator: not enough memory: you tried to")
            return super().forward(views)
        finally:
            with self.lock:
                Failing.inside -= len(views)


def test_where_memory_is_short_a_single_core_computes_in_the_end(monkeypatch):
    told = []
    forward = forward_with(4, monkeypatch, Failing(), tell=told.append)
    forward.batch = 2
    views = torch.randn(64, 1, *TILE)
    for _ in range(20):
        torch.testing.assert_close(forward(views)[0], views * 2)
    assert told[0] == "Memory is short: 4 tiles at once from now on."


class TooMany(Remembering):
    """Has no memory for 16 views, and says so when 8 threads have come with them."""

    def __init__(self):
        super().__init__(threading.Barrier(8))

    def forward(self, views):
        if len(views) > 8:
            self.seen_by().wait(60)
            raise MemoryError
        return super().forward(views)


def test_threads_that_run_out_of_memory_together_halve_the_batch_once(monkeypatch):
    told = []
    forward = forward_with(1, monkeypatch, TooMany(), tell=told.append)
    team = forward._free.get()
    for _ in range(8):
        forward._free.put(team)
    forward.batch = 16
    with ThreadPoolExecutor(8) as users:
        for logits in users.map(forward, [torch.ones(16, 1, *TILE)] * 8):
            assert logits.shape == (1, 16, 1, *TILE)
    assert told == ["Memory is short: 8 tiles at once from now on."]


def test_folds_take_turns_where_memory_has_no_room_for_all(monkeypatch):
    networks, told, moved = [Remembering() for _ in range(3)], [], []
    for number, network in enumerate(networks):
        nn.init.constant_(network.weight, number)

    def place(those, device, memory_format):
        moved.append((len(those), device.type))
        if len(those) > 1 and len(moved) == 1:
            raise torch.cuda.OutOfMemoryError("CUDA out of memory.")

    monkeypatch.setattr("nnunet_vit.inference.tiling.forward.place", place)
    monkeypatch.setattr("nnunet_vit.inference.tiling.team.place", place)
    monkeypatch.setattr(torch, "get_num_threads", lambda: 1)
    logits = Forward(networks, TILE, CPU, told.append)(torch.ones(2, 1, *TILE))
    assert logits[:, 0, 0, 0, 0].tolist() == [0, 1, 2]
    assert told == ["Memory is short: the 3 folds' networks take turns."]
    assert moved[2:] == [(1, "cpu")] * 6
    with pytest.raises(torch.cuda.OutOfMemoryError):
        moved.clear()
        monkeypatch.setattr(
            "nnunet_vit.inference.tiling.forward.place", lambda *_: place([1, 2], CPU, None)
        )
        Forward(networks[:1], TILE, CPU, told.append)
