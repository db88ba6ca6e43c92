"""Tunes the shop for real, in about two minutes, and leaves a report: what `make demo` runs.

It uses a free port and a folder of its own, so that it disturbs nothing and can be run again at once. Options are those
of `trimtab tune`, and win over the ones below: `python examples/shop/demo.py --trials 30 --time 10m`.
"""

import os
import signal
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
REPORT = HERE.parent.parent / "trimtab-report"
PORT = "8370"

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


def command(config: Path) -> list[str]:
    """The command line."""
    options = ["--objective", OBJECTIVE, "--report", str(REPORT)]
    options += [part for price in PRICES for part in ("--price", price)]
    options += [part for slo in SLOS for part in ("--slo", slo)]
    options += ["--trials", "18", "--time", "130s", "--warmup", "1.25s", "--duration", "3.125s"]
    return [str(Path(sys.executable).with_name("trimtab")), "tune", str(config), *options, *sys.argv[1:]]


def main() -> int:
    """Run it, passing signals on, and tidy up."""
    with tempfile.TemporaryDirectory(prefix="trimtab-demo-") as name:
        folder = Path(name)
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"
        environment = {**os.environ, "PATH": path, "TRIMTAB_HOME": name, "SHOP_DATA": str(folder / "data")}
        tuning = subprocess.Popen(command(configuration(folder)), cwd=HERE, env=environment)  # noqa: S603  our own command line
        # A terminal tells the child of Ctrl-C itself; we only have to outlive it.
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        signal.signal(signal.SIGTERM, lambda number, _: tuning.send_signal(number))
        return tuning.wait()


if __name__ == "__main__":
    sys.exit(main())
