"""What follows from a benchmark's numbers, and how people read them."""

import json

import pytest

from nnunet_vit.report.benchmark_text import as_text
from nnunet_vit.report.step_seconds import StepSeconds
from nnunet_vit.training.benchmarking.benchmark_result import BenchmarkResult, SwitchedSteps

pytestmark = pytest.mark.unit


def result(**changes):
    """Return ten steps of two images in two seconds."""
    values = {
        "head": "linear", "backbone": "timm:test_vit", "tuning": "full", "dataset": "Dataset502_A",
        "device": "cuda", "device_name": "A GPU", "precision": "bfloat16", "workers": 3,
        "image_size": (128, 256), "batch_size": 2, "tokens": 128,
        "seconds": StepSeconds(0.5, 0.1, 0.5, 0.8, 0.1, steps=10), "operations": 5 * 10**12,
        "peak_rate": 1e14, "memory": 2 * 10**9, "predicted_memory": 1.9e9,
    }  # fmt: skip
    return BenchmarkResult(**{**values, **changes})


def test_rates_follow_from_the_time_of_a_whole_step():
    found = result()
    assert found.step_seconds == pytest.approx(0.2)
    assert found.rate == pytest.approx(found.operations / found.step_seconds) == 2.5e13
    assert found.of_peak == pytest.approx(0.25)
    assert found.images_per_second == pytest.approx(10)
    assert found.tokens_per_second == pytest.approx(1280)


def test_json_holds_all_of_it():
    switch = SwitchedSteps("model.precision", "float32", 0.4)
    written = json.loads(json.dumps(result(switches=[switch]).as_json()))
    assert written["flops_per_second"] == pytest.approx(2.5e13)
    assert written["seconds"]["steps"] == 10
    assert written["shares"]["wait"] == pytest.approx(0.25)
    assert written["switches"][0]["value"] == "float32"


def test_what_cannot_be_known_is_null():
    found = result(operations=None, tokens=None, memory=None, predicted_memory=None)
    assert found.rate is found.of_peak is found.tokens_per_second is None
    assert "memory     not known here" in as_text("run.yaml", found)
    assert "compute" not in as_text("run.yaml", found)


def test_a_switch_is_compared_with_the_steps_beside_it():
    usual, other = SwitchedSteps("", "", 0.3), SwitchedSteps("train.compile", "true", 0.2)
    assert other.beside(usual).faster == pytest.approx(1.5)
    failed = SwitchedSteps("train.compile", "true", reason="the memory ended")
    assert failed.beside(usual) == failed


def test_the_text():
    switches = [
        SwitchedSteps("", "", 0.3, memory=2 * 10**9),
        SwitchedSteps("model.precision", "float32", 0.6, 0.5, 3 * 10**9),
        SwitchedSteps("train.gradient_checkpointing", "true", reason="no ViT of timm"),
    ]
    assert as_text("run.yaml", result(switches=switches, notes=["x"])) == (
        """run.yaml: head linear on timm:test_vit, tuning full
device     cuda (A GPU), bfloat16
images     2 per step, 128 x 256 pixels, from Dataset502_A by 3 workers

a training step, the mean of 10
  wait          50.00 ms   25.0%
  transfer      10.00 ms    5.0%
  forward       50.00 ms   25.0%
  backward      80.00 ms   40.0%
  optimizer     10.00 ms    5.0%
  sum          200.00 ms

speed      10.0 images/s, 1,280 tokens/s
compute    5.00 TFLOPs per step: 25.00 TFLOP/s, 25.0% of a large product's 100.00 TFLOP/s in \
bfloat16
memory     2.00 GB, and 1.90 GB by `describe`

one setting changed                             step       speed      memory
  none                                     300.00 ms           -     2.00 GB
  model.precision: float32                 600.00 ms      0.50 x     3.00 GB
  train.gradient_checkpointing: true       no ViT of timm

note       x"""
    )
