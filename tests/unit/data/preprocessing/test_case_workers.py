"""How many cases are preprocessed at the same time, and what an error does to the others."""

import threading

import pytest

from nnunet_vit.data.preprocessing import case_workers
from nnunet_vit.data.preprocessing.case_workers import bytes_of_case, each_case, workers_for

pytestmark = pytest.mark.unit


@pytest.fixture
def machine(monkeypatch):
    """`machine(processors, free)` is a machine with so many processors and bytes."""

    def have(processors, free):
        monkeypatch.setenv("nnUNet_def_n_proc", str(processors))
        monkeypatch.setattr(case_workers, "bytes_available", lambda: free)

    return have


@pytest.mark.parametrize(
    ("processors", "free", "largest", "workers"),
    [(8, 10e9, 1e9, 8), (8, 4e9, 1e9, 3), (8, 1e9, 5e9, 1), (8, None, 5e9, 8), (0, 1e9, 0, 1)],
)
def test_workers_fit_into_memory(machine, said, processors, free, largest, workers):
    machine(processors, None if free is None else int(free))
    assert workers_for(int(largest), said) == workers
    assert len(said.lines) == (workers < processors)


def test_fewer_workers_are_told_with_the_reason(machine, said):
    machine(8, int(4e9))
    workers_for(int(1e9), said)
    assert said.lines == [
        "Memory: a case takes up to 1.00 GB and 4.00 GB are free: 3 at the same time, not 8."
    ]


def test_results_come_by_case_in_order():
    cases = list("dcba")
    done = []
    found = each_case(str.upper, cases, 3, done=done.append)
    assert sorted(done) == list("abcd")
    assert list(found.items()) == [("d", "D"), ("c", "C"), ("b", "B"), ("a", "A")]


def test_the_first_error_ends_it():
    done, first = [], threading.Event()

    def work(case):
        if case == "0":
            first.wait(5)
            raise ValueError("bad")
        first.set()
        done.append(case)

    with pytest.raises(ValueError, match="bad"):
        each_case(work, [str(number) for number in range(2000)], 2, done=lambda _: None)
    assert len(done) < 2000


def test_a_case_counts_by_its_voxels_and_channels():
    assert bytes_of_case(1, 10) == 10 * (80 + 20 * 2)
    assert bytes_of_case(3, 1000) > bytes_of_case(1, 1000)
