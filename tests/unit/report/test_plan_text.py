"""A plan's first lines: how large the dataset is."""

from types import SimpleNamespace

import pytest

from nnunet_vit.planning.dataset_size import DatasetSize
from nnunet_vit.planning.memory_limit import MemoryLimit
from nnunet_vit.report.plan_text import _sizes

pytestmark = pytest.mark.unit


@pytest.mark.parametrize(
    ("there", "words"),
    [
        (None, "10 cases with 40 slices"),
        (10, "10 cases with 40 slices"),
        (12, "10 cases with 40 slices when nnU-Net planned it, 12 now"),
    ],
)
def test_cases_that_have_come_since_are_told(there, words):
    size, limit = DatasetSize((64, 64), 10, 40), MemoryLimit(10**9, "cpu", "here")
    plan = SimpleNamespace(dataset="Dataset007_Mine", size=size, limit=limit, cases=there)
    assert next(_sizes(plan)).split(maxsplit=1)[1] == f"Dataset007_Mine, {words}"
