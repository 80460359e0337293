"""What is known of a family of pretrained ViTs before anything heavy is imported."""

from dataclasses import dataclass

from nnunet_vit.errors import ConfigError, did_you_mean

IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class BackboneFamily:
    """A family of pretrained ViTs.

    Args:
        name: as the run file writes it.
        summary: one line for people.
        timm_name: name in timm with the tag of the weights; `{size}` stands for the size.
        sizes: the sizes that exist, smallest first.
        default_size: used when the run file names none.
        patch_size: edge of a patch, pixels.
        licence: of the published weights.
        mean: per RGB channel, of intensities in 0..1, as the weights were trained.
        std: likewise.
    """

    name: str
    summary: str
    timm_name: str
    sizes: tuple[str, ...]
    default_size: str
    patch_size: int
    licence: str
    mean: tuple[float, float, float] = IMAGENET_MEAN
    std: tuple[float, float, float] = IMAGENET_STD

    def timm_name_of(self, size: str | None) -> str:
        """Return the timm name, with tag, of a size (None: the default size).

        Raises:
            ConfigError: the family has no such size.
        """
        wanted = size or self.default_size
        if wanted not in self.sizes:
            raise ConfigError(
                f"Backbone '{self.name}' has no size '{wanted}'.{did_you_mean(wanted, self.sizes)} "
                f"Sizes: {', '.join(self.sizes)}."
            )
        return self.timm_name.format(size=wanted)
