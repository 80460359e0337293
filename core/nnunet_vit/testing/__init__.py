"""What the author of a head tests it with: the contract, in five lines of their test file."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from nnunet_vit.testing.contract import HeadContract
    from nnunet_vit.testing.contract_error import ContractError

__all__ = ["ContractError", "HeadContract"]


def __getattr__(name: str) -> object:
    """Import what somebody asks for: each session of pytest imports this package, for fixtures."""
    if name == "HeadContract":
        from nnunet_vit.testing.contract import HeadContract

        return HeadContract
    if name == "ContractError":
        from nnunet_vit.testing.contract_error import ContractError

        return ContractError
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
