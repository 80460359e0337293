"""What a run leaves open is settled before it trains: by a plan, which is kept for its other folds.

A run's name holds its patch and batch size. So the plan of a given run stays the same from fold to
fold, for --continue, and on a machine with another GPU.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from nnunet_vit.config.models import ViTnnUNetConfig
from nnunet_vit.config.recipe_version import as_first_recipe
from nnunet_vit.data.dataset import Dataset, find_dataset
from nnunet_vit.data.preprocessing.read_cases import ReadCases
from nnunet_vit.errors import ConfigError, DataError, Stopped
from nnunet_vit.files.writable import check_writable
from nnunet_vit.modeling.runtime.devices import choose_device
from nnunet_vit.nnunet.folders import VARIABLES, alone_in, folder
from nnunet_vit.planning.kept_plans import (
    AGAIN,
    KeptPlan,
    PlannedData,
    file_of,
    keep,
    kept_plans,
    planned_keys,
)
from nnunet_vit.planning.memory_limit import limit_here
from nnunet_vit.planning.open_keys import SIZE, GivenRun, variants_of
from nnunet_vit.report.progress import Progress
from nnunet_vit.report.stopping import stops_with
from nnunet_vit.training.fold_preparation import LENGTHENS, Request, check_data
from nnunet_vit.training.plan_lines import PlanLines
from nnunet_vit.training.preflight import check_network, require_weights
from nnunet_vit.training.run_identity import identity_of
from nnunet_vit.training.trained_plans import refuse_several, trained_plans
from nnunet_vit.tuning import method_name

OLDER = "; --set recipe=1 finds a run of versions before recipes."
NOT_SAVED = "Nothing of this run is saved yet: the same command starts from scratch."


def settled(
    run: ViTnnUNetConfig,
    request: Request,
    progress: Progress,
    *,
    devices: Sequence[str] = (),
    trains: bool = True,
) -> tuple[ViTnnUNetConfig, Request]:
    """Return the run with patch and batch size, and what is left of the request.

    Args:
        run: as `opened` yields it.
        request: how it is to be trained; what its `given` leaves open is planned.
        progress: where to show what happens.
        devices: one for each fold that is trained at the same time; none: the request's.
        trains: whether the training follows: then its weights have to be within reach, and its
            network is built with them before anything is planned, unless its size is open.

    Raises:
        ConfigError: nothing fits the device's memory, there is nothing to continue, or results
            have different plans.
        DataError: the kept plan is damaged.
        UserError: as of `prepare_fold`.
    """
    train = run.train
    if request.given is None or (train.patch_size is not None and train.batch_size is not None):
        return run, request
    return _Settling(run, request.given, request, progress).settle(devices, trains)


@dataclass(frozen=True)
class _Settling:
    """A run on its way to its plan."""

    run: ViTnnUNetConfig
    given: GivenRun
    request: Request
    progress: Progress

    def settle(self, devices: Sequence[str], trains: bool) -> tuple[ViTnnUNetConfig, Request]:
        dataset = find_dataset(self.run.data.dataset)
        begun = self._results(dataset, self.run)
        if begun.is_dir():
            self.progress.log_once(
                f"{begun.name} was begun with nnU-Net's patch and batch size, which it keeps."
            )
            return self.run, self.request
        path = file_of(dataset.preprocessed, self.run, self.given.open_keys())
        there = devices or [choose_device(self.request.device)]
        kept = kept_plans(path, self.keys)
        planned = self._begun(dataset, path, kept, there) or self._restored(dataset, path, trains)
        if planned is not None:
            return planned, self.request
        if self.request.resume:
            plan = f"only a plan of it, {path}" if kept else "nor a plan of it"
            raise ConfigError(
                f"--continue: there is no result of this run in {begun.parent}, {plan}.",
                fix="leave out --continue, or give the run.yaml of the fold's folder: --config"
                + (OLDER if as_first_recipe(self.run) else "."),
            )
        with stops_with(lambda: Stopped(NOT_SAVED)):
            return self._planned(dataset, path, there, trains=trains, before=kept)

    @property
    def lines(self) -> PlanLines:
        """What is said of plans."""
        return PlanLines(self.progress)

    @property
    def keys(self) -> frozenset[str]:
        """What is left open, by whole names."""
        return planned_keys(self.given.open_keys())

    def _begun(
        self, dataset: Dataset, path: Path, kept: list[KeptPlan], devices: Sequence[str]
    ) -> ViTnnUNetConfig | None:
        """Return the run with the newest kept plan that it has results of."""
        for plan in reversed(kept):
            planned = self._with(plan, path)
            results = self._results(dataset, planned)
            if results.is_dir():
                self.lines.kept(plan, path, limit_here(devices), results=results)
                return planned
        return None

    def _restored(self, dataset: Dataset, path: Path, trains: bool) -> ViTnnUNetConfig | None:
        """Return the run with the plan of its results, which is kept again.

        Preprocessed data may be deleted, and differ from machine to machine.
        """
        found = []
        for each in trained_plans(dataset, self.run, self.keys):
            try:
                planned = self._run_with(each.plan)
            except ConfigError:  # another run's values, which this one does not allow
                continue
            if self._may_plan(planned) and self._results(dataset, planned) == each.folder:
                found.append((each, planned))
        refuse_several([each for each, _ in found])
        if not found:
            return None
        each, planned = found[0]
        if trains:
            keep(path, each.plan, self.keys)
        self.lines.restored(each.plan, each.folder)
        return planned

    def _may_plan(self, run: ViTnnUNetConfig) -> bool:
        """Tell whether the planner chooses such a network, which nobody has asked for."""
        networks = variants_of(self.given, self.given.open_keys())
        return _network(run) in (_network(each.run) for each in networks)

    def _planned(
        self,
        dataset: Dataset,
        path: Path,
        devices: Sequence[str],
        *,
        trains: bool,
        before: list[KeptPlan],
    ) -> tuple[ViTnnUNetConfig, Request]:
        """Return the run with the plan for the dataset as it is, kept before or made now."""
        from nnunet_vit.planning.meter import UnmeasurableError
        from nnunet_vit.planning.plan_run import plan_for, sizes_of

        request, progress = self.request, self.progress
        _check_folders(dataset, ("results", "preprocessed") if trains else ("preprocessed",))
        work, _ = check_data(dataset, self.run, request.asked, progress=progress, later=())
        builds = trains and SIZE not in self.given.open_keys()
        if trains:
            require_weights(self.run)
        check_network(dataset, self.run, builds, progress=progress, schemes=work.schemes)
        read = ReadCases(work.files, fingerprints=work.plan) if trains and work.preprocess else None
        schemes, size = sizes_of(self.run, dataset, progress, asked=request.asked, read=read)
        asked = replace(request.asked, again=False)  # nnU-Net has planned
        left = replace(request, asked=asked, tried=self.run if builds else None, read=read)
        with alone_in(dataset.preprocessed, progress.log):
            data, limit = PlannedData.of(dataset, size), limit_here(devices)
            kept = next((each for each in kept_plans(path, self.keys) if each.data == data), None)
            if kept is not None:
                planned = self._with(kept, path)
                # a fold that was started at the same time may have planned or begun meanwhile
                fresh = kept not in before or self._results(dataset, planned).is_dir()
                if self.lines.takes(kept, limit, trains=trains, fresh=fresh):
                    self.lines.kept(kept, path, limit)
                    return planned, left
            try:
                made = plan_for(self.given, dataset, schemes, size=size, limit=limit,
                                progress=progress)  # fmt: skip
            except UnmeasurableError as error:
                progress.warn(f"{error.problem} It gets nnU-Net's patch and batch size.")
                return self.run, left
            return self._new(KeptPlan.of(made, data), path, limit.name, trains=trains), left

    def _new(self, plan: KeptPlan, path: Path, device: str, *, trains: bool) -> ViTnnUNetConfig:
        """Return the run with a new plan, which is kept for the training's other folds."""
        if trains:
            keep(path, plan, self.keys)
        self.lines.new(plan, path if trains else None, device)
        return self._with(plan, path)

    def _run_with(self, plan: KeptPlan) -> ViTnnUNetConfig:
        planned = self.given.with_words(plan.words).variant({})
        return planned.run.model_copy(update={"data": self.run.data, "paths": self.run.paths})

    def _with(self, plan: KeptPlan, path: Path) -> ViTnnUNetConfig:
        try:
            return self._run_with(plan)
        except ConfigError as error:  # what was given is a run; these values are not the user's
            raise DataError(f"{path} holds a plan that makes no run: {error.problem}", AGAIN) from (
                error
            )

    def _results(self, dataset: Dataset, run: ViTnnUNetConfig) -> Path:
        request = self.request
        lengthens = request.lengthens or request.resume or LENGTHENS in os.environ
        return identity_of(dataset, run, lengthens=lengthens).folder


def _check_folders(dataset: Dataset, keys: Sequence[str]) -> None:
    for key in keys:
        place = folder(key) / dataset.name
        check_writable(place, f"{VARIABLES[key]} (or paths.{key}): {place}")


def _network(run: ViTnnUNetConfig) -> tuple[str | None, str]:
    return run.model.size_name, method_name(run)
