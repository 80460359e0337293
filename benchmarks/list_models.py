"""Wall time of `vit_cli list-models` beside `python -c "import torch"`, in turn: medians, ratio."""

import argparse
import statistics
import subprocess
import sys
import time
from pathlib import Path

VIT_CLI = str(Path(sys.executable).with_name("vit_cli"))
COMMANDS = {
    "vit_cli list-models": [VIT_CLI, "list-models"],
    "import torch": [sys.executable, "-c", "import torch"],
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--runs", type=int, default=7)
    runs = parser.parse_args().runs
    seconds: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for number in range(runs + 1):  # the first round warms the file cache
        for name, command in COMMANDS.items():
            took = wall_time(command)
            if number:
                seconds[name].append(took)
    medians = {name: statistics.median(values) for name, values in seconds.items()}
    for name, values in seconds.items():
        print(f"{name:<22} median {medians[name]:.3f} s  ({min(values):.3f} to {max(values):.3f})")
    listing, torch = medians.values()
    print(f"ratio {listing / torch:.3f}; the bar is 0.25")


def wall_time(command: list[str]) -> float:
    began = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
