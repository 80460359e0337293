"""What an import will do, decided from one look at every file; nothing is written."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from nnunet_vit.data.checks.raster_reading import in_threads
from nnunet_vit.data.faults import Fault, refuse
from nnunet_vit.data.file_faults import grouped
from nnunet_vit.data.importing.case_facts import CaseFacts, Looking
from nnunet_vit.data.importing.class_options import BACKGROUND, IGNORE, ClassOptions
from nnunet_vit.data.importing.class_rules import ClassRule
from nnunet_vit.data.importing.dataset_rule import rule_of
from nnunet_vit.data.importing.overlapping import OverlapRule, added, partly_overlapping
from nnunet_vit.data.importing.palettes import by_greys, means_greys
from nnunet_vit.data.importing.reading.any_pixels import Reading
from nnunet_vit.data.importing.source_cases import (
    SourceCase,
    SourceCases,
    group_faults,
    name_faults,
    with_groups,
)
from nnunet_vit.data.importing.target_format import Target, channel_names, misfits, target_of
from nnunet_vit.errors import ConfigError, counted, shortened
from nnunet_vit.files.json_file import JsonObject
from nnunet_vit.report.progress import Progress

SHOWN = 5
LEAST = 5  # training cases, one per fold


@dataclass(frozen=True)
class Wishes:
    """What the user says of the files.

    Attributes:
        classes: which values are which class.
        reading: what files do not say themselves.
        group: pattern of the patient in the names of images, with a group `group`; or nothing.
        channels: names of the channels; empty: as the files have it.
    """

    classes: ClassOptions
    reading: Reading
    group: str = ""
    channels: tuple[str, ...] = ()


@dataclass(frozen=True)
class ImportPlan:
    """What will be written.

    Attributes:
        given: where the cases come from.
        cases: with what is known of their files.
        rule: how masks become labels.
        target: the format.
        channels: their names.
        notices: what the user should know.
    """

    given: str
    cases: tuple[CaseFacts, ...]
    rule: ClassRule | OverlapRule
    target: Target
    channels: tuple[str, ...]
    notices: tuple[str, ...]

    @property
    def training(self) -> tuple[CaseFacts, ...]:
        """The cases of training."""
        return tuple(case for case in self.cases if case.case.part == "Tr")

    def description(self) -> JsonObject:
        """Return dataset.json."""
        content: JsonObject = {
            "channel_names": {str(place): name for place, name in enumerate(self.channels)},
            "labels": dict(self.rule.labels),
            "numTraining": len(self.training),
            "file_ending": self.target.ending,
        }
        if isinstance(self.rule, OverlapRule) and self.rule.order is not None:
            content["regions_class_order"] = list(self.rule.order)
        if self.target.reader:
            content["overwrite_image_reader_writer"] = self.target.reader
        return content


def plan_import(source: SourceCases, wishes: Wishes, progress: Progress) -> ImportPlan:
    """Look at every file once and decide what will be written.

    Raises:
        ConfigError: --label is given for masks of one class each, or names of channels are too
            many or too few.
        DataError: files that cannot be imported; all are named.
    """
    if source.classes and wishes.classes.said:
        raise ConfigError(
            f"--label: each of {', '.join(source.classes)} has masks of its own, in which every "
            "value but 0 is the class.",
            fix="leave --label out.",
        )
    cases = _grouped_cases(source, wishes.group)
    looks = _looks(source, cases, wishes, progress=progress)
    faults = grouped(fault for look in looks for fault in look.faults)
    sound = [look for look in looks if look.images]
    unlike = misfits(sound) if sound else []
    greys = means_greys(looks)
    looks = [by_greys(look) for look in looks] if greys else looks
    known = [look for look in looks if look.counts]
    rule, wrong = rule_of(source, wishes.classes, known, greys=greys)
    refuse(source.given, [*faults, *unlike, *wrong])
    assert rule is not None
    target = target_of(sound)
    channels = wishes.channels or source.channels or channel_names(sound, target)
    if len(channels) != sound[0].channels:
        raise ConfigError(
            f"--channel: {len(channels)} names ({', '.join(channels)}); the images have "
            f"{counted(sound[0].channels, 'channel')}.",
            fix="one name per channel, in order.",
        )
    notices = (*source.notices, *_notices(rule, looks, channels, target=target))
    return ImportPlan(source.given, tuple(looks), rule, target, tuple(channels), notices)


def _grouped_cases(source: SourceCases, pattern: str) -> tuple[SourceCase, ...]:
    """Return the cases with their groups.

    Raises:
        ConfigError: groups are said twice.
        DataError: names or groups are wrong.
    """
    cases, faults = source.cases, list(name_faults(source.cases))
    if pattern and any(case.group for case in cases):
        raise ConfigError("--group: the table has a column group.", fix="one of the two.")
    if pattern:
        cases, missed = with_groups(cases, pattern)
        faults += missed
    if not pattern or not faults:
        faults += group_faults(cases)
    training = [case for case in cases if case.part == "Tr"]
    if not training:
        faults.append(Fault("There is no training case."))
    unmasked = [case.name for case in training if not case.masks]
    if unmasked:
        faults.append(Fault(f"No mask for {shortened(unmasked, SHOWN)}.", "--masks FOLDER."))
    refuse(source.given, faults)
    return cases


def _looks(
    source: SourceCases, cases: Sequence[SourceCase], wishes: Wishes, *, progress: Progress
) -> list[CaseFacts]:
    looking = Looking(wishes.reading, bool(wishes.classes.colours), source.classes)
    progress.start_cases("Looking at the files", len(cases))
    try:
        return in_threads(partial(_shown, progress, looking), cases)
    finally:
        progress.close()


def _shown(progress: Progress, looking: Looking, case: SourceCase) -> CaseFacts:
    facts = looking.at(case)
    progress.case(case.name)
    return facts


def _notices(
    rule: ClassRule | OverlapRule,
    looks: Sequence[CaseFacts],
    channels: Sequence[str],
    *,
    target: Target,
) -> list[str]:
    told = []
    training = [look for look in looks if look.case.part == "Tr"]
    counts = added(look.counts for look in training)
    if isinstance(rule, OverlapRule):
        pairs = partly_overlapping(rule)
        if pairs:
            told.append(
                f"{'; '.join(pairs)} overlap in part: a training learns them apart, but a "
                "predicted mask holds one number per pixel, the smaller region's."
            )
    else:
        there = {rule.numbers[key] for key in counts}
        names = [name for name, number in rule.labels.items() if number not in there]
        never = [name for name in names if name not in (BACKGROUND, IGNORE)]
        if never:
            told.append(f"No training mask holds {', '.join(never)}: nothing can be learned of it.")
    empty = [look.case.name for look in training if set(look.counts) <= _background_keys(rule)]
    if empty:
        told.append(f"Without foreground: {shortened(empty)}.")
    if len(training) < LEAST:
        told.append(f"Five folds need {LEAST} training cases; there are {len(training)}.")
    if target.placed and tuple(channels) == ("grey",):
        told.append(
            "Channel 'grey': nnU-Net normalizes each image by itself. --channel CT for CT, whose "
            "numbers mean the same in all images."
        )
    return told


def _background_keys(rule: ClassRule | OverlapRule) -> set[int]:
    numbers: Mapping[int, int] = rule.numbers
    return {key for key, number in numbers.items() if not number}
