"""Inspects the shop's stack, watches builds of it, then tunes the shop for real, in two to three minutes: `make demo`.

Inspection and tuning leave a report each; of the builds it asks what fails most often.

It uses a free port and a folder of its own, so that it disturbs nothing and can be run again at once. Options are those
of `trimtab tune`, and win over the ones below: `python examples/shop/demo.py --trials 30 --time 10m`.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from watching import watch

from inspection import specification

HERE = Path(__file__).resolve().parent
REPORT = HERE.parent.parent / "trimtab-report"
TRIMTAB = str(Path(sys.executable).with_name("trimtab"))
PORT = "8370"
SIGNALLED = 128

# What a request costs: a month of a core at 60, a list of prices for what is set aside, and 1 for each millisecond
# that customers wait, up to the 30 at which they leave.
OBJECTIVE = "maximize throughput / (60 * cpu_cores + min(latency_mean, 30) + cost)"
PRICES = ("web.workers=0.25", "web.cache=0.3", "web.database_cache=0.1", "web.batch=0.05")
SLOS = ("error_rate <= 1%", "memory_peak <= 300MiB")


def free_port() -> str:
    """A port that nobody listens at now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


def configuration(folder: Path) -> Path:
    """The shop's servo.yaml with another port, its state kept in `folder`."""
    text = (HERE / "servo.yaml").read_text(encoding="utf-8").replace(PORT, free_port())
    path = folder / "servo.yaml"
    path.write_text(
        text.replace("process:\n", f"process:\n  state_directory: {folder / 'state'}\n"), encoding="utf-8"
    )
    return path


def tuning(config: Path) -> list[str]:
    """The command that tunes."""
    options = ["--objective", OBJECTIVE, "--report", str(REPORT)]
    options += [part for price in PRICES for part in ("--price", price)]
    options += [part for slo in SLOS for part in ("--slo", slo)]
    options += ["--trials", "18", "--time", "120s", "--warmup", "1.25s", "--duration", "3.125s"]
    return [TRIMTAB, "tune", str(config), *options, *sys.argv[1:]]


def inspecting(folder: Path) -> list[str]:
    """The command that inspects: by processes, which every machine has; no base image is pulled."""
    file = folder / "shop.json"
    file.write_text(json.dumps(specification()), encoding="utf-8")
    return [TRIMTAB, "inspect", str(file), "--engine", "process", "--report", str(report() / "inspection")]


def report() -> Path:
    """Where the reports are left."""
    given = sys.argv[1:]
    return Path(given[given.index("--report") + 1]).absolute() if "--report" in given else REPORT


def run(command: Sequence[str], environment: Mapping[str, str], **streams: object) -> int:
    """Run a command to its end, passing signals on."""
    with subprocess.Popen(command, cwd=HERE, env=environment, **streams) as process:  # type: ignore[call-overload]  # noqa: S603  our own command line
        # A terminal tells the child of Ctrl-C itself; we only have to outlive it. Ignored, it would be so by the next child, too.
        signal.signal(signal.SIGINT, lambda *_: None)
        signal.signal(signal.SIGTERM, lambda number, _: process.send_signal(number))
        return int(process.wait())


def main() -> int:
    """Run all three, and tidy up."""
    with tempfile.TemporaryDirectory(prefix="trimtab-demo-") as name:
        folder = Path(name)
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
        environment = {**os.environ, "PATH": path, "TRIMTAB_HOME": name, "SHOP_DATA": str(folder / "data")}
        # What the first prints is beside what the second does: `--output json` is of the tuning alone.
        inspected = run(inspecting(folder), environment, stdout=sys.stderr)
        if inspected >= SIGNALLED:
            return inspected
        print(file=sys.stderr)
        watched = watch(
            folder,
            free_port(),
            environment,
            lambda command, variables: run(command, variables, stdout=sys.stderr),
        )
        if watched < 0 or watched >= SIGNALLED:
            return watched
        print(file=sys.stderr)
        return run(tuning(configuration(folder)), environment) or inspected or watched


if __name__ == "__main__":
    sys.exit(main())
