"""What may lie beside the tensors of a pickled file, and what is never run, looked up or taken."""

import argparse
import builtins
import collections
import datetime
import io
import os
import pathlib
import pickle
import sys
import types
import uuid
import zipfile

import numpy as np
import pytest
import torch

from nnunet_vit.modeling.weights import load_backbone_weights
from nnunet_vit.modeling.weights.files.unpickler import InertUnpickler

pytestmark = pytest.mark.unit

HARMLESS = {
    "path": pathlib.PurePosixPath("/x"),
    "windows path": pathlib.PureWindowsPath("C:/x"),
    "own path": pathlib.Path("x"),
    "defaultdict": collections.defaultdict(int, {"a": 1}),
    "defaultdict of lists": collections.defaultdict(list, {"a": [1, 2]}),
    "ordered": collections.OrderedDict(a=1),
    "counter": collections.Counter("abca"),
    "deque": collections.deque([1, 2], maxlen=4),
    "sets": [{1, 2}, frozenset("ab"), 1j, b"bytes", bytearray(b"x"), 2**80, range(3), slice(2)],
    "arrays": [np.zeros(3), np.arange(6).reshape(2, 3), np.array(["a"]), np.float32(1)],
    "scalars": [np.int64(3), np.bool_(True), np.dtype("float16"), np.float64(2.5)],
    "times": [datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC), datetime.timedelta(days=1)]
    if hasattr(datetime, "UTC")
    else datetime.datetime(2020, 1, 1),
    "uuid": uuid.UUID(int=3),
    "arguments": argparse.Namespace(lr=1e-3, out=pathlib.PurePosixPath("x")),
    "namespace": types.SimpleNamespace(a=1),
    "torch": [torch.Size([1, 2]), torch.device("cpu"), torch.float16, torch.strided],
    "parameter": torch.nn.Parameter(torch.zeros(2)),
    "module": torch.nn.Linear(2, 2),
    "optimizer": torch.optim.AdamW([torch.nn.Parameter(torch.zeros(2))]),
    "sparse elsewhere": torch.eye(3).to_sparse(),
}


@pytest.mark.parametrize("what", list(HARMLESS))
@pytest.mark.parametrize("protocol", [2, 4])
def test_harmless_extras_are_let_through(vit, trained, tmp_path, what, protocol):
    file, model = tmp_path / "run.pth", vit()
    torch.save({"state_dict": trained, "extra": HARMLESS[what]}, file, pickle_protocol=protocol)
    assert load_backbone_weights(model, file).share == 1
    assert all(torch.equal(model.state_dict()[name], value) for name, value in trained.items())


@pytest.fixture
def framework(monkeypatch):
    """`framework("a.b", "Name", base)`: a class of a training framework that is not installed."""

    def make(module, name, base=object):
        made = type(name, (base,), {"__module__": module})
        parts = module.split(".")
        for end in range(1, len(parts) + 1):
            parent = ".".join(parts[:end])
            monkeypatch.setitem(sys.modules, parent, types.ModuleType(parent))
        setattr(sys.modules[module], name, made)
        return made

    return make


@pytest.mark.parametrize(
    ("module", "name", "base"),
    [
        ("pytorch_lightning.utilities.parsing", "AttributeDict", dict),
        ("lightning.fabric.utilities.data", "AttributeDict", dict),
        ("mmengine.config.config", "ConfigDict", dict),
        ("mmengine.logging.history_buffer", "HistoryBuffer", object),
        ("omegaconf.dictconfig", "DictConfig", object),
        ("detectron2.config.config", "CfgNode", dict),
        ("yacs.config", "CfgNode", dict),
        ("easydict", "EasyDict", dict),
        ("mmcv.parallel", "Things", list),
    ],
)
def test_objects_of_training_frameworks_stay_placeholders(
    vit, trained, tmp_path, framework, monkeypatch, module, name, base
):
    thing = framework(module, name, base)()
    thing.lr = 0.1
    if base is dict:
        thing["lr"] = 0.1
    if base is list:
        thing.append(0.1)
    file, model = tmp_path / "run.ckpt", vit()
    torch.save({"hyper_parameters": thing, "state_dict": trained, "more": [thing]}, file)
    for known in list(sys.modules):
        if known.partition(".")[0] == module.partition(".")[0]:
            monkeypatch.delitem(sys.modules, known)
    assert load_backbone_weights(model, file).share == 1
    assert module.partition(".")[0] not in sys.modules


class Evil:
    """Calls a function where it is unpickled."""

    def __init__(self, function, *arguments):
        self.call = (function, arguments)

    def __reduce__(self):
        return self.call


EVIL = {
    "builtins.eval": lambda marker: Evil(builtins.eval, f"open({str(marker)!r}, 'w')"),
    "builtins.exec": lambda marker: Evil(builtins.exec, f"open({str(marker)!r}, 'w')"),
    "builtins.getattr": lambda marker: Evil(getattr, "x", "upper"),
    "posix.system": lambda marker: collections.defaultdict(os.system),
    "subprocess.getoutput": lambda marker: Evil(
        __import__("subprocess").getoutput, f"touch {marker}"
    ),
    "torch.storage._load_from_bytes": lambda marker: Evil(
        torch.storage._load_from_bytes, pickle.dumps(Evil(os.mkdir, str(marker)))
    ),
    "functools.partial": lambda marker: __import__("functools").partial(os.mkdir, str(marker)),
    "torch.hub.load": lambda marker: Evil(torch.hub.load, str(marker)),
}


@pytest.mark.parametrize("name", list(EVIL))
@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("protocol", [2, 4])
def test_evil_is_named_and_never_run(trained, refusal, tmp_path, name, zipped, protocol):
    marker, file = tmp_path / "marker", tmp_path / "evil.pth"
    content = {"state_dict": trained, "extra": EVIL[name](marker)}
    torch.save(content, file, _use_new_zipfile_serialization=zipped, pickle_protocol=protocol)
    text = refusal(file)
    assert name in text
    assert "which can run code" in text
    assert "weights_only" not in text
    assert not marker.exists()


def read_inertly(data):
    reader = InertUnpickler(io.BytesIO(data), lambda what: None)
    return reader.load(), reader.foreign


def test_the_reader_looks_nothing_up():
    """Names stay names, also of modules that would do something where they are imported."""
    content, foreign = read_inertly(b"cantigravity\nfly\n.")
    assert foreign == {"antigravity.fly"}
    assert "antigravity" not in sys.modules
    assert content.text == "antigravity.fly"


@pytest.mark.parametrize(
    "data",
    [
        b"ccollections\nOrderedDict\n(N(V__init__\nV1\ndtb.",  # sets an attribute of a class
        b"ctorch.nn.parameter\nParameter\n(V__new__\nV1\ndb.",
        b"(ios\ngetcwd\n.",
        b"(cos\ngetcwd\no.",
        b"cos\ngetcwd\n)\x81.",
        b"\x80\x04cos\ngetcwd\n)}\x92.",
        b"cos\ngetcwd\n)R.",
        b"\x80\x04\x8c\x02os\x8c\x06getcwd\x93)R.",
    ],
)
def test_no_instruction_calls_or_sets_anything(data):
    before = (dict(vars(collections.OrderedDict)), dict(vars(torch.nn.Parameter)))
    content, foreign = read_inertly(data)
    assert foreign <= {"os.getcwd"}
    assert not isinstance(content, str)
    assert before == (dict(vars(collections.OrderedDict)), dict(vars(torch.nn.Parameter)))


@pytest.mark.parametrize("data", [b"\x82\x01.", b"N(V1\ntR.", b"Nbogus", b"(lp0\n0g0\nR."])
def test_what_is_no_sound_pickle_ends_in_an_error(data):
    with pytest.raises((ValueError, KeyError, EOFError, pickle.UnpicklingError, IndexError)):
        read_inertly(data)


@pytest.mark.parametrize("zipped", [True, False])
def test_both_formats_give_what_torch_gives(trained, tmp_path, vit, zipped):
    """Views of one storage, other dtypes, steps, and a scalar."""
    base = torch.arange(24.0)
    values = {
        "view": base[4:16].reshape(3, 4).T,
        "same": base,
        "empty": torch.zeros(0, 3),
        "scalar": torch.tensor(3.5, dtype=torch.float64),
        "half": torch.ones(3).half(),
        "brain": torch.ones(3).bfloat16(),
        "whole": torch.tensor([1, 2**40]),
        "truth": torch.tensor([True, False]),
        "small": torch.ones(2).to(torch.float8_e4m3fn),
    }
    from nnunet_vit.modeling.weights.files.weights_reading import read_weights

    if not zipped:
        del values["small"]
    torch.save(values, tmp_path / "x.pth", _use_new_zipfile_serialization=zipped)
    read = read_weights(tmp_path / "x.pth")
    for name, value in values.items():
        assert (read[name].dtype, read[name].shape) == (value.dtype, value.shape)
        assert torch.equal(read[name].float(), value.float())


@pytest.mark.parametrize("zipped", [True, False])
def test_a_whole_network_that_was_pickled(vit, tmp_path, zipped):
    """torch.save(model): the tensors are read, and no class of it is imported."""
    trained, model = vit(seed=7), vit()
    network = torch.nn.ModuleDict({"encoder": torch.nn.DataParallel(trained)})
    file = tmp_path / "model.pt"
    torch.save({"model": network}, file, _use_new_zipfile_serialization=zipped)
    assert load_backbone_weights(model, file).share == 1
    own = model.state_dict()
    # where there is a GPU, DataParallel has moved the network there
    expected = trained.cpu().state_dict()
    assert all(torch.equal(own[name], value) for name, value in expected.items())


def as_modules(tensors):
    """A network that does nothing and has these names."""
    root = torch.nn.Module()
    for name, value in tensors.items():
        *parts, last = ("visual", *name.split("."))
        module = root
        for part in parts:
            if part not in module._modules:
                module.add_module(part, torch.nn.Identity())
            module = module._modules[part]
        module.register_parameter(last, torch.nn.Parameter(value))
    root.forward = lambda images: images
    return root


@pytest.mark.filterwarnings("ignore")
def test_torchscript_is_read_without_its_code(vit, trained, tmp_path):
    """So are the files that OpenAI publishes for CLIP."""
    file, model = tmp_path / "script.pt", vit()
    torch.jit.trace(as_modules(trained), torch.zeros(1)).save(str(file))
    assert load_backbone_weights(model, file).share == 1
    assert all(torch.equal(model.state_dict()[name], value) for name, value in trained.items())
    broken = tmp_path / "without_code.pt"  # what is not there cannot have been run
    with zipfile.ZipFile(file) as whole, zipfile.ZipFile(broken, "w") as part:
        assert any("/code/" in name for name in whole.namelist())
        for name in whole.namelist():
            if "/code/" not in name:
                part.writestr(name, whole.read(name))
    assert load_backbone_weights(vit(), broken).share == 1


@pytest.mark.filterwarnings("ignore")
def test_torchscript_that_was_frozen_has_no_names(refusal, tmp_path):
    traced = torch.jit.trace(torch.nn.Linear(2, 2).eval(), torch.zeros(1, 2))
    torch.jit.freeze(traced).save(str(tmp_path / "frozen.pt"))
    assert refusal(tmp_path / "frozen.pt").startswith(
        "{file} cannot be read as weights: it is a TorchScript archive that was frozen, without "
        "its weights."
    )
