"""What `vit_cli evaluate` can measure: this folder's files, found by being here, and plugins'.

A file has METRICS, a tuple of `Metric`. A package brings one by the hook `segmentation_metric` in
the entry-point group nnunet_vit.metrics.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cache

from nnunet_vit.errors import PluginError
from nnunet_vit.evaluation.class_masks import ClassMasks
from nnunet_vit.evaluation.metric import KINDS, Metric
from nnunet_vit.registry import catalogue
from nnunet_vit.registry.lookup import Kind, modules_of
from nnunet_vit.registry.plugins import plugin_failures

ALL = "all"
KIND = Kind(catalogue.METRICS, Metric, "nnunet_vit.evaluation.metric.Metric", "--metrics", "metric")


@cache
def own_metrics() -> dict[str, Metric]:
    """Return the metrics of this folder by name, as tables have them."""
    found = [metric for module in modules_of(__name__, __path__) for metric in module.METRICS]
    return {metric.name: metric for metric in sorted(found, key=_place)}


def chosen_metrics(
    words: Sequence[str], warn: Callable[[str], None] = lambda _: None
) -> list[Metric]:
    """Return the metrics of names, of kinds of task, or all; as tables have them.

    Args:
        words: names, kinds, or all.
        warn: is told of a broken package whose metric nobody has asked for by its name.

    Raises:
        ConfigError: there is no metric or kind of that name.
        PluginError: several packages have it, or the one that has it is broken.
    """
    chosen = {metric.name: metric for word in words for metric in _meant_by(word, warn)}
    return sorted(chosen.values(), key=_place)


def outside_metric(record: catalogue.PluginRecord) -> Metric:
    """Return the metric that an installed package describes, under its entry point's name.

    Raises:
        PluginError: the package is broken or describes something else.
    """
    found = KIND.outside(record)

    def measure(masks: ClassMasks) -> float:
        with plugin_failures(f"{record.title}: measure"):
            return float(found.measure(masks))

    return replace(found, measure=measure)


def _meant_by(word: str, warn: Callable[[str], None]) -> list[Metric]:
    if word not in (ALL, *KINDS):
        return [_named(word)]
    every = list(own_metrics().values())
    for name in catalogue.installed(catalogue.METRICS):
        try:
            every.append(_named(name))
        except PluginError as error:
            warn(f"A metric is left out: {error}")
    return [metric for metric in every if word == ALL or word in metric.kinds]


def _named(name: str) -> Metric:
    return KIND.named(name, own_metrics(), outside=outside_metric, others=(*KINDS, ALL))


def _place(metric: Metric) -> tuple[int, str]:
    return metric.order, metric.name
