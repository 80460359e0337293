"""The picture of a comparison is as large as what it shows, and no text lies on another."""

import itertools

import numpy as np
import pytest
from compared_runs import run as run
from skimage.io import imread

from nnunet_vit.evaluation.comparing.compare import compare_runs
from nnunet_vit.evaluation.comparing.comparison_picture import (
    DOTS_PER_INCH,
    ROW,
    draw,
    picture_of_differences,
)
from nnunet_vit.evaluation.wanted import Wanted
from nnunet_vit.report.progress import Progress

pytestmark = pytest.mark.unit

LONG = "a_head-a_backbone_large-lora-0123abcd__nnUNetResEncUNetMPlans_40G_of_mine__3d_fullres_"


def picture(*paths, metrics=("dice",)):
    return picture_of_differences(compare_runs(paths, Progress(), wanted=Wanted(metrics)))


def texts(figure):
    """Yield each text that is drawn: of an axis the numbers within its limits."""
    yield from figure.texts
    for axes in figure.axes:
        yield axes.title
        for axis, limits in ((axes.xaxis, axes.get_xlim()), (axes.yaxis, axes.get_ylim())):
            for tick in axis.get_major_ticks():
                if min(limits) <= tick.get_loc() <= max(limits):
                    yield tick.label1


def boxes(figure):
    """Return where each text lies, in pixels."""
    figure.draw_without_rendering()
    found = [(text.get_text(), text.get_window_extent()) for text in texts(figure)]
    return [(text, box) for text, box in found if text]


@pytest.mark.parametrize("metrics", [("dice",), ("dice", "hd95", "nsd")])
def test_no_text_lies_on_another_or_outside(run, metrics):
    figure = picture(*(run(f"{LONG}{n}", n) for n in range(3)), metrics=metrics)
    found = boxes(figure)
    assert sum(LONG[:20] in text for text, _ in found) == 1
    for one, other in itertools.combinations([box for _, box in found], 2):
        assert not one.overlaps(other)
    for _, box in found:
        assert figure.bbox.containsx(box.x0) and figure.bbox.containsx(box.x1)
        assert figure.bbox.containsy(box.y0) and figure.bbox.containsy(box.y1)


def test_its_height_is_that_of_its_rows(run):
    two = [run("worse", 3), run("good", 0)]
    few, many = picture(*two), picture(*two, run("third", 1))
    # a line more of names, six rows more of differences
    assert many.get_figheight() - few.get_figheight() == pytest.approx(6 * ROW + 0.17)
    assert few.axes[0].get_position().height * few.get_figheight() == pytest.approx(3 * ROW)


def test_one_class_of_two_runs_is_a_low_picture(run, tmp_path):
    labels = {"background": 0, "disc": 1}
    runs = [run("worse", 3, labels=labels), run("good", 0, labels=labels)]
    for file in [*tmp_path.glob("*/fold_*/validation/*.png"), *tmp_path.glob("labels/*.png")]:
        from skimage.io import imsave

        imsave(file, (imread(file) == 1).astype(np.uint8), check_contrast=False)
    draw(compare_runs(runs, Progress()), tmp_path / "one.png")
    height, width, _ = imread(tmp_path / "one.png").shape
    assert height < 1.8 * DOTS_PER_INCH < width
