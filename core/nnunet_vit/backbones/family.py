"""What is known of a family of pretrained ViTs before anything heavy is imported."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from nnunet_vit.errors import ConfigError, did_you_mean

RGB = tuple[float, float, float]
IMAGENET_MEAN = (0.485, 0.456, 0.406)
IMAGENET_STD = (0.229, 0.224, 0.225)


@dataclass(frozen=True)
class BackboneFamily:
    """A family of pretrained ViTs.

    Args:
        name: as the run file writes it.
        summary: one line for people.
        timm_name: name in timm with the tag of the weights; `{size}` stands for the size.
        sizes: what `model.backbone_size` may say, smallest first.
        default_size: used when the run file names none.
        patch_size: edge of a patch, pixels.
        licence: of the published weights.
        mean: per RGB channel, of intensities in 0..1, as the weights were trained.
        std: likewise.
        timm_names: of sizes whose name in timm does not follow `timm_name`.
        patch_sizes: of sizes that have another patch.
        statistics: mean and std of sizes that were trained with others.
        lora_targets: linear layers of the blocks that adapters go to by default.
        weights: where the weights come from, for people.
        published_as: what their publisher calls the weights of a size.
        fetched: whether timm publishes them, so that they need not be fetched by hand.
    """

    name: str
    summary: str
    timm_name: str
    sizes: tuple[str, ...]
    default_size: str
    patch_size: int
    licence: str
    mean: RGB = IMAGENET_MEAN
    std: RGB = IMAGENET_STD
    timm_names: Mapping[str, str] = field(default_factory=dict)
    patch_sizes: Mapping[str, int] = field(default_factory=dict)
    statistics: Mapping[str, tuple[RGB, RGB]] = field(default_factory=dict)
    lora_targets: tuple[str, ...] = ("qkv",)
    weights: str = "fetched from timm's repositories on the model hub"
    published_as: Mapping[str, str] = field(default_factory=dict)
    fetched: bool = True

    def timm_name_of(self, size: str | None) -> str:
        """Return the timm name, with tag, of a size (None: the default size).

        Raises:
            ConfigError: the family has no such size.
        """
        wanted = self._known(size)
        return self.timm_names.get(wanted) or self.timm_name.format(size=wanted)

    def patch_size_of(self, size: str | None) -> int:
        """Return the edge of a patch, pixels, of a size (None: the default size).

        Raises:
            ConfigError: the family has no such size.
        """
        return self.patch_sizes.get(self._known(size), self.patch_size)

    def statistics_of(self, size: str | None) -> tuple[RGB, RGB]:
        """Return mean and std per RGB channel of a size (None: the default size).

        Raises:
            ConfigError: the family has no such size.
        """
        return self.statistics.get(self._known(size), (self.mean, self.std))

    def weights_of(self, size: str | None) -> str:
        """Return where the weights of a size come from, for people (None: the default size).

        Raises:
            ConfigError: the family has no such size.
        """
        published = self.published_as.get(self._known(size))
        return f"{published}, {self.weights}" if published else self.weights

    def _known(self, size: str | None) -> str:
        wanted = self.default_size if size is None else size
        if wanted not in self.sizes:
            raise ConfigError(
                f"Backbone '{self.name}' has no size '{wanted}'.{did_you_mean(wanted, self.sizes)} "
                f"Sizes: {', '.join(self.sizes)}."
            )
        return wanted
