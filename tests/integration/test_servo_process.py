"""The ``servo`` program as a process: signals at any time, and how it ends (reference 2.4, 3.7)."""

import signal
import sys
import time

import psutil
import pytest
import yaml

pytestmark = pytest.mark.integration

SIGNALS = [signal.SIGTERM, signal.SIGINT]

# Starts a child, and leaves marks of what was done to it.
SLOW = """
import asyncio, pathlib, subprocess, sys
import servo

CONTROL = servo.Control()

class SlowConfiguration(servo.BaseConfiguration):
    startup: float = 0
    measurement: float = 0

@servo.metadata(description="Takes its time", version="1.0.0")
class SlowConnector(servo.BaseConnector):
    config: SlowConfiguration

    @servo.on_event()
    async def startup(self) -> None:
        pathlib.Path("starting").touch()
        await asyncio.sleep(self.config.startup)

    @servo.on_event()
    async def shutdown(self) -> None:
        pathlib.Path("shut-down").touch()

    @servo.on_event()
    async def detach(self, servo_: servo.Servo) -> None:
        pathlib.Path("detached").touch()

    @servo.on_event()
    async def measure(self, *, metrics: list[str] | None = None, control: servo.Control = CONTROL) -> servo.Measurement:
        child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
        pathlib.Path("child").write_text(str(child.pid))
        pathlib.Path("measuring").touch()
        try:
            await asyncio.sleep(self.config.measurement)
        finally:
            child.terminate()
            child.wait()
            pathlib.Path("cleaned-up").touch()
        return servo.Measurement(readings=[])
"""
MEASURE = {"cmd": "MEASURE", "cmd_uid": "u1", "param": {"metrics": [], "control": {}}}


@pytest.fixture(autouse=True)
def _module(tmp_path, servo_environment):
    (tmp_path / "slow.py").write_text(SLOW)
    servo_environment["PYTHONPATH"] = str(tmp_path)


@pytest.fixture
def configured(tmp_path, scripted_optimizer):
    def write(base_url=None, **slow):
        document = {
            "optimizer": {
                "id": "example.com/app",
                "token": "T",
                "base_url": base_url or scripted_optimizer.url,
            },
            "connectors": {"slow": "slow.SlowConnector"},
            "slow": slow,
        }
        (tmp_path / "servo.yaml").write_text(yaml.safe_dump(document))

    return write


def wait_for_file(file):
    deadline = time.monotonic() + 40
    while not file.exists():
        assert time.monotonic() < deadline, f"{file.name} does not come"
        time.sleep(0.01)


def is_gone(pid):
    return not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_while_asleep_says_goodbye_and_exits_with_zero(
    servo_start, configured, scripted_optimizer, number
):
    """Reference 6.1 #11: a graceful end was exit 1 with a traceback."""
    configured()
    program = servo_start("run")
    scripted_optimizer.wait_for("WHATS_NEXT")
    program.signal(number)
    code, log = program.end()
    assert code == 0, log
    assert "Traceback" not in log
    assert scripted_optimizer.events()[0] == "HELLO"
    assert scripted_optimizer.posts[-1] == ("GOODBYE", {"reason": number.name})


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_during_a_measurement_ends_it_cleanly(
    servo_start, configured, scripted_optimizer, tmp_path, number
):
    configured(measurement=600)
    scripted_optimizer.script = [MEASURE]
    program = servo_start("run")
    wait_for_file(tmp_path / "measuring")
    program.signal(number)
    code, log = program.end()
    assert code == 0, log
    assert (tmp_path / "cleaned-up").exists()
    assert (tmp_path / "shut-down").exists()
    assert (tmp_path / "detached").exists()
    assert is_gone(int((tmp_path / "child").read_text()))
    (result,) = scripted_optimizer.results("MEASUREMENT")
    assert (result["status"], result["cmd_uid"]) == ("cancelled", "u1")
    assert scripted_optimizer.posts[-1] == ("GOODBYE", {"reason": number.name})


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_while_connectors_start_says_goodbye(
    servo_start, configured, scripted_optimizer, tmp_path, number
):
    configured(startup=600)
    program = servo_start("run")
    wait_for_file(tmp_path / "starting")
    program.signal(number)
    code, log = program.end()
    assert code == 0, log
    assert (tmp_path / "detached").exists()
    assert scripted_optimizer.posts[-1] == ("GOODBYE", {"reason": number.name})


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_while_the_optimizer_does_not_answer_ends_it(
    servo_start, configured, scripted_optimizer, number
):
    configured()
    release = []

    def hang():
        while not release:
            time.sleep(0.05)
        return 200, {"status": "ok"}

    scripted_optimizer.answers["HELLO"] = hang
    program = servo_start("run")
    scripted_optimizer.wait_for("HELLO")
    program.signal(number)
    code, log = program.end()
    release.append(True)
    assert code == 0, log


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_while_nobody_listens_ends_it(servo_start, configured, number):
    configured(base_url="http://127.0.0.1:9")
    program = servo_start("run")
    program.wait_for_line("optimizer: example.com/app")
    time.sleep(0.5)
    program.signal(number)
    code, log = program.end()
    assert code == 0, log
    assert "Traceback" not in log


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_while_checks_are_tried_again_ends_it(servo_start, configured, tmp_path, number):
    configured(base_url="http://127.0.0.1:9")
    program = servo_start("run", "--check")
    program.wait_for_line("Opsani API connectivity")
    program.signal(number)
    code, log = program.end()
    assert code == 0, log
    assert (tmp_path / "detached").exists(), "what attached has left"


@pytest.mark.parametrize("delay", [0.0, 0.15, 0.3, 0.45, 0.6])
def test_a_signal_at_any_time_leaves_nothing_behind(
    servo_start, configured, scripted_optimizer, tmp_path, delay
):
    configured(measurement=600)
    scripted_optimizer.script = [MEASURE]
    program = servo_start("run")
    time.sleep(delay)
    program.signal(signal.SIGTERM)
    code, log = program.end()
    # Before Python runs our code it is the signal itself that ends the process.
    assert code in {0, -signal.SIGTERM}, log
    assert "Traceback" not in log
    if "HELLO" in scripted_optimizer.events():
        assert (code, scripted_optimizer.events()[-1]) == (0, "GOODBYE")
    if (tmp_path / "child").exists():
        assert is_gone(int((tmp_path / "child").read_text()))


def test_a_second_signal_does_not_wait_for_a_farewell(servo_start, configured, scripted_optimizer):
    configured()
    release = []

    def hang():
        while not release:
            time.sleep(0.05)
        return 200, {"status": "ok"}

    scripted_optimizer.answers["GOODBYE"] = hang
    program = servo_start("run")
    scripted_optimizer.wait_for("WHATS_NEXT")
    program.signal(signal.SIGTERM)
    scripted_optimizer.wait_for("GOODBYE")
    started = time.monotonic()
    program.signal(signal.SIGTERM)
    code, log = program.end()
    release.append(True)
    assert code == 0, log
    assert time.monotonic() - started < 4.5, "a farewell may take five seconds"


@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_ends_a_single_measurement_with_its_clean_up(servo_start, configured, tmp_path, number):
    configured(measurement=600)
    program = servo_start("measure")
    wait_for_file(tmp_path / "measuring")
    program.signal(number)
    code, log = program.end()
    assert code == 128 + number, log
    assert (tmp_path / "cleaned-up").exists()
    assert (tmp_path / "detached").exists()
    assert "Traceback" not in log


def test_without_polling_it_starts_says_goodbye_and_ends(servo_run, configured, scripted_optimizer, tmp_path):
    configured()
    result = servo_run("run", "--no-poll")
    assert result.returncode == 0, result.stderr
    assert scripted_optimizer.events() == ["HELLO", "GOODBYE"]
    assert (tmp_path / "shut-down").exists()


def test_a_dry_run_only_checks(servo_run, configured, scripted_optimizer, tmp_path):
    configured()
    result = servo_run("run", "--dry-run")
    assert (result.returncode, result.stdout) == (0, "")
    assert set(scripted_optimizer.events()) == {"HELLO"}
    assert not (tmp_path / "starting").exists()


def test_a_wrong_configuration_ends_it_with_two(servo_run, configured, tmp_path):
    configured(bogus=1)
    result = servo_run("run")
    assert result.returncode == 2
    (line,) = [line for line in result.stderr.splitlines() if line.startswith("Error: ")]
    assert "servo.yaml:" in line
    assert "slow.bogus" in line
    assert "Traceback" not in result.stderr


def test_only_the_named_servo_runs(servo_start, scripted_optimizer, tmp_path):
    """Reference 2.2 B: `run` ignored --name."""
    documents = [
        {
            "name": name,
            "servo_uid": name,
            "optimizer": {"id": f"example.com/{name}", "token": "T", "base_url": scripted_optimizer.url},
            "connectors": {"slow": "slow.SlowConnector"},
            "slow": {},
        }
        for name in ("one", "two")
    ]
    (tmp_path / "servo.yaml").write_text(yaml.safe_dump_all(documents))
    program = servo_start("-n", "two", "run")
    scripted_optimizer.wait_for("WHATS_NEXT")
    program.signal(signal.SIGTERM)
    code, log = program.end()
    assert code == 0, log
    assert scripted_optimizer.events().count("HELLO") == 1
    assert "optimizer: example.com/two" in log
    assert "optimizer: example.com/one" not in log


def test_the_token_is_in_no_output(servo_start, scripted_optimizer, tmp_path):
    document = {
        "optimizer": {"id": "example.com/app", "token": "s3cret-token", "base_url": scripted_optimizer.url},
        "connectors": {"slow": "slow.SlowConnector"},
        "slow": {},
    }
    (tmp_path / "servo.yaml").write_text(yaml.safe_dump(document))
    program = servo_start("-l", "TRACE", "run", env={"SERVO_LOG_FILE": "servo.log"})
    scripted_optimizer.wait_for("WHATS_NEXT")
    program.signal(signal.SIGTERM)
    code, log = program.end()
    assert code == 0
    assert "s3cret" not in log
    assert "s3cret" not in (tmp_path / "servo.log").read_text()


def test_the_log_can_be_json_lines(servo_start, configured, scripted_optimizer):
    import json

    configured()
    program = servo_start("run", env={"SERVO_LOG_FORMAT": "json"})
    scripted_optimizer.wait_for("WHATS_NEXT")
    program.signal(signal.SIGTERM)
    _, log = program.end()
    lines = [json.loads(line) for line in log.splitlines() if line.startswith("{")]
    assert lines
    assert {"time", "level", "message", "component"} <= set(lines[0])


def test_a_dotenv_file_above_is_loaded(servo_start, scripted_optimizer, tmp_path, servo_environment):
    (tmp_path / ".env").write_text(
        f"OPSANI_OPTIMIZER=example.com/dotenv\nOPSANI_TOKEN=T\nOPSANI_BASE_URL={scripted_optimizer.url}\n"
    )
    (tmp_path / "servo.yaml").write_text("connectors: {slow: slow.SlowConnector}\nslow: {}\n")
    program = servo_start("run")
    scripted_optimizer.wait_for("WHATS_NEXT")
    program.signal(signal.SIGTERM)
    code, log = program.end()
    assert code == 0, log
    assert "optimizer: example.com/dotenv" in log


def test_it_starts_without_a_terminal_and_prints_a_banner(servo_start, configured, scripted_optimizer):
    configured()
    program = servo_start("run", env={"SERVO_BANNER_COLOR": "RED"})
    scripted_optimizer.wait_for("WHATS_NEXT")
    program.signal(signal.SIGTERM)
    _, log = program.end()
    assert "\x1b" not in log, "no colours where there is no terminal"
    assert "connectors: slow (Slow v1.0.0)" in log
    assert f"base url: {scripted_optimizer.url}" in log


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_the_token_is_no_argument_of_the_process(servo_start, configured, scripted_optimizer):
    configured()
    program = servo_start("run")
    scripted_optimizer.wait_for("WHATS_NEXT")
    arguments = psutil.Process(program.process.pid).cmdline()
    program.signal(signal.SIGTERM)
    program.end()
    assert arguments[-1] == "run"
