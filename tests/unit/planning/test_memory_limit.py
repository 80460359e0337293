"""What a training may take of a device, and of a machine that it shares with others."""

import pytest

from nnunet_vit.errors import ConfigError
from nnunet_vit.planning import machine_memory, memory_limit
from nnunet_vit.planning.machine_memory import free_memory
from nnunet_vit.planning.memory_limit import MemoryLimit, limit_here, limit_of

pytestmark = pytest.mark.unit

GB = 10**9


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """A machine with 8 GB free, in whose control groups a test may write."""
    (tmp_path / "meminfo").write_text("MemTotal: 16000000 kB\nMemAvailable:   7812500 kB\n")
    (tmp_path / "cgroup").write_text("4:memory:/box/job\n0::/box/job\n")
    monkeypatch.setattr(machine_memory, "MEMINFO", tmp_path / "meminfo")
    monkeypatch.setattr(machine_memory, "OWN_GROUP", tmp_path / "cgroup")
    monkeypatch.setattr(machine_memory, "GROUPS", tmp_path / "groups")

    def group(place, **files):
        folder = tmp_path / "groups" / place
        folder.mkdir(parents=True)
        for name, text in files.items():
            (folder / name.replace("__", ".")).write_text(str(text))

    return group


def test_the_machines_free_memory(machine):
    assert free_memory() == 8 * GB


@pytest.mark.parametrize(
    ("place", "files", "free"),
    [
        ("", {"memory__max": 4 * GB, "memory__current": GB}, 3 * GB),
        ("box", {"memory__max": 4 * GB, "memory__current": 3 * GB}, GB),
        ("box/job", {"memory__max": "max\n", "memory__current": 3 * GB}, 8 * GB),
        (
            "box/job",
            {"memory__max": 4 * GB, "memory__current": 3 * GB,
             "memory__stat": f"anon 5\ninactive_file {GB}\n"},
            2 * GB,
        ),
        ("box", {"memory__max": 2 * GB, "memory__current": 3 * GB}, 0),
        (
            "memory/box/job",
            {"memory__limit_in_bytes": 4 * GB, "memory__usage_in_bytes": 3 * GB,
             "memory__stat": f"total_inactive_file {GB // 2}\n"},
            3 * GB // 2,
        ),
        ("other", {"memory__max": GB, "memory__current": 0}, 8 * GB),
    ],
)  # fmt: skip
def test_a_container_that_has_less(machine, place, files, free):
    machine(place, **files)
    assert free_memory() == free


def test_half_of_a_machine_that_does_not_say(machine, tmp_path, monkeypatch):
    (tmp_path / "meminfo").unlink()
    monkeypatch.setattr(machine_memory, "bytes_of_machine", lambda: 6 * GB)
    assert free_memory() == 3 * GB


def test_a_cpu_has_what_is_free(monkeypatch):
    monkeypatch.setattr(memory_limit, "free_memory", lambda: 8 * GB)
    limit = limit_of(None, "cpu")
    assert (limit.usable, limit.margin, limit.software) == (6 * GB, 2 * GB, 0)
    assert limit.total_for(6 * GB) == 8 * GB


def test_trainings_on_one_device_share_it(monkeypatch):
    found = {"cpu": MemoryLimit(8 * GB, "cpu", "here", share=0.25),
             "cuda:0": MemoryLimit(24 * GB, "cuda", "big", bfloat16=True),
             "cuda:1": MemoryLimit(12 * GB, "cuda", "small", bfloat16=False)}  # fmt: skip
    monkeypatch.setattr(memory_limit, "_of_device", found.__getitem__)
    assert limit_here(["cpu", "cpu"]).usable == 3 * GB
    assert limit_here(["cpu", "cpu"]).name == "here, shared by 2 trainings,"
    both = limit_here(["cuda:0", "cuda:1"])
    assert (both.name, both.bfloat16) == ("small", False)
    three = limit_here(["cuda:0", "cuda:1", "cuda:0", "cuda:0"])
    assert (three.total, three.bfloat16) == (8 * GB, False)  # one plan for both GPUs


def test_no_gpu_and_no_number(monkeypatch):
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    with pytest.raises(ConfigError, match="no GPU on this machine"):
        limit_of(None, None)
