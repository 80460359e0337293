"""The run's loss in the place of nnU-Net's, with nnU-Net's weights of the resolutions."""

from pathlib import Path
from typing import TYPE_CHECKING

from nnunetv2.training.loss.deep_supervision import DeepSupervisionWrapper
from torch import nn

from nnunet_vit.config.loss_section import AUTO
from nnunet_vit.config.recipe import chosen_terms, loss_text, numbers_text
from nnunet_vit.data.class_shares import channel_names, class_shares
from nnunet_vit.data.recipe_fit import check_recipe
from nnunet_vit.losses.computing.class_balance import balanced
from nnunet_vit.losses.computing.facts import LossFacts
from nnunet_vit.losses.computing.total_loss import TotalLoss

if TYPE_CHECKING:
    from nnunet_vit.training.trainer import nnUNetTrainer_vit


def with_loss_of_run(trainer: "nnUNetTrainer_vit", usual: nn.Module) -> nn.Module:
    """Return the run's loss; nnU-Net's own object where the run asks for no other.

    Args:
        trainer: whose dataset and plans say what counts.
        usual: the loss that nnU-Net has made, of one or several resolutions.

    Raises:
        ConfigError: the loss or the augmentation does not fit the dataset.
    """
    schemes = [str(each) for each in trainer.configuration_manager.normalization_schemes]
    check_recipe(trainer.run.train, trainer.dataset_json, schemes)
    section = trainer.run.train.loss
    if section.is_nnunet:
        return usual
    weights, told = _class_weights(trainer)
    facts = LossFacts(
        names=channel_names(trainer.dataset_json),
        regions=trainer.label_manager.has_regions,
        ignore_label=trainer.label_manager.ignore_label,
        batch_dice=trainer.configuration_manager.batch_dice,
        class_weights=weights,
    )
    own = TotalLoss(chosen_terms(section), facts)
    trainer.print_to_log_file(f"Loss: {loss_text(section)}")
    trainer.progress.log(f"Loss: {loss_text(section)}.")
    if told:
        trainer.print_to_log_file(told)
        trainer.progress.log(told)
    if isinstance(usual, DeepSupervisionWrapper):
        usual.loss = own
    return usual if isinstance(usual, DeepSupervisionWrapper) else own


def _class_weights(trainer: "nnUNetTrainer_vit") -> tuple[dict[str, float], str]:
    """Return the weights that the run gives, or those of the training cases and a line on them."""
    given = trainer.run.train.loss.class_weights
    if given != AUTO:
        return (given if isinstance(given, dict) else {}), ""
    cases, _ = trainer.do_split()
    folder = Path(trainer.preprocessed_dataset_folder)
    shares = class_shares(folder, cases, trainer.dataset_json)
    weights = balanced(shares)
    percent = ", ".join(f"{name} {100 * share:.3g} %" for name, share in shares.items())
    return weights, (
        f"Class weights: {numbers_text(weights)}; pixels of the {len(cases)} training cases: "
        f"{percent}."
    )
