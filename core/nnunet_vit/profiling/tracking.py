"""What a training step computes and keeps: operations and unique storages."""

import weakref
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from typing import ParamSpec, TypeVar

import torch
from torch import Tensor, nn
from torch._ops import OpOverload
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves
from torch.utils.flop_counter import flop_registry

from nnunet_vit.files.json_file import JsonObject
from nnunet_vit.modeling.backbone import backbone_of

Taken = ParamSpec("Taken")
Given = TypeVar("Given")
# how heads let the backbone compute
TOLD = ("feature_maps", "feature_maps_and_prefix", "embed", "run_blocks", "normalized")


def _key(tensor: Tensor) -> int:
    return int(tensor.untyped_storage()._cdata)


class Ledger(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Follows operations and the storages that they make, while it is entered.

    Matrix products and convolutions are counted by torch's formulas; attention is counted by
    `counted_attention`, as torch has formulas for some of its kernels only.

    Attributes:
        flops: so far, a multiplication with its addition counted as two.
        live: bytes that are held at present, the network's own apart.
        peak: the most so far.
        copies: keys of storages that hold a weight in another type.
    """

    def __init__(self, network: nn.Module) -> None:
        """Leave the network's parameters and buffers out of the account."""
        super().__init__()  # type: ignore[no-untyped-call]
        self.weights = {_key(t) for t in (*network.parameters(), *network.buffers())}
        self.copies: set[int] = set()
        self.flops = self.live = self.peak = 0
        self._known: dict[int, weakref.ref[torch.UntypedStorage]] = {}

    def __torch_dispatch__(
        self,
        function: OpOverload,
        types: Collection[type],
        args: tuple[object, ...] = (),
        kwargs: JsonObject | None = None,
    ) -> object:
        """Run the operation and note what it has made."""
        result = function(*args, **(kwargs or {}))
        # torch's FlopCounterMode also follows the modules, and so keeps what checkpointing frees
        formula = flop_registry.get(function._overloadpacket)
        if formula is not None:
            self.count(formula(*args, **(kwargs or {}), out_val=result))
        for tensor in tree_leaves(result):
            if isinstance(tensor, Tensor):
                self._note(tensor)
        copied = args[0] if function is torch.ops.aten._to_copy.default else None
        if isinstance(copied, Tensor) and _key(copied) in self.weights:
            self.copies.add(_key(result))
        return result

    def count(self, flops: int) -> None:
        """Add operations that no formula of torch's knows."""
        self.flops += flops

    def _note(self, tensor: Tensor) -> None:
        storage, key = tensor.untyped_storage(), _key(tensor)
        if key in self.weights or key in self._known:
            return
        size = storage.nbytes()

        def forget(_: object) -> None:
            self.live -= size
            self._known.pop(key, None)
            self.copies.discard(key)

        self._known[key] = weakref.ref(storage, forget)
        self.live += size
        self.peak = max(self.peak, self.live)


class SavedForBackward:
    """Counts what autograd keeps between forward and backward.

    Attributes:
        sizes: bytes by (in the backbone or not, a copy of a weight or not).
    """

    def __init__(self, network: nn.Module, ledger: Ledger) -> None:
        """Look at a network whose operations `ledger` follows."""
        self.sizes = {(inside, copy): 0 for inside in (True, False) for copy in (True, False)}
        self._ledger = ledger
        self._seen = set(ledger.weights)
        self._inside = False
        self._backbone = backbone_of(network)

    @contextmanager
    def counting(self) -> Iterator[None]:
        """Count what is saved inside."""
        hooks = torch.autograd.graph.saved_tensors_hooks(self._pack, lambda tensor: tensor)
        with self._telling_the_backbone(), hooks:
            yield

    @contextmanager
    def _telling_the_backbone(self) -> Iterator[None]:
        """Note when the backbone computes: heads call its method, which torch's hooks miss."""
        backbone = self._backbone
        if backbone is None:
            yield
            return
        for name in TOLD:
            setattr(backbone, name, self._telling(getattr(backbone, name)))
        try:
            yield
        finally:
            for name in TOLD:
                delattr(backbone, name)

    def _telling(self, compute: Callable[Taken, Given]) -> Callable[Taken, Given]:
        def told(*arguments: Taken.args, **named: Taken.kwargs) -> Given:
            self._inside = True
            try:
                return compute(*arguments, **named)
            finally:
                self._inside = False

        return told

    def _pack(self, tensor: Tensor) -> Tensor:
        key = _key(tensor)
        if key not in self._seen:
            self._seen.add(key)
            place = (self._inside, key in self._ledger.copies)
            self.sizes[place] += tensor.untyped_storage().nbytes()
        return tensor
