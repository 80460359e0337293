"""Where trainings are followed: this folder's files, found by being here, and plugins'.

A file has TRACKER, a `Tracker`. A package brings one by the hook `training_tracker` in the
entry-point group nnunet_vit.trackers.
"""

from functools import cache

from nnunet_vit.registry import catalogue
from nnunet_vit.registry.lookup import Kind, modules_of
from nnunet_vit.trackers.tracker import Tracker

KIND = Kind(
    catalogue.TRACKERS, Tracker, "nnunet_vit.trackers.tracker.Tracker", "trackers", "tracker"
)


@cache
def own_trackers() -> dict[str, Tracker]:
    """Return the trackers of this folder by name."""
    found = [module.TRACKER for module in modules_of(__name__, __path__, besides="tracker")]
    return {tracker.name: tracker for tracker in found}


def named_tracker(name: str) -> Tracker:
    """Return the tracker of that name, from this folder or from an installed package.

    Raises:
        ConfigError: nobody has it.
        PluginError: several have it, or the package that has it is broken.
    """
    return KIND.named(name, own_trackers())
