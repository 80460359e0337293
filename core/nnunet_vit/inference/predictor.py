"""nnU-Net's predictor that says which case it works on, also when that case fails."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path

import torch
from nnunetv2.inference.predict_from_raw_data import nnUNetPredictor

from nnunet_vit.errors import MachineError, NumericsError, UserError
from nnunet_vit.files.json_file import JsonMapping
from nnunet_vit.quantities import bytes_text
from nnunet_vit.report.progress import Progress

INFINITE = "Encountered inf"  # how nnU-Net's message begins
DIED = "Background workers died"
NO_MEMORY = ("can't allocate memory", "not enough memory", "export worker died")


class _Announced(list[list[str]]):
    """The files of each case, as nnU-Net goes through them; tells which case it has come to."""

    def __init__(self, cases: Iterable[list[str]], tell: Callable[[str], None]) -> None:
        super().__init__(cases)
        self.tell = tell

    def __iter__(self) -> Iterator[list[str]]:
        for files in super().__iter__():
            self.tell(Path(files[0]).name)
            yield files


class ReportingPredictor(nnUNetPredictor):  # type: ignore[misc]
    """Shows each case, refuses values that are not finite, and names the case that fails."""

    def __init__(self, mirroring: bool, device: torch.device, progress: Progress) -> None:
        """Predict on a device, averaged over mirrored images or not."""
        super().__init__(use_mirroring=mirroring, device=device, allow_tqdm=False)
        self.progress = progress
        self.current = ""

    def predict_cases(
        self,
        cases: Mapping[str, list[Path]],
        memory: Mapping[str, int],
        masks: Path,
        *,
        workers: int,
        probabilities: bool = False,
    ) -> None:
        """Write a mask per case.

        Args:
            cases: their image files, in the order of the channels.
            memory: bytes that each case takes at least, where that is known.
            masks: the folder to write to.
            workers: processes for preprocessing and as many for export; 0: none.
            probabilities: write them beside the masks, CASE.npz and CASE.pkl.

        Raises:
            MachineError: a case takes more memory than there is.
            NumericsError: the network's output is not finite.
        """
        files = [[str(file) for file in case] for case in cases.values()]
        sizes = {paths[0].name: memory.get(case, 0) for case, paths in cases.items()}
        try:
            if workers:
                self.predict_from_files(
                    files,
                    str(masks),
                    probabilities,
                    num_processes_preprocessing=workers,
                    num_processes_segmentation_export=workers,
                )
            else:
                self.predict_from_files_sequential(files, str(masks), probabilities)
        except (MemoryError, RuntimeError) as error:
            named = self._named(error, sizes)
            if named is None:
                raise
            raise named from error

    def _manage_input_and_output_lists(
        self, *args: object, **options: object
    ) -> tuple[object, ...]:
        cases, *others = super()._manage_input_and_output_lists(*args, **options)
        return _Announced(cases, self._begin), *others

    def predict_from_data_iterator(
        self, data_iterator: Iterable[JsonMapping], *args: object, **options: object
    ) -> object:
        """Predict what nnU-Net's workers have preprocessed."""
        return super().predict_from_data_iterator(self._told(data_iterator), *args, **options)

    def predict_logits_from_preprocessed_data(self, data: torch.Tensor) -> torch.Tensor:
        """Return the logits (classes, Z, Y, X) of an image (C, Z, Y, X)."""
        logits: torch.Tensor = super().predict_logits_from_preprocessed_data(data)
        if not bool(torch.isfinite(logits).all()):
            raise NumericsError(
                f"{self.current}: the network's output is not finite: no mask is written."
            )
        self.progress.case("")
        return logits

    def _told(self, items: Iterable[JsonMapping]) -> Iterator[JsonMapping]:
        for item in items:
            self._begin(f"{Path(item['ofile']).name}_0000{self.dataset_json['file_ending']}")
            yield item

    def _begin(self, file: str) -> None:
        self.current = file

    def _named(self, error: Exception, sizes: Mapping[str, int]) -> UserError | None:
        """Return an error with the case and what it needs; None for one that says enough."""
        told = " ".join(str(error).split())
        if told.startswith(INFINITE):
            return NumericsError(
                f"{self.current}: the network's output is infinite: no mask is written."
            )
        if told.startswith(DIED):
            return MachineError(
                f"nnU-Net's workers stopped while they preprocessed, near {self.current}; most "
                "often memory is short.",
                fix="predict with --device cpu, which starts none, or on a larger machine.",
            )
        if isinstance(error, torch.cuda.OutOfMemoryError):
            return MachineError(
                f"{self.current}: the GPU's memory ran out.",
                fix="--device cpu, or close what else uses the GPU.",
            )
        if not isinstance(error, MemoryError) and not any(words in told for words in NO_MEMORY):
            return None
        needed = sizes.get(self.current, 0)
        least = f"; it needs at least {bytes_text(needed)}" if needed else ""
        return MachineError(
            f"{self.current}: memory ran out{least}{f': {told[:160]}' if told else ''}.",
            fix="a machine with more memory, or cut the image into parts.",
        )
