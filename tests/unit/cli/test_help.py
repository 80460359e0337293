"""The help at 80 columns, the narrowest usual terminal: every option's whole name is there."""

import pkgutil
import re

import pytest
import typer

from nnunet_vit import cli

pytestmark = pytest.mark.unit
VERBS = [found.name.replace("_", "-") for found in pkgutil.iter_modules(cli.__path__)]


@pytest.fixture
def narrow(monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.delenv("TERMINAL_WIDTH", raising=False)


@pytest.mark.parametrize("verb", VERBS)
def test_names_of_options_are_whole(vit_cli, narrow, verb):
    code, out, err = vit_cli(verb, "-h")
    assert (code, err) == (0, "")
    command = typer.main.get_command(cli.build_app()).commands[verb]
    options = [each for each in command.params if each.param_type_name == "option"]
    names = [name for each in options for name in (*each.opts, *each.secondary_opts)]
    assert names
    for name in names:
        assert re.search(rf"(?<![\w-]){re.escape(name)}(?![\w-])", out), name
    assert max(map(len, out.splitlines())) <= 80


def test_verbs_say_what_they_do_in_whole_sentences(vit_cli, narrow):
    code, out, err = vit_cli("-h")
    assert (code, err) == (0, "")
    assert "..." not in out.partition("Commands:")[2]
    told = " ".join(out.split())
    assert "predict Segment images with a trained model, or with what best has chosen." in told
