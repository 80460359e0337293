"""The rules alone: patches in the images' shape, bounds of a batch, the largest that fits."""

from math import log, prod

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nnunet_vit.planning.batch_rule import bounds_for
from nnunet_vit.planning.dataset_size import DatasetSize
from nnunet_vit.planning.largest_batch import largest_batch
from nnunet_vit.planning.patch_candidates import MOST_TOKENS, candidates, tokens_of

pytestmark = pytest.mark.unit

EDGES = st.integers(1, 20_000)


@given(EDGES, EDGES, st.sampled_from([8, 14, 16]))
def test_patches_are_multiples_within_the_image_and_the_tokens(height, width, patch):
    sizes = candidates((height, width), patch)
    assert len(set(sizes)) == len(sizes)
    tokens = [tokens_of(size, patch) for size in sizes]
    assert tokens == sorted(tokens, reverse=True) and tokens[0] <= MOST_TOKENS
    for size in sizes:
        for edge, whole in zip(size, (height, width), strict=True):
            assert edge % patch == 0 and 0 < edge < whole + patch


@given(st.integers(300, 4000), st.integers(300, 4000))
def test_patches_have_the_images_shape_and_use_their_tokens(height, width):
    for size in candidates((height, width), 16):
        whole = all(edge >= image for edge, image in zip(size, (height, width), strict=True))
        allowed = 16 * 3 / min(size)  # an edge is whole patches
        assert whole or abs(log(size[0] / size[1]) - log(height / width)) < allowed
    most = min(MOST_TOKENS, prod(-(-edge // 16) for edge in (height, width)))
    assert tokens_of(candidates((height, width), 16)[0], 16) >= 0.9 * most


@pytest.mark.parametrize(
    ("image", "largest", "smallest"),
    [
        ((64, 64), (64, 64), (64, 64)),
        ((250, 256), (256, 256), (256, 256)),
        ((512, 512), (512, 512), (256, 256)),
        ((2048, 2048), (640, 640), (256, 256)),
        ((256, 2048), (224, 1792), (96, 672)),
        ((30, 9000), (32, 9008), (16, 4096)),
    ],
)
def test_known_images(image, largest, smallest):
    found = candidates(image, 16)
    assert (found[0], found[-1]) == (largest, smallest)


@pytest.mark.parametrize(
    ("patch", "images", "batch", "fair", "reason"),
    [
        ((512, 512), 10_000, 16, 8, "16384 tokens a step"),
        ((640, 640), 10_000, 10, 5, "16384 tokens a step"),
        ((64, 64), 10_000, 32, 16, "32 images"),
        ((512, 512), 120, 6, 3, "5 % of the dataset's pixels a step"),
        ((512, 512), 20, 2, 2, "5 % of the dataset's pixels a step"),
    ],
)
def test_batches(patch, images, batch, fair, reason):
    bounds = bounds_for(patch, 16, DatasetSize(patch, images, images))
    assert (bounds.least, bounds.fair, bounds.most) == (2, fair, batch)
    assert reason in bounds.reason


def test_a_batch_is_split_among_parts_that_the_run_file_asks_for():
    assert bounds_for((512, 512), 16, DatasetSize((512, 512), 20, 20), least=4).most == 4


@given(
    st.lists(st.tuples(st.integers(0, 900), st.integers(0, 90)), min_size=1, max_size=4),
    st.integers(1, 4000),
    st.integers(1, 4),
    st.integers(0, 40),
)
def test_the_largest_batch_of_any_curve_that_bends_upwards(lines, usable, least, more):
    asked = []

    def memory(batch):
        asked.append(batch)
        return max(start + slope * batch for start, slope in lines)

    most = least + more
    fitting = [batch for batch in range(least, most + 1) if memory(batch) <= usable]
    asked.clear()
    assert largest_batch(memory, usable, least=least, most=most) == max(fitting, default=None)
    assert all(least <= batch <= most for batch in asked)


def test_a_straight_line_takes_few_measurements():
    asked = set()

    def memory(batch):
        asked.add(batch)
        return 5_000 + 700 * batch

    assert largest_batch(memory, 12_345, least=2, most=32) == 10
    assert len(asked) <= 4
