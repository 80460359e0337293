"""The rules of the contract, a file each; they raise ContractError."""
