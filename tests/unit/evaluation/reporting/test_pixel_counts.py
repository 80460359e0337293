"""Confusion and reliability against a second way to count them."""

import numpy as np
import pytest
from report_runs import CASES, guess, save, truth

from nnunet_vit.evaluation.reporting.confusion_rows import confusion_rows
from nnunet_vit.evaluation.reporting.dice_charts import reliability_chart
from nnunet_vit.evaluation.reporting.pixel_counts import count_pixels
from nnunet_vit.evaluation.reporting.run_source import open_source
from nnunet_vit.report.progress import Progress

pytestmark = pytest.mark.unit


def counted(folder):
    source = open_source(folder, None, None)
    task = source.results.task
    return count_pixels(source.pairs, task, Progress(), voxels=truth().size), task


def slow_confusion(labels, reference=lambda mask: mask):
    table = np.zeros((len(labels), len(labels)), int)
    for number in range(len(CASES)):
        for true, found in zip(truth().flat, guess(number // 2).flat, strict=True):
            if true in labels:
                table[labels.index(true), labels.index(found)] += 1
    return table


def test_which_class_is_taken_for_which(model_run):
    counts, task = counted(model_run())
    assert counts.confusion.tolist() == slow_confusion([0, 1, 2]).tolist()
    rows = confusion_rows(counts, task)
    assert [row.name for row in rows] == ["background", "disc", "cup"]
    assert [row.pixels for row in rows] == (8 * np.bincount(truth().flat)).tolist()
    assert rows[2].shares[2].right and not rows[2].shares[1].right
    share = counts.confusion[1, 1] / counts.confusion[1].sum()
    assert rows[1].shares[1].text == f"{100 * share:.1f} %"


def test_pixels_to_ignore_count_in_no_row(model_run):
    counts, _ = counted(model_run(labels={"background": 0, "disc": 1, "ignore": 2}, shift=-3))
    assert list(counts.labels) == [0, 1]
    # the prediction holds the label too, as no prediction of nnU-Net does
    assert counts.confusion.sum() == 8 * (truth() != 2).sum()


def test_regions_are_told_by_their_labels(model_run):
    labels = {"background": 0, "whole": [1, 2], "core": [2]}
    counts, task = counted(model_run(labels=labels, regions_class_order=[1, 2]))
    assert [row.name for row in confusion_rows(counts, task)] == [
        "background", "whole", "whole + core",
    ]  # fmt: skip
    assert counts.reliability == {}


def test_reliability(model_run):
    counts, _ = counted(model_run(probabilities=True))
    pixels, promised, kept = counts.reliability["disc"]
    assert pixels.sum() == 8 * truth().size
    assert np.flatnonzero(pixels).tolist() == [1, 12]  # of 15 bins: 0.1 and 0.8
    sure = sum((guess(number // 2) == 1).sum() for number in range(8))
    right = sum(((guess(number // 2) == 1) & (truth() == 1)).sum() for number in range(8))
    assert (pixels[12], kept[12]) == (sure, right)
    assert promised[12] == pytest.approx(0.8 * sure, rel=1e-6)


def test_masks_that_are_not_what_their_probabilities_say(model_run):
    folder = model_run(probabilities=True)
    assert counted(folder)[0].differing == 0
    one = folder / f"fold_0/validation/{CASES[0]}.png"
    save(one, np.where(np.arange(30) < 5, 0, guess(0)))
    counts, _ = counted(folder)
    assert counts.differing == 1
    chart = reliability_chart("a", counts.reliability, counts.differing)
    assert "1 mask is not what its probabilities say" in chart.note
    assert "probabilities say" not in reliability_chart("a", counts.reliability).note
    assert "2 masks are not what their" in reliability_chart("a", counts.reliability, 2).note


def test_a_class_that_no_reference_has(model_run):
    labels = {"background": 0, "disc": 1, "cup": 2, "drusen": 3}
    rows = confusion_rows(*counted(model_run(labels=labels)))
    assert rows[3].pixels == 0
    assert {share.text for share in rows[3].shares} == {"-"}
