"""A run's description as text: the network by part, its cost, its input and its weights."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from nnunet_vit.config.recipe import augmentation_text, loss_text
from nnunet_vit.quantities import bytes_text, decimal_text, operations_text, parameters_text
from nnunet_vit.tuning import method_of

if TYPE_CHECKING:
    from nnunet_vit.config.models import ViTnnUNetConfig
    from nnunet_vit.profiling.cost import Description, Part

LABEL = 11  # characters of the words at the left
NAME = 28  # of parts and kinds of memory
CONTEXT = "and 0.5 to 1 GB that a GPU's own software takes"


def as_text(run_file: str, run: "ViTnnUNetConfig", found: "Description") -> str:
    """Return what people read, about thirty lines."""
    title = f"{run_file}: head {found.head} on {found.backbone}, tuning {found.tuning[0]}"
    blocks = [
        [title],
        [*_parts(found.parts)],
        [*_sizes(found), *_compute(found)],
        [*_memory(found)],
        [*_data(found), *_training(run, found), *_weights(found)],
        [_line("note", note) for note in found.notes],
    ]
    return "\n\n".join("\n".join(lines) for lines in blocks if lines)


def _line(label: str, text: str) -> str:
    return f"{label:<{LABEL}}{text}"


def _parts(parts: "list[Part]") -> Iterator[str]:
    whole = [part for part in parts if not part.within]
    total = sum(part.parameters for part in whole)
    trained = sum(part.trained for part in whole)
    yield f"{'network':<{NAME}}{'parameters':>12}{'trained':>12}{'share':>9}"
    for part in parts:
        name = f"{'    ' if part.within else '  '}{part.name}"
        yield _row(name, part.parameters, part.trained, total=total)
    yield _row("  total", total, trained, total=total)


def _row(name: str, parameters: int, trained: int, *, total: int) -> str:
    share = 100 * parameters / max(1, total)
    shown = parameters_text(trained) if trained else "-"
    return f"{name:<{NAME}}{parameters_text(parameters):>12}{shown:>12}{share:>7.1f} %"


def _sizes(found: "Description") -> Iterator[str]:
    height, width = found.image_size
    if found.depth:
        rows, columns = height // found.patch_size, width // found.patch_size
        yield _line(
            "features",
            f"{found.depth} blocks, {found.width} channels, stride {found.patch_size} pixels: "
            f"maps of {rows} x {columns}",
        )
    yield _line("images", f"{height} x {width} pixels, {found.batch_size} per step")


def _compute(found: "Description") -> Iterator[str]:
    if found.cost is not None:
        yield _line(
            "compute",
            f"{operations_text(found.cost.forward_flops)} forward per image, "
            f"{operations_text(found.cost.step_flops)} per training step",
        )


def _memory(found: "Description") -> Iterator[str]:
    if not found.memory:
        return
    yield f"memory of a training step on {found.device}, {found.precision}"
    for name, number in found.memory.items():
        yield f"{'  ' + name:<{NAME}}{bytes_text(number):>12}"
    context = f"   {CONTEXT}" if found.device == "cuda" else ""
    yield f"{'  sum':<{NAME}}{bytes_text(sum(found.memory.values())):>12}{context}"


def _data(found: "Description") -> Iterator[str]:
    yield _line("dataset", f"{found.dataset or 'assumed'}, {found.outputs} channels of logits")
    for number, channel in enumerate(found.channels):
        scheme = channel.scheme.removesuffix("Normalization")
        kept = (channel.mean, channel.std) == (0, 1)
        yield _line(
            "" if number else "input",
            f"channel {number}, {channel.name} ({scheme}): "
            + (
                "as nnU-Net gives it"
                if kept
                else f"mean {decimal_text(channel.mean, 3)} std {decimal_text(channel.std, 3)}"
            ),
        )
    yield _line("", f"statistics: {found.statistics_from}")


def _training(run: "ViTnnUNetConfig", found: "Description") -> Iterator[str]:
    train = run.train
    yield _line("tuning", f"{found.tuning[0]}: {found.tuning[1]}")
    if found.adapted:
        lora = run.lora
        words = {
            "r": f"rank {lora.r}",
            "lora_alpha": f"alpha {lora.lora_alpha:g}",
            "lora_dropout": f"dropout {lora.lora_dropout:g}",
        }
        told = [words[key] for key in method_of(run).reads if key in words]
        yield _line("", f"{', '.join([*told, 'in'])} {', '.join(found.adapted)}")
    decay = f", times {train.layer_decay:g} per block" if train.layer_decay < 1 else ""
    yield _line(
        "rates",
        f"{train.optimizer}: head {train.initial_lr:g}, backbone "
        f"{train.highest_backbone_lr:g}{decay}; warm-up {100 * train.warmup:g} %, "
        f"{train.schedule}; weight decay {train.weight_decay:g}",
    )
    savers = {
        "checkpointing": train.gradient_checkpointing,
        f"{train.gradient_accumulation} parts per batch": train.gradient_accumulation > 1,
        f"averaged weights ({train.ema:g})": train.ema > 0,
    }
    more = "".join(f", {name}" for name, used in savers.items() if used)
    yield _line(
        "length", f"{train.num_epochs} epochs of {train.num_iterations_per_epoch} steps{more}"
    )
    yield _line("loss", loss_text(train.loss))
    yield _line("augmented", f"by {augmentation_text(train.augmentation)}")


def _weights(found: "Description") -> Iterator[str]:
    yield _line("weights", found.weights.name)
    yield _line("", found.weights.source)
    yield _line("licence", found.weights.licence)
