"""What a run has cost, by logs and checkpoints of ours and of nnU-Net."""

import numpy as np
import pytest

from nnunet_vit.evaluation.comparing.run_cost import Cost, cost_of

pytestmark = pytest.mark.unit


def test_the_cost(tmp_path):
    import torch

    fold = tmp_path / "fold_0"
    fold.mkdir()
    (fold / "training_log_1.txt").write_text(
        "2026-11-26 23:00:00.0: Epoch time: 1800.0 s \n"
        "2026-11-26 23:30:00.500000: predicting a\n2026-11-26 23:30:02.500000: predicting b\n"
    )
    shared = torch.zeros(3, 4)  # nnU-Net's U-Nets have each layer under several names
    weights = {"a": shared, "all_modules.a": shared, "b": torch.zeros(5)}
    weights["norm.running_mean"] = torch.zeros(7)
    logged = {"losses": [np.float64(0.5)]}  # as nnU-Net's own checkpoints have it
    torch.save({"network_weights": weights, "logging": logged}, fold / "checkpoint_final.pth")
    assert cost_of(tmp_path, (0,)) == Cost(17, 0.5, 2.0)
    assert cost_of(tmp_path, ()) == Cost(None, None, None)
    (fold / "checkpoint_final.pth").write_bytes(b"damaged")
    assert cost_of(tmp_path, (0,)).parameters is None
