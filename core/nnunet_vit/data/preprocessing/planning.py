"""nnU-Net's fingerprint, plans and preprocessed cases, each made by its own code in this process.

nnU-Net's commands start processes that import torch for each stage and read every file in each.
"""

from collections.abc import Callable, Sequence

from nnunet_vit.data.dataset import Dataset
from nnunet_vit.data.preprocessing.case_workers import each_case, workers_for
from nnunet_vit.data.preprocessing.fingerprint import (
    CaseFingerprint,
    fingerprint_of_case,
    samples_per_case,
    whole_fingerprint,
)
from nnunet_vit.data.preprocessing.largest_case import largest_case
from nnunet_vit.data.preprocessing.preprocess_cases import CaseMaker
from nnunet_vit.data.preprocessing.preprocessed import FINGERPRINT
from nnunet_vit.data.preprocessing.raw_files import CHANGED, Files, States
from nnunet_vit.data.preprocessing.read_cases import ReadCases
from nnunet_vit.errors import UserError
from nnunet_vit.files.json_file import write_json
from nnunet_vit.nnunet.capture import captured
from nnunet_vit.nnunet.folders import environment
from nnunet_vit.report.progress import Progress


def plan(
    dataset: Dataset, files: Files, states: States, *, read: ReadCases, progress: Progress
) -> None:
    """Take the fingerprint of a dataset and let nnU-Net write its plans.

    Args:
        dataset: has raw data, which nnU-Net is shown.
        files: of its cases.
        states: of the files now.
        read: what is known of them.
        progress: where to show that it lasts, and nnU-Net's warnings.

    Raises:
        DataError: nnU-Net finds the dataset unfit.
        MachineError: memory or disk ran out.
    """
    from nnunetv2.experiment_planning.plan_and_preprocess_api import plan_experiment_dataset

    done: list[str] = []
    progress.start_work(f"Planning {dataset.name}", len(files), lambda: len(done))
    try:
        # nnU-Net's planner cannot be told 0 workers, which is a fair setting for training
        with (
            captured(f"nnU-Net refuses {dataset.name}", progress),
            environment("nnUNet_n_proc_DA", "1"),
        ):
            cases = _fingerprints(dataset, files, states, read=read, done=done.append)
            dataset.preprocessed.mkdir(parents=True, exist_ok=True)
            write_json(whole_fingerprint(cases), dataset.preprocessed / FINGERPRINT)
            plan_experiment_dataset(dataset.number)
    finally:
        progress.close()


def _fingerprints(
    dataset: Dataset,
    files: Files,
    states: States,
    *,
    read: ReadCases,
    done: Callable[[str], None],
) -> dict[str, CaseFingerprint]:
    from nnunetv2.imageio.reader_writer_registry import determine_reader_writer_from_dataset_json

    first = next(iter(files.values()))[0]
    reader = determine_reader_writer_from_dataset_json(
        dataset.description, str(first), verbose=False
    )

    def taken(case: str) -> CaseFingerprint:
        known = read.fingerprint(case, states[case], reader.__name__)
        if known is not None:
            return known
        *images, label = map(str, files[case])
        values, properties = reader().read_images(images)
        mask, _ = reader().read_seg(label)
        samples = samples_per_case(len(files))
        return fingerprint_of_case(values, mask, properties, samples=samples)

    return each_case(taken, list(files), workers_for(0, Progress()), done=done)


def preprocess(
    maker: CaseMaker,
    files: Files,
    cases: Sequence[str],
    *,
    states: States,
    read: ReadCases,
    progress: Progress,
) -> None:
    """Preprocess cases as nnU-Net does.

    Args:
        maker: of the plans.
        files: of the dataset's cases.
        cases: to preprocess.
        states: of the files now.
        read: what is known of them.
        progress: where to show how many cases are done, and nnU-Net's warnings.

    Raises:
        DataError: nnU-Net cannot read or preprocess a case.
        MachineError: memory or disk ran out.
    """
    name = str(maker.plans["dataset_name"])
    reader = str(maker.plans["image_reader_writer"])
    workers = workers_for(largest_case(maker), progress)
    done: list[str] = []
    failed: list[str] = []

    def made(case: str) -> None:
        try:
            known = read.pixels(case, states[case], reader)
            maker.make(case, files[case], states[case], known)
        except BaseException:
            failed.append(case)
            raise

    progress.start_work(f"Preprocessing {name}", len(cases), lambda: len(done))
    try:
        with captured(f"nnU-Net cannot preprocess {name}", progress):
            each_case(made, cases, workers, done=done.append)
    except UserError as error:
        named = failed and error.problem != CHANGED
        problem = f"{error.problem.removesuffix('.')}; case {failed[0]}." if named else ""
        raise type(error)(problem or error.problem, error.fix) from error
    finally:
        maker.clear_up()
        progress.close()
