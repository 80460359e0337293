"""Whether a processor is quick in bfloat16 is measured, wherever it is asked first."""

import pytest
import torch
from torch._subclasses.fake_tensor import FakeTensorMode

from nnunet_vit.modeling.runtime import cpu_bfloat16

pytestmark = pytest.mark.unit
WIDTH = cpu_bfloat16.WIDTH


@pytest.fixture
def computed(monkeypatch):
    """What the layers that are timed have computed."""
    found = []
    seconds = cpu_bfloat16._seconds

    def kept(layer):
        found.append(layer())
        return seconds(layer)

    monkeypatch.setattr(cpu_bfloat16, "_seconds", kept)
    return found


@pytest.mark.parametrize("around", [FakeTensorMode, lambda: torch.device("meta")])
def test_it_is_measured_within_modes_in_which_nothing_is_computed(computed, around):
    """A plan measures on tensors without memory, and asked there first: all was as quick."""
    with around():
        cpu_bfloat16.share_of_float32()
    assert {each.dtype for each in computed} == {torch.float32, torch.bfloat16}
    assert all(each.max().item() == WIDTH for each in computed)


def test_the_threads_of_the_caller_stay(computed):
    before = torch.get_num_threads()
    cpu_bfloat16.share_of_float32()
    assert torch.get_num_threads() == before
