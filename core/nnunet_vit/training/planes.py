"""Pictures of validation cases while a network is trained: a plane of each, predicted as it is."""

from typing import TYPE_CHECKING

import torch
from nnunetv2.inference.predict_from_raw_data import nnUNetPredictor

from nnunet_vit.data.labels import labels_of
from nnunet_vit.evaluation.overlays import legend_of
from nnunet_vit.modeling.network import ViTSegmentationNetwork
from nnunet_vit.report.overlay import picture_of

if TYPE_CHECKING:
    from nnunetv2.training.nnUNetTrainer.nnUNetTrainer import nnUNetTrainer

    from nnunet_vit.files.array_type import Array


@torch.no_grad()
def drawn_case(trainer: "nnUNetTrainer", network: ViTSegmentationNetwork, case: str) -> "Array":
    """Return the picture of a case: image, reference, prediction and errors.

    Of a volume it shows the slice with most foreground. The image is as nnU-Net has preprocessed
    it. The network computes with the weights that it has, without mirroring.

    Args:
        trainer: whose preprocessed data are read.
        network: to predict with; it is left in eval mode.
        case: of the validation.
    """
    dataset = trainer.dataset_class(trainer.preprocessed_dataset_folder, [case])
    data, segmentation, _, _ = dataset.load_case(case)
    reference = segmentation[:][0].clip(min=0)  # -1: nnU-Net's outside of the image
    plane = int((reference > 0).sum(axis=(1, 2)).argmax())
    image = torch.from_numpy(data[:, plane : plane + 1].copy())
    network.eval()
    predictor = nnUNetPredictor(use_mirroring=False, device=trainer.device, allow_tqdm=False)
    predictor.manual_initialization(
        network,
        trainer.plans_manager,
        trainer.configuration_manager,
        None,
        trainer.dataset_json,
        type(trainer).__name__,
        None,
    )
    logits = predictor.predict_sliding_window_return_logits(image).cpu()
    prediction = trainer.label_manager.convert_logits_to_segmentation(logits)[0]
    shown = image[:, 0].numpy()
    return picture_of(
        shown.transpose(1, 2, 0) if len(shown) in (3, 4) else shown[0],
        reference[plane].astype(int),
        prediction.numpy().astype(int),
        legend=legend_of(labels_of(trainer.dataset_json)),
        place=f"slice {plane + 1} of {len(reference)}" if len(reference) > 1 else "",
    )
