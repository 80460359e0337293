"""The rules of the contract by name, and how to call each."""

import importlib
from dataclasses import dataclass

from nnunet_vit.testing.small_vits import Case

CHECKS = "nnunet_vit.testing.checks"


@dataclass(frozen=True)
class Rule:
    """One rule.

    Attributes:
        name: as the verdict shows it.
        summary: what holds where it passes.
        module: of nnunet_vit.testing.checks; it has a function check_<name>.
        per_case: whether it is checked on each backbone.
        slow: whether it is checked on few backbones only.
        excuse: name beside the head's hooks under which a reason excuses from it; or empty.
    """

    name: str
    summary: str
    module: str
    per_case: bool = True
    slow: bool = False
    excuse: str = ""

    def check(self, head: str, case: Case | None) -> str:
        """Check a head and return a note, often empty.

        Raises:
            ContractError: the head breaks the rule.
        """
        module = importlib.import_module(f"{CHECKS}.{self.module}")
        arguments = (head, case) if self.per_case else (head,)
        return str(getattr(module, f"check_{self.name}")(*arguments) or "")


RULES = {
    rule.name: rule
    for rule in (
        Rule("imports", "light: no torch until it is used", "packaging", per_case=False),
        Rule("requirements", "what its package needs is installed", "packaging", per_case=False),
        Rule("options", "options described and bounded", "options", per_case=False),
        Rule("lower_bounds", "the least value of each option works", "between", per_case=False),
        Rule("between", "other values work, alone and in pairs", "between", per_case=False),
        Rule("shapes", "logits (B, classes, H, W), batch 1, 1 to 4 channels", "shapes"),
        Rule("logits", "logits, no probabilities, and nothing beside them", "logits"),
        Rule("finite", "finite logits below half precision's end", "shapes"),
        Rule("batch", "images in a batch do not know each other", "shapes"),
        Rule("gradients", "full, lora and frozen: no unused parameter", "gradients"),
        Rule("learning", "a few steps of training lower the loss", "learning", slow=True),
        Rule("targets", "a loss of its own takes regions and ignored pixels", "loss_targets"),
        Rule("alignment", "what a patch says stays at that patch", "alignment"),
        Rule("saving", "a saved state gives the same logits", "saving"),
        Rule("deep_supervision", "logits finest first", "saving"),
        Rule(
            "compile", "one graph for torch.compile", "graphs", slow=True, excuse="NOT_COMPILABLE"
        ),
        Rule("export", "the network can be exported", "graphs", slow=True, excuse="NOT_EXPORTABLE"),
    )
}
