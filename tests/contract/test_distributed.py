"""Several processes train a head together only if every trained parameter gets a gradient."""

import os
import re
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import pytest
from repository_heads import HEADS

from nnunet_vit.tuning import own_methods

pytestmark = pytest.mark.contract

SCRIPT = Path(__file__).with_name("distributed_steps.py")
LIMIT = 600  # seconds, which only a hang takes


def test_no_method_is_left_out():
    named = set("full frozen lora last_blocks rslora dora vera ia3".split())
    assert set(own_methods()) == named


def test_all_heads_are_installed():
    assert set(HEADS) <= set(entry_points(group="nnunet_vit.heads").names)


@pytest.mark.parametrize(
    "methods",
    ["full", pytest.param("lora,frozen,last_blocks,rslora,dora,vera,ia3", marks=pytest.mark.slow)],
)
def test_two_processes_train_every_head_with_every_method(methods, tmp_path):
    assert said_by_both(SCRIPT, tmp_path, methods, *HEADS) == ["done\n", "done\n"]


def test_two_processes_have_the_loss_of_their_whole_batch(tmp_path):
    script = SCRIPT.with_name("distributed_losses.py")
    assert said_by_both(script, tmp_path) == ["done\n", "done\n"]


def said_by_both(script, folder, *words):
    """Return what two processes of a script print."""
    environment = os.environ | {"GLOO_SOCKET_IFNAME": "lo", "OMP_NUM_THREADS": "1"}
    both = [
        subprocess.Popen(
            [sys.executable, script, str(rank), folder / "meeting", *words],
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for rank in range(2)
    ]
    try:
        outputs = [process.communicate(timeout=LIMIT) for process in both]
    finally:
        for process in both:
            process.kill()
    # older versions of torch let gloo say on standard output that it is connected
    said = [re.sub(r"^\[Gloo\].*\n", "", printed, flags=re.M) for printed, _ in outputs]
    assert all(said), outputs
    return said
