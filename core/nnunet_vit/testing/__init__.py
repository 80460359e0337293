"""What the author of a head tests it with: the contract, in five lines of their test file."""

from nnunet_vit.testing.contract import HeadContract
from nnunet_vit.testing.errors import ContractError

__all__ = ["ContractError", "HeadContract"]
