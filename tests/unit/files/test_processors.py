"""The processors that this process may use."""

import os

import pytest

from nnunet_vit.files import control_groups
from nnunet_vit.files.processors import usable_processors

pytestmark = pytest.mark.unit


@pytest.fixture
def usable(tmp_path, monkeypatch):
    """`usable(files)` returns the count on a machine of 16, bound to 12, with groups' files."""
    monkeypatch.setattr(os, "cpu_count", lambda: 16)
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(12)), raising=False)
    monkeypatch.setattr(control_groups, "PROC", tmp_path)
    monkeypatch.setattr(control_groups, "GROUPS", tmp_path)

    def count(files):
        for name, text in files.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        return usable_processors()

    return count


@pytest.mark.parametrize(
    ("files", "count"),
    [
        ({}, 12),
        ({"self/cgroup": "0::/job\n", "job/cpu.max": "max 100000\n"}, 12),
        ({"self/cgroup": "0::/job/step\n", "job/cpu.max": "250000 100000\n"}, 3),
        ({"self/cgroup": "0::/\n", "cpu.max": "50000 100000\n"}, 1),
        (
            {
                "self/cgroup": "2:cpu,cpuacct:/job\n",
                "cpu/cpu.cfs_quota_us": "-1\n",
                "cpu/job/cpu.cfs_quota_us": "400000\n",
                "cpu/job/cpu.cfs_period_us": "100000\n",
            },
            4,
        ),
    ],
)
def test_the_least_of_what_limits_it(usable, files, count):
    assert usable(files) == count


def test_a_system_that_binds_no_process(usable, monkeypatch):
    monkeypatch.delattr(os, "sched_getaffinity")
    assert usable({}) == 16
