"""The cases that got worse: the right ones in their order, both runs in one picture."""

import numpy as np
import pytest
from compared_runs import CASES, save, truth
from compared_runs import run as run
from skimage.io import imread

from nnunet_vit.evaluation.comparing.compare import compare_runs
from nnunet_vit.evaluation.comparing.worst_cases import MOST, worse_cases, write_worse_cases
from nnunet_vit.evaluation.wanted import Wanted
from nnunet_vit.report.progress import Progress

pytestmark = pytest.mark.unit


class Said(Progress):
    def __init__(self):
        self.lines, self.warnings = [], []

    def log(self, text):
        self.lines.append(text)

    def warn(self, text):
        self.warnings.append(text)


@pytest.fixture
def comparison(run):
    """A run that is perfect but for one case, and one that lost a growing part of twelve cases."""
    first, other = run("first", 0), run("other", 0)
    for number, case in enumerate(CASES):
        mask = truth()
        file = f"fold_{number % 2}/validation/{case}.png"
        save(other / file, mask)
        if number == 15:
            mask[:] = 0
        save(first / file, mask)
        if number < 12:
            mask = truth()
            mask[2 : 3 + number // 2, 2:12] = 0
            mask[14, 14] = 0
            save(other / file, mask)
    return compare_runs([first, other], Progress(), wanted=Wanted(("dice", "hd95")))


def test_all_that_got_worse_the_worst_first(comparison):
    found = worse_cases(comparison, 1)
    assert len(found) == 12
    assert [case.name for case in found] == [*sorted(CASES[10:12]), *sorted(CASES[8:10]),
                                             *sorted(CASES[6:8]), *sorted(CASES[4:6]),
                                             *sorted(CASES[2:4]), *sorted(CASES[:2])]  # fmt: skip
    changes = [case.change for case in found]
    assert changes == sorted(changes) and max(changes) < 0


def test_a_case_that_got_better_is_none_of_them(comparison):
    names = {case.name for case in worse_cases(comparison, 1)}
    assert not names & {CASES[12], CASES[15]}


def test_pictures_show_both(comparison, tmp_path):
    images = tmp_path / "images"
    for case in CASES:
        save(images / f"{case}_0000.png", np.full((20, 20), 90))
    files = {case: images / f"{case}_0000.png" for case in CASES if case != CASES[10]}
    said = Said()
    write_worse_cases(comparison, tmp_path / "labels", files, tmp_path / "out", progress=said)
    names = sorted(file.name for file in (tmp_path / "out" / "worse" / "B").iterdir())
    assert len(names) == MOST - 1
    assert names[0].startswith(f"02_{CASES[11]}_dice-0.")
    picture = imread(tmp_path / "out" / "worse" / "B" / names[0])
    top, bottom = np.array_split(picture, 2)
    missed = np.array((64, 132, 255))
    counts = [int((part == missed).all(axis=2).sum()) for part in (top, bottom)]
    assert counts[1] > 10 * counts[0]  # the legend alone above
    assert said.warnings == [f"No picture of {CASES[10]}: there is no image that fits."]
    assert said.lines[-1].startswith("B is worse than A in 12 cases; the worst 10 are in ")


def test_nothing_got_worse(run, tmp_path):
    one, other = run("one", 3), run("two", 0)
    found = compare_runs([one, other], Progress(), wanted=Wanted(("dice",)))
    write_worse_cases(found, tmp_path / "labels", {}, tmp_path / "out", progress=Progress())
    assert not (tmp_path / "out").exists()
