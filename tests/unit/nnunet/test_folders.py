"""nnU-Net's folders: from the run file or the environment, all that lack at once."""

import os
import platform

import pytest
from processor_counts import with_processors

from nnunet_vit.config.models import PathsConfig
from nnunet_vit.errors import ConfigError, MachineError
from nnunet_vit.nnunet.folders import (
    CHOSEN,
    choose_workers,
    claim,
    empty,
    environment,
    folder,
    is_chosen,
    use_folders,
    use_processors,
)

pytestmark = pytest.mark.unit


def test_the_environments_folders(nnunet_folders):
    use_folders(PathsConfig())
    assert [folder(key) for key in ("raw", "preprocessed", "results")] == [
        nnunet_folders / name for name in ("raw", "preprocessed", "results")
    ]


def test_the_run_file_wins_and_may_name_what_does_not_exist_yet(nnunet_folders):
    use_folders(PathsConfig(results=str(nnunet_folders / "new")))
    assert folder("results") == nnunet_folders / "new"
    assert os.environ["nnUNet_results"] == str(nnunet_folders / "new")
    assert folder("raw") == nnunet_folders / "raw"


@pytest.mark.parametrize(
    ("unset", "named"),
    [
        (["results"], "nnUNet_results (or paths.results)"),
        (
            ["raw", "results"],
            "nnUNet_raw (or paths.raw), nnUNet_results (or paths.results)",
        ),
    ],
)
@pytest.mark.parametrize("empty", [False, True])
def test_folders_that_nobody_names(monkeypatch, unset, named, empty):
    for name in unset:
        monkeypatch.setenv(f"nnUNet_{name}", "")
        if not empty:
            monkeypatch.delenv(f"nnUNet_{name}")
    with pytest.raises(ConfigError) as caught:
        use_folders(PathsConfig())
    assert str(caught.value) == (
        f"nnU-Net's folders are not known: {named}. Fix: write paths: {{raw: …, preprocessed: …, "
        "results: …} in the run file or set the environment variables."
    )


@pytest.mark.parametrize(
    ("value", "reason"),
    [
        ('"/data/results"', "the quotes would be part of its name"),
        ("'/data/results'", "the quotes would be part of its name"),
        ("/data/results'", "the quotes would be part of its name"),
        ("/data/“results”", "the quotes would be part of its name"),
        ("/data/results ", "the space at its edge would be part of its name"),
        ("~/results", "only a shell knows what ~ is"),
        ("$HOME/results", "a variable in it was not replaced"),
        ("${HOME}/results", "a variable in it was not replaced"),
        ("%USERPROFILE%\\results", "a variable in it was not replaced"),
    ],
)
def test_a_folder_with_what_a_shell_would_have_taken_away(monkeypatch, value, reason):
    monkeypatch.setenv("nnUNet_results", value)
    with pytest.raises(ConfigError) as caught:
        use_folders(PathsConfig())
    assert str(caught.value) == (
        f"nnUNet_results is {value!r}: {reason}. Fix: write the plain path, from the root, "
        "without quotes around it."
    )


@pytest.mark.parametrize("value", ["/data/John's results", "data/my results", "/data/50%/a~b"])
def test_folders_of_odd_names_that_are_meant(monkeypatch, value):
    monkeypatch.setenv("nnUNet_results", value)
    use_folders(PathsConfig())
    assert os.environ["nnUNet_results"] == value


def test_a_file_in_a_folders_place(nnunet_folders):
    file = nnunet_folders / "file"
    file.touch()
    with pytest.raises(MachineError) as caught:
        use_folders(PathsConfig(preprocessed=str(file)))
    assert str(caught.value) == f"nnUNet_preprocessed: {file} is a file, a folder is needed."


@pytest.mark.parametrize(
    ("there", "planning", "augmenting"),
    [(1, "1", "1"), (2, "2", "2"), (10, "8", "10"), (64, "8", "12")],
)
def test_workers_follow_the_machine(monkeypatch, there, planning, augmenting):
    monkeypatch.delenv("nnUNet_def_n_proc")
    monkeypatch.delenv("nnUNet_n_proc_DA")
    with_processors(monkeypatch, there)
    use_processors()
    assert os.environ["nnUNet_def_n_proc"] == planning
    assert os.environ["nnUNet_n_proc_DA"] == augmenting


def test_whose_count_it_is(monkeypatch):
    monkeypatch.delenv("nnUNet_def_n_proc")
    monkeypatch.setenv("nnUNet_n_proc_DA", "2")
    monkeypatch.delenv(CHOSEN, raising=False)
    assert is_chosen("nnUNet_def_n_proc") and not is_chosen("nnUNet_n_proc_DA")
    use_processors()
    assert is_chosen("nnUNet_def_n_proc") and not is_chosen("nnUNet_n_proc_DA")
    use_processors()  # as a command that this one starts does
    assert is_chosen("nnUNet_def_n_proc")
    monkeypatch.setenv("nnUNet_def_n_proc", "77")
    assert not is_chosen("nnUNet_def_n_proc")
    choose_workers(os.environ, "nnUNet_def_n_proc", 3)
    assert is_chosen("nnUNet_def_n_proc") and os.environ["nnUNet_def_n_proc"] == "3"


def test_set_workers_win(monkeypatch):
    monkeypatch.setenv("nnUNet_def_n_proc", "3")
    monkeypatch.setenv("nnUNet_n_proc_DA", "0")
    use_processors()
    assert (os.environ["nnUNet_def_n_proc"], os.environ["nnUNet_n_proc_DA"]) == ("3", "0")


@pytest.mark.parametrize("before", [None, "old"])
def test_a_variable_is_put_back(monkeypatch, before):
    monkeypatch.setenv("NNUNET_VIT_TEST", "old")
    if before is None:
        monkeypatch.delenv("NNUNET_VIT_TEST")
    with pytest.raises(KeyError), environment("NNUNET_VIT_TEST", "new"):
        assert os.environ["NNUNET_VIT_TEST"] == "new"
        raise KeyError
    assert os.environ.get("NNUNET_VIT_TEST") == before


def test_one_process_at_a_time_prepares(tmp_path):
    import subprocess
    import sys

    program = (
        "import sys, time, pathlib\n"
        "from nnunet_vit.nnunet.folders import alone_in\n"
        "folder = pathlib.Path(sys.argv[1])\n"
        "with alone_in(folder, print):\n"
        "    (folder / 'inside').touch(exist_ok=False)\n"
        "    time.sleep(0.3)\n"
        "    (folder / 'inside').unlink()\n"
    )
    command = [sys.executable, "-c", program, str(tmp_path / "new")]
    processes = [subprocess.Popen(command, stderr=subprocess.PIPE) for _ in range(3)]
    for process in processes:
        _, error = process.communicate(timeout=60)
        assert process.returncode == 0, error.decode()


HOLDER = (
    "import sys, pathlib\n"
    "from nnunet_vit.nnunet.folders import claim\n"
    "with claim(pathlib.Path(sys.argv[1])):\n"
    "    print('in', flush=True)\n"
    "    sys.stdin.read()\n"
)


def test_a_fold_is_trained_by_one_process_and_free_when_that_is_killed(tmp_path):
    import subprocess
    import sys

    from nnunet_vit.errors import MachineError

    fold = tmp_path / "fold_0"
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(fold)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert holder.stdout.readline() == b"in\n"
    with pytest.raises(MachineError) as caught, claim(fold):
        pass
    assert str(caught.value) == (
        f"{fold} is being trained in by process {holder.pid} on {platform.node()}. Fix: wait for "
        "it, stop it, or change the run file."
    )
    holder.kill()
    holder.communicate()
    with claim(fold):
        assert (fold / "run.lock").read_text() == f"{os.getpid()} on {platform.node()}"


def test_a_claimed_folder_is_emptied_but_for_its_lock(tmp_path):
    with claim(tmp_path):
        (tmp_path / "ckpt" / "epoch_1").mkdir(parents=True)
        (tmp_path / "ckpt" / "epoch_1" / "x").touch()
        (tmp_path / "LATEST").touch()
        empty(tmp_path)
        assert [path.name for path in tmp_path.iterdir()] == ["run.lock"]
