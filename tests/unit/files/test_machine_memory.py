"""The machine's memory: what it has, and what is free of it."""

import pytest

from nnunet_vit.files import control_groups
from nnunet_vit.files.machine_memory import bytes_available, bytes_of_machine

GB = 1024**3
MEMINFO = f"MemTotal: {32 * GB // 1024} kB\nMemFree: 1 kB\nMemAvailable: {20 * GB // 1024} kB\n"


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """Return what writes the files of a machine with 20 GB available, and its limits."""
    monkeypatch.setattr(control_groups, "PROC", tmp_path / "proc")
    monkeypatch.setattr(control_groups, "GROUPS", tmp_path / "groups")

    def write(groups, files):
        for name, text in {"proc/meminfo": MEMINFO, "proc/self/cgroup": groups, **files}.items():
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(str(text))

    return write


def version_2(folder, limit, held, given_back=0):
    return {
        f"groups/{folder}memory.max": limit,
        f"groups/{folder}memory.current": held,
        f"groups/{folder}memory.stat": f"anon 5\ninactive_file {given_back}\n",
    }


def version_1(folder, limit, held, given_back=0):
    return {
        f"groups/memory/{folder}memory.limit_in_bytes": limit,
        f"groups/memory/{folder}memory.usage_in_bytes": held,
        f"groups/memory/{folder}memory.stat": f"inactive_file 1\ntotal_inactive_file {given_back}",
    }


def test_without_limits_it_is_what_linux_calls_available(machine):
    machine("0::/user\n", version_2("user/", "max\n", 4 * GB))
    assert bytes_available() == 20 * GB


def test_a_limit_leaves_what_is_not_held(machine):
    machine("0::/\n", version_2("", 8 * GB, 5 * GB, given_back=3 * GB))
    assert bytes_available() == 6 * GB
    assert bytes_of_machine() <= 8 * GB


def test_the_tightest_of_the_limits_around_the_process_counts(machine):
    job = version_2("job/", 16 * GB, 10 * GB)
    machine("0::/job/step\n", {**job, **version_2("job/step/", 12 * GB, 1 * GB)})
    assert bytes_available() == 6 * GB


def test_the_older_control_groups(machine):
    groups = "5:devices:/elsewhere\n4:cpu,memory:/job\n0::/\n"
    machine(groups, version_1("job/", 10 * GB, 9 * GB, given_back=2 * GB))
    assert bytes_available() == 3 * GB
    assert bytes_of_machine() <= 10 * GB


def test_nothing_is_left_where_more_is_held_than_allowed(machine):
    machine("0::/\n", version_2("", 8 * GB, 9 * GB))
    assert bytes_available() == 0


def test_a_system_that_does_not_say_is_not_guessed_at(tmp_path, monkeypatch):
    monkeypatch.setattr(control_groups, "PROC", tmp_path)
    assert bytes_available() is None
    assert bytes_of_machine() > 2**28
