"""The help pages, and what asking for help does not need (reference 2.1, 6.3)."""

import json
import re
import subprocess
import sys

import pytest

COMMANDS = [
    ["init"], ["list"], ["connectors"], ["show"], ["show", "components"], ["show", "connectors"], ["show", "events"],
    ["show", "metrics"], ["run"], ["check"], ["describe"], ["measure"], ["adjust"], ["config"], ["schema"],
    ["validate"], ["generate"], ["version"], ["builds", "watch"], ["builds", "run"], ["builds", "submit"], ["builds", "list"],
    ["builds", "show"], ["builds", "retry"], ["builds", "recover"], ["builds", "release"], ["kubernetes", "clean"], ["prometheus", "targets"], ["vegeta", "attack"],
]  # fmt: skip

# Added since: options of the log, `check`, `builds` and `kubernetes`.
ADDED = re.compile(r"  (--log-f.*|check  .*|builds  .*|kubernetes  .*)\n( {30,}.*\n)?")
COMPLETION = re.compile(r"  --(install|show)-completion[^\n]*\n( {30,}.*\n)*")


def comparable(page):
    for pattern in (ADDED, COMPLETION):
        page = pattern.sub("", page)
    # The widths of the lists of commands follow the longest name, which may be one of those left out.
    page = re.sub(r"^(  [a-z-]+) {2,}(?=[A-Z])", r"\1  ", page, flags=re.MULTILINE)
    return re.sub(r"\n{2,}", "\n\n", page).rstrip() + "\n"


def test_the_root_page_is_that_of_the_original(servo, recording):
    stdout, _, code = recording("help")
    result = servo("--help")
    # B: what `connectors` lists is what is available, not what is active.
    expected = comparable(stdout).replace("Display active connectors", "Display available connectors")
    assert comparable(result.stdout) == expected
    assert result.exit_code == code


def test_no_arguments_print_the_help(servo):
    result = servo()
    assert result.exit_code == 0
    assert result.stdout == servo("--help").stdout


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_explains_itself_without_a_configuration(servo, command):
    """Reference 2.1 B: `servo run --help` failed without a valid configuration."""
    result = servo(*command, "--help")
    assert result.exit_code == 0, result.output
    assert result.stdout.startswith(f"Usage: servo {' '.join(command)} ")


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_every_command_gives_examples(servo, command):
    page = servo(*command, "--help").stdout
    examples = page.partition("Examples:\n")[2].splitlines()
    assert examples
    assert all("servo" in line for line in examples)


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_pages_are_plain_text_without_boxes_or_python_types(servo, command):
    page = servo(*command, "--help").stdout
    assert not set("╭│╰─\x1b") & set(page)
    assert "<list[" not in page
    assert "<str>" not in page
    assert "<bool>" not in page


def test_a_broken_configuration_does_not_matter_to_help(servo, config):
    config("{ this is: [no yaml")
    assert servo("run", "--help").exit_code == 0
    assert servo("version").exit_code == 0


def test_an_unknown_command_is_a_usage_error(servo, recording):
    _, stderr, code = recording("unknown-command")
    result = servo("nonsense")
    assert (result.stdout, result.stderr, result.exit_code) == ("", stderr, code)


def test_a_typing_error_gets_a_suggestion(servo):
    assert "No such command 'descrbe'. Did you mean 'describe'?" in servo("descrbe").stderr


def test_show_without_a_command_prints_its_help(servo):
    result = servo("show")
    assert result.exit_code == 0
    assert "components  Display adjustable components" in result.stdout


@pytest.mark.parametrize("level", ["LOUD", "10"])
def test_an_unknown_level_is_a_usage_error_that_names_the_levels(servo, level):
    result = servo("-l", level, "list")
    assert result.exit_code == 2
    assert "is not one of TRACE, DEBUG, INFO, SUCCESS, WARNING, ERROR, CRITICAL" in result.stderr


def modules_of(*args):
    program = (
        "import sys, json, atexit\n"
        "atexit.register(lambda: sys.__stderr__.write(json.dumps(sorted(sys.modules))))\n"
        f"sys.argv = ['servo', *{list(args)!r}]\n"
        "from servo.cli import main\n"
        "main()\n"
    )
    process = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return {name.partition(".")[0] for name in json.loads(process.stderr)}


def test_help_imports_nothing_heavy():
    heavy = {
        "pydantic",
        "pydantic_settings",
        "httpx2",
        "loguru",
        "yaml",
        "rich",
        "asyncio",
        "uvloop",
        "tabulate",
    }
    assert modules_of("--help") & heavy == set()


def test_help_of_a_command_does_not_import_what_the_command_needs():
    assert modules_of("run", "--help") & {"httpx2", "loguru", "yaml", "rich", "asyncio", "uvloop"} == set()


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_scripts_are_there_without_a_configuration(shell):
    program = "import sys; sys.argv = ['servo']; from servo.cli import main; main()"
    process = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        env={"_SERVO_COMPLETE": f"source_{shell}", "PATH": "/usr/bin:/bin"},
        check=False,
    )
    assert "servo" in process.stdout


@pytest.mark.parametrize(
    ("words", "completed"),
    [
        ("de", ["describe"]),
        ("-l TR", ["TRACE"]),
        ("config -f j", ["json"]),
        ("schema --format h", ["html"]),
        ("version -f ", ["text", "json"]),
        ("list --output t", ["table"]),
        ("check --halt-on n", ["never"]),
        ("--log-format j", ["json"]),
    ],
)
def test_the_shell_completes_commands_and_choices(words, completed):
    program = (
        "import sys; sys.argv = ['servo']; from servo.cli import ServoCLI; ServoCLI()(prog_name='servo')"
    )
    process = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        env={
            "_SERVO_COMPLETE": "complete_bash",
            "COMP_WORDS": f"servo {words}",
            "COMP_CWORD": str(len(words.split(" "))),
            "PATH": "/usr/bin",
        },
        check=False,
    )
    assert process.stdout.split() == completed
