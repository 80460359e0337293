"""The network's time of a prediction on a GPU, beside stock nnU-Net's: four tiles, each mirrored.

    python benchmarks/gpu/prediction_network.py MODEL_FOLDER [MODEL_FOLDER …]

One image that four tiles cover, normalized already, goes through both sliding windows:
tiles, mirrored copies, Gaussian weights and the copy to the CPU; no file is read and nothing
resampled.
Prints a table in Markdown with the ratio, whose bar is 0.25, and the largest difference of logits.
"""

import argparse
from pathlib import Path

import torch
from nnunetv2.inference.predict_from_raw_data import nnUNetPredictor
from steps import seconds_of

from nnunet_vit import load_model


def compared(folder):
    """Return a line of the table."""
    device = torch.device("cuda")
    stock = nnUNetPredictor(device=device, allow_tqdm=False)
    stock.initialize_from_trained_model_folder(str(folder), (0,), "checkpoint_final.pth")
    window = load_model(folder, folds=[0], device="cuda")._window
    tile = stock.configuration_manager.patch_size
    channels = len(stock.dataset_json["channel_names"])
    image = torch.randn(channels, 1, *(edge * 3 // 2 for edge in tile))

    def ours():
        ((_, logits),) = window.logits([(None, image)])
        return logits

    def theirs():
        return stock.predict_sliding_window_return_logits(image)

    one, other = (1000 * seconds_of(side) for side in (ours, theirs))
    far = (ours().float() - theirs().cpu().float()).abs().max()
    name = f"{stock.plans_manager.dataset_name}, {folder.name}"
    size = " x ".join(map(str, tile))
    return f"| {name} | {size} | {one:.1f} ms | {other:.1f} ms | {one / other:.2f} | {far:.4f} |"


def main():
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("models", type=Path, nargs="+")
    given = parser.parse_args()
    print(f"{torch.cuda.get_device_name()}, torch {torch.__version__}")
    print("| model | tile | ours | stock | ratio | logits apart |")
    print("|---|---|---|---|---|---|", flush=True)
    for folder in given.models:
        print(compared(folder), flush=True)


if __name__ == "__main__":
    main()
