"""What a pickled file may name, and the inert things that stand for it: nothing is imported."""

import re
from dataclasses import dataclass, field

HARMLESS = re.compile(  # plain values, and classes of torch and numpy that hold state
    r"builtins\.(?:int|float|complex|str|bool|bytes|bytearray|list|tuple|dict|set|frozenset|slice"
    r"|range|object|long|unicode|xrange)"  # the last three: of Python 2
    r"|collections\.(?:OrderedDict|defaultdict|Counter|deque)"
    r"|argparse\.Namespace|types\.SimpleNamespace"
    r"|pathlib\.(?:_local\.)?(?:Pure)?(?:Posix|Windows)?Path"
    r"|datetime\.(?:datetime|date|time|timedelta|timezone)|uuid\.(?:UUID|SafeUUID)"
    r"|_codecs\.encode|copyreg\._reconstructor"
    r"|numpy\.(?:_?core)\.multiarray\.(?:scalar|_reconstruct)"
    r"|numpy\.(?:ndarray|dtype|dtypes\.\w+|bool_?|str_|bytes_|u?int\d+|float\d+|complex\d+)"
    r"|torch\.(?:Size|device|dtype|Tensor|Generator|[a-z]+\d+\w*|bool|half|float|double|int|long)"
    r"|torch\.(?:\w+\.)?\w+(?:Storage|Tensor)"
    r"|torch\.(?:strided|sparse_\w+|contiguous_format|channels_last\w*|preserve_format)"
    r"|torch\.per_(?:tensor|channel)_\w+|torch\.serialization\._get_layout"
    r"|torch\._utils\._rebuild_\w+|torch\._tensor\._rebuild_from_type\w*"
    r"|torch\.(?:nn|optim|distributed|nested|masked)\.(?:\w+\.)*\w+|torch\.jit\._pickle\.\w+"
)
FRAMEWORKS = frozenset(  # training leaves objects of theirs beside the weights
    "pytorch_lightning lightning lightning_fabric lightning_utilities torchmetrics mmengine mmcv "
    "mmcls mmpretrain mmseg mmdet mmselfsup detectron2 detrex fvcore iopath omegaconf antlr4 yacs "
    "easydict addict box munch ml_collections hydra timm transformers accelerate deepspeed apex "
    "peft open_clip torchvision torchao monai fastai ignite composer lightly lightly_train dinov2 "
    "dinov3 wandb tensorboardX __torch__".split()
)
NETWORK = ("_parameters", "_buffers", "_modules")  # where a torch module keeps what it holds
OLD_MODULES = {
    "__builtin__": "builtins",
    "copy_reg": "copyreg",
    "commands": "subprocess",
}  # in files of protocol 2


@dataclass(frozen=True)
class Name:
    """A class or function that a file names; it is never looked up."""

    text: str

    @property
    def allowed(self) -> bool:
        """Whether a file that names it is read, with something inert in its place."""
        known = HARMLESS.fullmatch(self.text) is not None
        return known or self.text.partition(".")[0] in FRAMEWORKS


@dataclass(eq=False)
class Placeholder:
    """Stands for an object: its class by name, and what the file says of its content.

    Attributes:
        name: of the class, or of the function that would have made it.
        state: its attributes, where they are a mapping.
        items: what it holds, where it is a mapping.
    """

    name: str
    state: dict[object, object] = field(default_factory=dict)
    items: dict[object, object] = field(default_factory=dict)

    def content(self) -> dict[object, object]:
        """Return what it holds by name; of a network: what state_dict would return."""
        held = {**self.items, **self.state}
        for part in NETWORK:
            values = held.pop(part, None)
            held.update(values if isinstance(values, dict) else {})
        return held


@dataclass(frozen=True)
class OddTensor:
    """Stands for a tensor whose values do not lie in the file plainly.

    Attributes:
        kind: in a word: sparse, meta, quantized, nested, distributed.
    """

    kind: str


def named(module: str, name: str) -> Name:
    """Return the name by which Python 3 knows a class or function."""
    return Name(f"{OLD_MODULES.get(module, module)}.{name}")
