"""Cases appear whole or not at all, of the files that were checked, and are read once."""

import json
from types import SimpleNamespace

import numpy as np
import pytest
from kinds_of_files import KINDS, prepared_with, write_kind
from nnunetv2.imageio.reader_writer_registry import LIST_OF_IO_CLASSES
from nnunetv2.preprocessing.preprocessors.default_preprocessor import DefaultPreprocessor

from nnunet_vit.data.checking.training_files import check_training_files
from nnunet_vit.data.dataset import find_dataset
from nnunet_vit.data.preprocessing.plan_and_preprocess import prepare
from nnunet_vit.data.preprocessing.preprocess_cases import CaseMaker
from nnunet_vit.data.preprocessing.preprocessed import DataFolder
from nnunet_vit.data.preprocessing.raw_files import files_by_case, states_of
from nnunet_vit.data.preprocessing.read_cases import Pixels, ReadCases
from nnunet_vit.errors import DataError, MachineError
from nnunet_vit.report.progress import Progress

pytestmark = pytest.mark.unit


@pytest.fixture(params=KINDS, ids=lambda kind: kind.__name__)
def raw(request, nnunet_folders):
    """A raw dataset of one kind of file; returns its folder."""
    return write_kind(nnunet_folders / "raw", request.param)


def test_cases_that_were_cut_off_are_no_hindrance(raw):
    root = prepared_with(0)
    whole = root / "nnUNetPlans_2d"
    names = sorted(file.name for file in whole.iterdir())
    (root / "nnUNetPlans_2d.record.json").unlink()
    (whole / "c0.pkl").unlink()
    making = whole / ".making" / "c0"
    making.mkdir(parents=True)
    for name in ("c0.b2nd", "c0_seg.b2nd"):
        (whole / name).replace(making / name)
    prepared_with(0)
    assert sorted(file.name for file in whole.iterdir()) == names


def test_what_has_been_read_is_not_read_again(raw, monkeypatch):
    for spacing in raw.rglob("c*.json"):  # its cases are read again: it may change unseen
        spacing.unlink()
    dataset = find_dataset(5)
    read = ReadCases(files_by_case(dataset), fingerprints=True, room=2**30)
    check_training_files(dataset, 16, Progress(), take=read.take)
    files, opened = files_by_case(dataset), []
    for reader in LIST_OF_IO_CLASSES:
        own = reader.read_images
        monkeypatch.setattr(
            reader,
            "read_images",
            lambda self, names, own=own: opened.extend(names) or own(self, names),
        )
    prepare(dataset, "2d", Progress(), read=read)
    assert set(opened) <= {str(files["c0"][0])}  # by which nnU-Net chooses a reader
    assert len(files) > 2


def noting(opened, read_images):
    """What reads as the reader does, and notes the names."""

    def read(self, names):
        opened.extend(names)
        return read_images(self, names)

    return read


def test_a_file_that_has_changed_since_is_read_again(raw):
    for spacing in raw.rglob("c*.json"):
        spacing.unlink()
    dataset = find_dataset(5)
    files = files_by_case(dataset)
    read = ReadCases(files, fingerprints=True, room=2**30)
    check_training_files(dataset, 16, Progress(), take=read.take)
    first, second, *_ = files
    changed = files[first][0]
    changed.write_bytes(changed.read_bytes())
    states = {case: state_now(paths) for case, paths in files.items()}
    (reader,) = {read._reader}
    assert read.fingerprint(first, states[first], reader) is None
    assert read.pixels(first, states[first], reader) is None
    assert read.fingerprint(second, states[second], reader) is not None
    assert read.fingerprint(second, states[second], "AnotherReader") is None  # and forgotten
    assert read.pixels(second, states[second], reader) is not None
    assert read.pixels(second, states[second], reader) is None  # given away


def state_now(paths):
    return states_of({"case": paths})["case"]


@pytest.fixture
def maker(nnunet_folders):
    """Makes the dataset's first case; with what has to be told it."""
    write_kind(nnunet_folders / "raw", KINDS[0])
    root = prepared_with(0)
    dataset = find_dataset(5)
    plans = json.loads((root / "nnUNetPlans.json").read_text())
    data = DataFolder(root, "nnUNetPlans_2d")
    files = files_by_case(dataset)["c0"]
    return SimpleNamespace(
        made=CaseMaker(plans, "2d", dataset.description, data), files=files, folder=data.path,
        states=state_now(files),
    )  # fmt: skip


def test_a_case_whose_files_change_meanwhile_is_not_there(maker):
    for file in maker.folder.glob("c0*"):
        file.unlink()
    label = maker.files[-1]
    label.write_bytes(label.read_bytes())
    with pytest.raises(DataError, match="Raw files have changed"):
        maker.made.make("c0", maker.files, maker.states, None)
    assert not list(maker.folder.glob("c0*"))


def test_a_preprocessor_of_whole_datasets_is_refused(maker, monkeypatch):
    class Own(DefaultPreprocessor):
        def run(self, *_):
            """Do it otherwise."""

    kind = "nnunetv2.utilities.plans_handling.plans_handler.ConfigurationManager.preprocessor_class"
    monkeypatch.setattr(kind, Own)
    with pytest.raises(DataError, match="Own, which the plans name, preprocesses whole datasets"):
        maker.made.make("c0", maker.files, maker.states, None)


def test_a_preprocessor_of_ones_own_reads_itself(maker, monkeypatch):
    read = []

    class Own(DefaultPreprocessor):
        def run_case(self, images, label, plans, *others):
            read.append(type(plans).__name__)
            return super().run_case(images, label, plans, *others)

    kind = "nnunetv2.utilities.plans_handling.plans_handler.ConfigurationManager.preprocessor_class"
    monkeypatch.setattr(kind, Own)
    nothing = Pixels(np.zeros((1, 1, 2, 2)), np.zeros((1, 1, 2, 2)), {})
    maker.made.make("c0", maker.files, maker.states, nothing)
    assert read == ["PlansManager"]


def test_a_full_disk_is_told(maker, monkeypatch):
    def full(*_, **__):
        raise RuntimeError("Error while setting the slice.")

    monkeypatch.setattr(DefaultPreprocessor, "run_case_save", full)
    with pytest.raises(RuntimeError, match="slice"):
        maker.made.make("c0", maker.files, maker.states, None)
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=1000))
    with pytest.raises(MachineError, match="the disk is full"):
        maker.made.make("c0", maker.files, maker.states, None)
