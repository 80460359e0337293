"""A plane below one patch of the ViT is refused, with the axis named where it is a line."""

import numpy as np
import pytest

from nnunet_vit.data.checks.plane import check_planned_plane, plane_fault, plane_of
from nnunet_vit.errors import DataError

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("shapes", "spacings", "slices", "sizes"),
    [
        ([(1, 60, 50)] * 3, [(999, 1, 1)] * 3, 0, (60, 50)),
        ([(96, 96, 1)] * 3, [(1, 1, 1)] * 3, 0, (96, 1)),
        ([(200, 180, 12)] * 3, [(0.5, 0.5, 5)] * 3, 2, (200, 180)),
        ([(1, 60, 50), (1, 80, 70), (1, 100, 90)], [(999, 1, 1)] * 3, 0, (80, 70)),
        ([(9, 100, 100), (9, 50, 50), (9, 50, 50)], [(5, 1, 1), (5, 2, 2), (5, 2, 2)], 0, (50, 50)),
        ([(9, 30, 30)] * 2, [(5, 0, 1), (5, 1, 1)], 0, (30, 30)),
        ([(9, 30, 30)] * 2, [(0, 0, 0), (5, float("nan"), 1)], 0, (30, 30)),
    ],
)
def test_the_plane_is_the_one_that_nnunet_plans(shapes, spacings, slices, sizes):
    plane = plane_of(shapes, spacings)
    assert (plane.slices, plane.sizes) == (slices, sizes)


def test_the_plane_agrees_with_nnunets_planner():
    from nnunetv2.experiment_planning.experiment_planners.default_experiment_planner import (
        ExperimentPlanner,
    )

    shapes = [(7, 60, 40), (9, 30, 50), (8, 64, 64)]
    spacings = [(1.0, 2.0, 2.5), (1.5, 2.0, 3.0), (1.0, 1.0, 4.0)]
    planner = ExperimentPlanner.__new__(ExperimentPlanner)
    planner.dataset_fingerprint = {"spacings": spacings, "shapes_after_crop": shapes}
    planner.overwrite_target_spacing, planner.anisotropy_threshold = None, 3
    planner.suppress_transpose = False
    plane = plane_of(shapes, spacings)
    transpose, _ = planner.determine_transpose()
    assert [plane.slices, *plane.axes] == [int(axis) for axis in transpose]
    target = planner.determine_fullres_target_spacing()
    assert np.allclose(
        [target[axis] for axis in plane.axes], [plane.spacing[a] for a in plane.axes]
    )


def test_a_line_names_the_axis():
    fault = plane_fault("Dataset801_Thin", (96, 1), 16, read=(96, 96, 1))
    assert fault is not None
    assert fault.problem == (
        "Dataset801_Thin: the plane of its images is 96 x 1 pixels, read as 96 x 96 x 1 (medians); "
        "that is less than one patch of the ViT, 16 x 16. Axis 3 as read has size 1; the axis of "
        "size 1 must be the first as read."
    )
    assert "2D images" in fault.fix and "(W, H, 1)" in fault.fix


def test_small_images_are_refused_and_images_of_one_patch_are_not():
    fault = plane_fault("Dataset801_Small", (12, 200), 14, read=(1, 12, 200))
    assert fault is not None
    assert fault.problem == (
        "Dataset801_Small: the plane of its images is 12 x 200 pixels, read as 1 x 12 x 200 "
        "(medians); that is less than one patch of the ViT, 14 x 14."
    )
    assert plane_fault("Dataset801_Fits", (14, 14), 14) is None


def test_plans_made_for_lines_are_refused():
    lines = {"median_image_size_in_voxels": [96.0, 1.0]}
    with pytest.raises(DataError, match="plane of its images is 96 x 1 pixels"):
        check_planned_plane("Dataset801_Thin", lines, 16)
    check_planned_plane("Dataset801_Thin", {"median_image_size_in_voxels": [96.0, 96.0]}, 16)
    check_planned_plane("Dataset801_Thin", {}, 16)
