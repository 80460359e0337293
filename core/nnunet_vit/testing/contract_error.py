"""What a check raises where a head breaks the contract."""


class ContractError(AssertionError):
    """A broken rule of the contract, in words that tell the head's author what to change.

    Args:
        problem: what was seen, where, and what is needed.
        fix: what to change in the head.
    """

    def __init__(self, problem: str, fix: str) -> None:
        """Keep the two parts apart."""
        self.problem = problem
        self.fix = fix
        super().__init__(f"{problem} Fix: {fix}")
