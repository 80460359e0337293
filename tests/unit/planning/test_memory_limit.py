"""What a training may take of a device, and of a machine that it shares with others."""

import pytest

from nnunet_vit.errors import ConfigError
from nnunet_vit.planning import memory_limit
from nnunet_vit.planning.memory_limit import MemoryLimit, limit_here, limit_of

pytestmark = pytest.mark.unit

GB = 10**9


@pytest.mark.parametrize(("available", "usable"), [(8 * GB, 6 * GB), (None, 12 * GB), (0, 0)])
def test_a_cpu_has_what_is_free_of_its_machine(monkeypatch, available, usable):
    monkeypatch.setattr(memory_limit, "bytes_available", lambda: available)
    monkeypatch.setattr(memory_limit, "bytes_of_machine", lambda: 32 * GB)  # half of it is taken
    limit = limit_of(None, "cpu")
    assert (limit.usable, limit.software) == (usable, 0)
    assert limit.total_for(6 * GB) == 8 * GB


def test_trainings_on_one_device_share_it(monkeypatch):
    found = {"cpu": MemoryLimit(8 * GB, "cpu", "here", share=0.25),
             "cuda:0": MemoryLimit(24 * GB, "cuda", "big", bfloat16=True),
             "cuda:1": MemoryLimit(12 * GB, "cuda", "small", bfloat16=False)}  # fmt: skip
    monkeypatch.setattr(memory_limit, "_of_device", found.__getitem__)
    assert limit_here(["cpu", "cpu"]).usable == 3 * GB
    assert limit_here(["cpu", "cpu"]).name == "one of 2 shares of here"
    both = limit_here(["cuda:0", "cuda:1"])
    assert (both.name, both.bfloat16) == ("small", False)
    three = limit_here(["cuda:0", "cuda:1", "cuda:0", "cuda:0"])
    assert (three.total, three.bfloat16) == (8 * GB, False)  # one plan for both GPUs


def test_no_gpu_and_no_number(monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    with pytest.raises(ConfigError, match="no GPU on this machine"):
        limit_of(None, None)
