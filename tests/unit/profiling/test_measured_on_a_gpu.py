"""Predicted memory beside what `benchmarks/gpu/planner.py` has measured on an NVIDIA H100."""

import pytest
from measured_steps import run_of

pytestmark = pytest.mark.unit

BATCH = 8
# torch.cuda.max_memory_allocated, GB; torch 2.11.0+cu130, timm 1.0.29
MEASURED = {
    ("small", 224, "linear"): {"full": 0.68, "lora": 0.36, "frozen": 0.11},
    ("small", 224, "segformer"): {"full": 1.11, "lora": 0.86, "frozen": 0.61},
    ("small", 224, "dpt"): {"full": 1.55, "lora": 1.30, "frozen": 1.06},
    ("small", 512, "linear"): {"full": 1.85, "lora": 1.31, "frozen": 0.23},
    ("small", 512, "segformer"): {"full": 4.35, "lora": 3.82, "frozen": 2.73},
    ("small", 512, "dpt"): {"full": 5.90, "lora": 5.37, "frozen": 4.26},
    ("base", 224, "linear"): {"full": 1.79, "lora": 0.96, "frozen": 0.39},
    ("base", 224, "segformer"): {"full": 2.29, "lora": 1.47, "frozen": 0.89},
    ("base", 224, "dpt"): {"full": 2.91, "lora": 2.09, "frozen": 1.51},
    ("base", 512, "linear"): {"full": 4.14, "lora": 2.72, "frozen": 0.57},
    ("base", 512, "segformer"): {"full": 6.72, "lora": 5.30, "frozen": 3.07},
    ("base", 512, "dpt"): {"full": 8.55, "lora": 7.14, "frozen": 4.91},
    ("small", 224, "unetr"): {"full": 1.51, "frozen": 1.05},
    ("small", 224, "upernet"): {"full": 1.18, "frozen": 0.71},
    ("small", 224, "setr"): {"full": 1.21, "frozen": 0.72},
    ("small", 224, "eomt"): {"full": 1.34, "frozen": 0.92},
}


def cases():
    """Yield them all; the larger ones are slow to describe and tell the same."""
    for (size, edge, head), methods in MEASURED.items():
        marks = () if (size, edge) == ("small", 224) else pytest.mark.slow
        for method in methods:
            yield pytest.param(size, edge, head, method, marks=marks)


@pytest.mark.parametrize(("size", "edge", "head", "tuning"), list(cases()))
def test_memory_on_a_gpu(size, edge, head, tuning):
    from nnunet_vit.profiling.describe import describe

    model = {"head": head, "tuning": tuning, "pretrained": False}
    train = {"batch_size": BATCH, "patch_size": [edge, edge]}
    run = run_of(f"timm:vit_{size}_patch16_224", "auto", train=train, **model)
    predicted = sum(describe(run, "cuda").memory.values()) / 1e9
    assert predicted == pytest.approx(MEASURED[size, edge, head][tuning], rel=0.15)
