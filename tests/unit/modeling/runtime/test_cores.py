"""How many cores the operations of a thread take."""

import threading

import pytest
import torch

from nnunet_vit.modeling.runtime.cores import single_core_beside, threads_with

pytestmark = pytest.mark.unit


@pytest.fixture
def usual():
    """Give this thread three cores."""
    before = torch.get_num_threads()
    torch.set_num_threads(3)
    yield 3
    torch.set_num_threads(before)


def cores_of_a_new_thread():
    found = []
    thread = threading.Thread(target=lambda: found.append(torch.get_num_threads()))
    thread.start()
    thread.join()
    return found[0]


def test_each_thread_of_a_pool_takes_its_cores(usual):
    with threads_with(2, 2) as pool:
        taken = list(pool.map(lambda _: torch.get_num_threads(), range(8)))
    assert taken == [2] * 8
    assert torch.get_num_threads() == cores_of_a_new_thread() == usual


def test_beside_several_teams_operations_take_one_core(usual):
    with pytest.raises(ValueError, match="on the way"), single_core_beside(teams=2):
        assert torch.get_num_threads() == cores_of_a_new_thread() == 1
        raise ValueError("on the way")
    assert torch.get_num_threads() == cores_of_a_new_thread() == usual


def test_beside_one_team_they_take_what_they_took(usual):
    with single_core_beside(teams=1):
        assert torch.get_num_threads() == cores_of_a_new_thread() == usual
