"""The contract of a head as a class of tests: pytest collects what inherits from it."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from nnunet_vit.errors import UserError
from nnunet_vit.files.json_file import JsonMapping
from nnunet_vit.registry import catalogue
from nnunet_vit.testing.rules import RULES, Rule
from nnunet_vit.testing.small_vits import SMALL_VITS, Case

if TYPE_CHECKING:  # `vit_cli check-head` works without pytest
    import pytest

FEW = 2  # backbones on which the options besides the first are checked
FORMER_NAMES = {
    "test_smallest": "test_lower_bounds",
    "test_values": "test_finite",
    "test_place": "test_alignment",
}


class HeadContract:
    """Everything that a run needs of a head, to inherit from in a test file of five lines.

    Attributes:
        head: the registered name; the package must be installed.
        options: sets of options to check; None: the defaults, and each other value of each option
            that is a choice (Literal or bool).
        backbones: names out of nnunet_vit.testing.small_vits.SMALL_VITS; options after the first
            are checked on the first two of them, and so are learning, compile and export.
        excuses: reasons by name of a rule (compile, export) that the head cannot keep; those that
            stand beside the hooks as NOT_COMPILABLE or NOT_EXPORTABLE count too.
    """

    head: str = ""
    options: Sequence[JsonMapping] | None = None
    backbones: Sequence[str] = tuple(SMALL_VITS)
    excuses: Mapping[str, str] = {}

    def cases(self, rule: Rule) -> list[Case | None]:
        """Return what a rule is checked on: backbones with the first options, few with others."""
        if not rule.per_case:
            return [None]
        first, *others = self._all_options()
        backbones, some = self.backbones, self.backbones[:FEW]
        if rule.slow:
            backbones, some = some, some[:1]
        every: list[Case | None] = [Case(backbone, first) for backbone in backbones]
        return every + [Case(name, more) for more in others for name in some]

    def __init_subclass__(cls, **options: object) -> None:
        """Understand the names that tests had in version 0.1, as `test_smallest = None`."""
        super().__init_subclass__(**options)
        for former, name in FORMER_NAMES.items():
            if former in vars(cls):
                setattr(cls, name, vars(cls)[former])

    def pytest_generate_tests(self, metafunc: "pytest.Metafunc") -> None:
        """Repeat a test that takes a case for each of them."""
        if "case" in metafunc.fixturenames:
            rule = RULES[metafunc.function.__name__.removeprefix("test_")]
            metafunc.parametrize("case", self.cases(rule), ids=str)

    def check(self, rule: Rule, case: Case | None = None) -> str:
        """Check one rule and return a note, often empty.

        Raises:
            ContractError: the head breaks it.
            UserError: the head cannot be found, loaded or built.
        """
        reason = self.excuse(rule)
        if reason:
            return f"said not to be: {reason}"
        return rule.check(self.head, case)

    def excuse(self, rule: Rule) -> str:
        """Return why the head need not keep a rule, or an empty text."""
        if not rule.excuse:
            return ""
        target = catalogue.find(catalogue.HEADS, self.head).entry_point.load()
        return str(self.excuses.get(rule.name) or getattr(target, rule.excuse, ""))

    def _all_options(self) -> Sequence[JsonMapping]:
        if self.options is not None:
            return self.options or ({},)
        from nnunet_vit.testing.checks.options import choices

        try:
            return choices(self.head)
        except UserError:  # a head that cannot be loaded fails its tests, not their collection
            return ({},)

    def test_imports(self) -> None:
        """The head's module is light: no torch until the network is built."""
        self.check(RULES["imports"])

    def test_requirements(self) -> None:
        """The head's package has metadata, and what it requires is installed."""
        self.check(RULES["requirements"])

    def test_options(self) -> None:
        """Each option is described and bounded, and refused beyond its bounds."""
        self.check(RULES["options"])

    def test_lower_bounds(self) -> None:
        """The least value that an option allows gives a network."""
        self.check(RULES["lower_bounds"])

    def test_between(self) -> None:
        """Values of the options between their bounds give a network, alone and in pairs."""
        self.check(RULES["between"])

    def test_shapes(self, case: Case) -> None:
        """Logits have the images' size, for any batch, classes and channels."""
        self.check(RULES["shapes"], case)

    def test_logits(self, case: Case) -> None:
        """The head returns logits, no probabilities, and nothing beside them."""
        self.check(RULES["logits"], case)

    def test_finite(self, case: Case) -> None:
        """Logits are finite and small enough for half precision."""
        self.check(RULES["finite"], case)

    def test_batch(self, case: Case) -> None:
        """An image's logits do not depend on its neighbour in the batch."""
        self.check(RULES["batch"], case)

    def test_gradients(self, case: Case) -> None:
        """Each trained parameter gets a gradient: full, lora and frozen."""
        self.check(RULES["gradients"], case)

    def test_learning(self, case: Case) -> None:
        """A few steps of training lower the loss."""
        self.check(RULES["learning"], case)

    def test_targets(self, case: Case) -> None:
        """A loss of the head's own takes classes, regions and ignored pixels."""
        self.check(RULES["targets"], case)

    def test_alignment(self, case: Case) -> None:
        """What a patch says stays at that patch."""
        self.check(RULES["alignment"], case)

    def test_saving(self, case: Case) -> None:
        """A saved state gives another build the same logits."""
        self.check(RULES["saving"], case)

    def test_deep_supervision(self, case: Case) -> None:
        """Deep supervision gives a list of logits, finest first."""
        self.check(RULES["deep_supervision"], case)

    def test_compile(self, case: Case) -> None:
        """torch.compile takes the whole network as one graph."""
        self.check(RULES["compile"], case)

    def test_export(self, case: Case) -> None:
        """The network can be exported."""
        self.check(RULES["export"], case)
