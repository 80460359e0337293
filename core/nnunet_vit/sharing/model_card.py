"""MODEL_CARD.md: what a model segments, how good it was found to be, and how to use it."""

from collections.abc import Iterator

from nnunet_vit.backbones import timm_name
from nnunet_vit.config.models import ViTnnUNetConfig
from nnunet_vit.data.channels import in_order
from nnunet_vit.errors import counted
from nnunet_vit.files.json_file import JsonMapping, JsonObject
from nnunet_vit.nnunet.plans import run_of_plans
from nnunet_vit.quantities import sizes_text
from nnunet_vit.sharing.bundle_format import TRAINED, Manifest
from nnunet_vit.tuning import method_name

FRONT = (
    "---\nlibrary_name: nnunet-vit\npipeline_tag: image-segmentation\ntags:\n- nnunet-vit\n---\n"
)
TOLD = {
    "description": "",
    "reference": "Reference: ",
    "licence": "Licence: ",
    "license": "Licence: ",
}


def card_of(manifest: Manifest, plans: JsonMapping, description: JsonMapping) -> str:
    """Return the card of a bundle as Markdown; a model hub reads its first lines.

    Args:
        manifest: of the bundle, without its files.
        plans: that travel.
        description: dataset.json that travels.
    """
    run = run_of_plans(dict(plans))
    parts = (
        [f"# {manifest.dataset}: {manifest.plans}"],
        _segments(manifest, plans, description),
        _figures(manifest),
        _training(manifest, run),
        _weights(run),
        _packages(manifest),
        _use(manifest),
    )
    return FRONT + "\n\n".join("\n".join(part) for part in parts) + "\n"


def _segments(manifest: Manifest, plans: JsonMapping, description: JsonMapping) -> Iterator[str]:
    configuration = plans["configurations"][manifest.configuration]
    channels = in_order(description.get("channel_names") or description["modality"])
    yield "## What it segments\n"
    yield from (f"{before}{text(description[key])}\n" for key, before in TOLD.items()
                if isinstance(description.get(key), str))  # fmt: skip
    yield f"- Dataset: {text(manifest.dataset)}{_cases(description)}"
    yield f"- Channels of an image: {', '.join(map(text, channels.values()))}"
    labels = (f"{text(name)} ({_number(of)})" for name, of in description["labels"].items())
    yield f"- Labels: {', '.join(labels)}"
    yield f"- Files: `CASE_0000{text(description['file_ending'])}`{_files(plans)}"
    yield f"- Spacing it was trained at: {sizes_text(configuration['spacing'])}"
    yield f"- Tile: {sizes_text(configuration['patch_size'])} pixels"


def _files(plans: JsonMapping) -> str:
    """Return how the channels lie in files; a picture of colours holds all of them."""
    pictures = "NaturalImage" in str(plans.get("image_reader_writer"))
    return (
        ", one per channel; a picture in colours is one file" if pictures else ", one per channel"
    )


def _figures(manifest: Manifest) -> Iterator[str]:
    yield "## Validation\n"
    found = manifest.validation
    if found is None:
        yield "No validation of these folds came with the model."
        return
    yield (
        f"Dice on the {found['cases']} validation cases of fold {', '.join(found['folds'])}, by "
        "nnU-Net's summary.json: the mean over the cases, then over the classes.\n"
    )
    yield "| class | Dice |\n|---|---|"
    yield from (f"| {text(name)} | {value:.4f} |" for name, value in found["dice"].items())
    yield f"| mean | {found['mean_dice']:.4f} |"


def _training(manifest: Manifest, run: ViTnnUNetConfig) -> Iterator[str]:
    size = f", {run.model.size_name}" if run.model.size_name else ""
    epochs = {facts.epochs for facts in manifest.folds.values() if facts.epochs is not None}
    yield "## How it was trained\n"
    yield f"- Head: {text(run.model.head_name or str(run.model.model_path))}"
    yield f"- Backbone: {text(run.model.backbone)}{size}"
    yield f"- Fine-tuning: {text(method_name(run))}"
    yield f"- Folds: {', '.join(manifest.folds)}; checkpoint: {manifest.checkpoint}"
    done = f"{', '.join(map(str, sorted(epochs)))} of {run.train.num_epochs}" if epochs else ""
    yield f"- Epochs: {done or run.train.num_epochs}"


def _weights(run: ViTnnUNetConfig) -> Iterator[str]:
    from nnunet_vit.profiling.describe import weights_of

    yield "## Pretrained weights\n"
    weights = weights_of(run, timm_name(run.model.backbone, run.model.size_name))
    yield f"- Started from: {text(weights.source)}"
    if run.model.pretrained:
        yield f"- Licence: {text(weights.licence)}. It may bind this model too."


def _packages(manifest: Manifest) -> Iterator[str]:
    yield "## Packages\n"
    own = [(p.distribution, p.version) for p in manifest.packages.values()]
    yield from (f"- {name} {version}" for name, version in [*own, *manifest.versions.items()])


def _use(manifest: Manifest) -> Iterator[str]:
    needs = " --pretrained-weights FILE" if manifest.weights == TRAINED else ""
    distributions = [package.distribution for package in manifest.packages.values()]
    yield "## How to use it\n"
    yield f"```\npip install {' '.join(['nnunet-vit', *distributions])}"
    yield f"vit_cli install model.zip{needs}"
    yield "vit_cli predict -i IMAGES -o MASKS --model FOLDER\n```\n"
    yield "`install` prints FOLDER. nnU-Net's own `nnUNetv2_predict` reads the installed model too."


def _cases(description: JsonObject | JsonMapping) -> str:
    number = description.get("numTraining")
    return f", {counted(number, 'training case')}" if isinstance(number, int) else ""


def _number(of: object) -> str:
    return "+".join(map(str, of)) if isinstance(of, list | tuple) else str(of)


def text(given: str) -> str:
    """Return a name as plain text of one line, which Markdown takes for nothing else."""
    line = " ".join(given.split())
    return "".join(f"\\{letter}" if letter in "\\`*[]<>|#" else letter for letter in line)
