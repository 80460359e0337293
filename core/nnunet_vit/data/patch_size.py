"""The patch size of a run: its own, or the planned one that the ViT's patch divides."""

from nnunet_vit.config.models import ViTnnUNetConfig
from nnunet_vit.config.patch_multiples import next_multiple
from nnunet_vit.data.checks.plane import check_planned_plane
from nnunet_vit.files.json_file import JsonObject
from nnunet_vit.quantities import sizes_text
from nnunet_vit.report.progress import Progress


def patch_size_of_run(
    run: ViTnnUNetConfig, plans: JsonObject, vit_patch: int, *, progress: Progress
) -> tuple[int, int]:
    """Return (H, W) in pixels: the run's own, or the planned one that the ViT's patch divides."""
    from nnunetv2.utilities.plans_handling.plans_handler import PlansManager

    configuration = PlansManager(plans).get_configuration(run.data.configuration)
    check_planned_plane(plans.get("dataset_name", ""), configuration.configuration, vit_patch)
    if run.train.patch_size is not None:
        height, width = run.train.patch_size
        return height, width
    planned = configuration.patch_size
    height, width = next_multiple(planned, vit_patch)
    if (height, width) != tuple(planned):
        progress.log(
            f"Patch size {height} x {width}: the planned {sizes_text(planned)}, up to the "
            f"next multiple of the ViT's patch, {vit_patch}."
        )
    return height, width
