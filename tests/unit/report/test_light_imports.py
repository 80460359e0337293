"""timm comes without torch's compiler, and both are whole afterwards."""

import os
import subprocess
import sys

import pytest

pytestmark = pytest.mark.unit

START = """
import sys
from nnunet_vit.report.light_imports import import_lightly
import_lightly()
"""
LOADED = "print('torch._dynamo' in sys.modules, 'torch._dynamo.utils' in sys.modules)"
TIMM = "import timm\n" + LOADED
WHOLE = """
import importlib.resources, inspect, torch, torchvision
assert timm.__spec__.loader is timm.__loader__ is not None
assert type(timm.__loader__).__module__ == "_frozen_importlib_external"
assert importlib.resources.files("timm").joinpath("__init__.py").is_file()
assert "torch.compiler" in inspect.getmodule(torch.compiler.disable).__name__
boxes = torch.tensor([[0.0, 0.0, 4.0, 4.0]])
assert torchvision.ops.roi_align(torch.ones(1, 1, 8, 8), [boxes], 2).sum() == 4
doubled = torch.compile(lambda value: 2 * value, backend="eager")
assert doubled(torch.ones(1)).item() == 2
assert timm.create_model("test_vit").num_features
print("whole")
"""


def told(code, **variables):
    environment = {**os.environ, **variables}
    done = subprocess.run(
        [sys.executable, "-c", START + code], capture_output=True, text=True, env=environment
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


def test_the_compiler_stays_out_and_comes_when_it_is_asked_for():
    assert told(TIMM + WHOLE) == ["False", "False", "whole"]


def test_a_compiler_that_is_there_already_stays_as_it_is():
    before = "import torch._dynamo.utils as own\n"
    assert told(before + TIMM + "\nprint(sys.modules[own.__name__] is own)")[-1] == "True"


def test_who_compiles_has_it_at_once():
    assert told(TIMM, nnUNet_compile="t") == ["True", "True"]


def test_another_name_of_the_utilities_is_the_real_one():
    code = """
from nnunet_vit.report.light_imports import _without_compiler
with _without_compiler():
    from torch._dynamo.utils import counters
    import torch._dynamo.utils as real
print(counters is real.counters, type(real).__name__)
"""
    assert told(code) == ["True", "module"]


def test_networks_of_a_prediction_need_no_compiler():
    assert told("import nnunet_vit.modeling.network\n" + LOADED) == ["False", "False"]
