"""What of plans.json and dataset.json travels."""

import json

import pytest
from shared_models import stored_model

from nnunet_vit.errors import ModelError
from nnunet_vit.inference.model_folder import open_model
from nnunet_vit.sharing.portable import portable_description, portable_plans

pytestmark = pytest.mark.unit


def test_a_description_lists_no_cases():
    description = {
        "channel_names": {"0": "R"},
        "labels": {"background": 0, "disc": 1},
        "file_ending": ".png",
        "reference": "taken at /data/me/hospital",
        "dataset": {"jane_doe": {"images": ["/data/me/jane_doe.png"], "label": "/x/y.png"}},
        "my_notes": "ask Jane",
    }
    travels = portable_description(description)
    assert travels == {
        "channel_names": {"0": "R"},
        "labels": {"background": 0, "disc": 1},
        "file_ending": ".png",
        "reference": "taken at hospital",
    }


@pytest.fixture
def plans(tmp_path):
    return open_model(stored_model("lora", tmp_path)).plans


def test_plans_name_files_by_their_names(plans):
    run = plans["nnunet_vit"]["run"]
    run["trackers"] = [{"name": "mlflow", "uri": "http://x.org/?key=secret"}]
    before = json.dumps(plans)
    travels = portable_plans(plans)
    own = travels["configurations"]["2d"]["architecture"]["arch_kwargs"]["model"]
    assert own["checkpoint_path"] == "weights.safetensors"
    assert travels["nnunet_vit"]["run"]["model"] == own
    assert travels["nnunet_vit"]["run"]["trackers"] == []
    assert json.dumps(plans) == before


def test_a_head_that_needs_a_file_of_this_machine(plans):
    plans["nnunet_vit"]["run"]["model"]["decoder"]["prototypes"] = "/data/me/prototypes.npy"
    with pytest.raises(ModelError) as caught:
        portable_plans(plans)
    assert "model.decoder.prototypes: /data/me/prototypes.npy" in str(caught.value)
