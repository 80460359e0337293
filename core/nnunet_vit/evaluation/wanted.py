"""What a person wants measured, and whether everything is there for it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from nnunet_vit.errors import ConfigError, shortened
from nnunet_vit.evaluation.class_masks import MetricOptions
from nnunet_vit.evaluation.mask_pairs import Pair
from nnunet_vit.evaluation.metric import Metric
from nnunet_vit.evaluation.metrics import chosen_metrics
from nnunet_vit.evaluation.probabilities import lacking

USUAL = ("regions", "probabilities")  # the latter where they are at hand


@dataclass(frozen=True)
class Wanted:
    """What to measure.

    Attributes:
        metrics: names of metrics, kinds of task, or all; empty: what is usual.
        options: of the metrics.
        fields: folder of masks that are not 0 where pixels count; None: all pixels do.
        threshold_from: folder of predicted training images, on which the threshold is chosen by
            which the masks are made of probabilities; None: the masks are what was predicted.
    """

    metrics: Sequence[str] = ()
    options: MetricOptions = field(default_factory=MetricOptions)
    fields: Path | None = None
    threshold_from: Path | None = None

    @property
    def of_whole_masks(self) -> bool:
        """Whether the masks are measured as they are, as nnU-Net's tools take it."""
        return self.fields is None and self.threshold_from is None

    def chosen(self, warn: Callable[[str], None]) -> list[Metric]:
        """Return the metrics, whether or not they can be measured.

        Args:
            warn: is told of broken packages whose metrics nobody has asked for by their names.

        Raises:
            ConfigError: there is no metric or kind of that name.
            PluginError: the package that brings a metric is broken.
        """
        return chosen_metrics(self.metrics or USUAL, warn)

    def measurable(
        self, pairs: Sequence[Pair], ending: str, warn: Callable[[str], None]
    ) -> list[Metric]:
        """Return the metrics for which everything is there.

        Args:
            pairs: to measure.
            ending: of the masks.
            warn: as of `chosen`.

        Raises:
            ConfigError: probabilities were asked for by name, and there are none.
        """
        without, metrics = lacking(pairs, ending), self.chosen(warn)
        if not without:
            return metrics
        needing = [metric.name for metric in metrics if metric.of_probabilities]
        asked = [word for word in self.metrics if word in (*needing, "probabilities")]
        asked = [f"--metrics {' '.join(asked)}"] * bool(asked)
        asked += ["--threshold-from"] * (self.threshold_from is not None)
        if asked:
            names = shortened([mask.name for mask in without])
            raise ConfigError(
                f"{asked[0]} needs probabilities, CASE.npz, beside the masks of "
                f"{without[0].parent}; they lack for {names}.",
                fix="predict --probabilities and train --probabilities write them, as does "
                "nnUNetv2_predict --save_probabilities.",
            )
        return [metric for metric in metrics if not metric.of_probabilities]
