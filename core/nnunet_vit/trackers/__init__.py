"""Where trainings are followed: this folder's files, found by being here, and plugins'.

A file has TRACKER, a `Tracker`. A package brings one by the hook `training_tracker` in the
entry-point group nnunet_vit.trackers.
"""

from functools import cache

from nnunet_vit.registry import catalogue
from nnunet_vit.registry.calling import described_by
from nnunet_vit.registry.lookup import checked_name, modules_of, one_named
from nnunet_vit.registry.plugins import MAIN_HOOKS
from nnunet_vit.trackers.tracker import Tracker

HOOK = MAIN_HOOKS[catalogue.TRACKERS]


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
    return one_named(
        catalogue.TRACKERS,
        name,
        own_trackers(),
        outside=outside_tracker,
        asked_by="trackers",
        noun="tracker",
    )


def outside_tracker(record: catalogue.PluginRecord) -> Tracker:
    """Return the tracker that an installed package describes, under its entry point's name.

    Raises:
        PluginError: the package is broken or describes something else.
    """
    found = described_by(record, Tracker, "nnunet_vit.trackers.tracker.Tracker")
    checked_name(found.name, record, hook=HOOK, noun="tracker")
    return found
