"""The log's lines, its sinks, and the decorators."""

import asyncio
import inspect
import io
import json
import logging as standard
import subprocess
import sys
from types import SimpleNamespace

import pytest

from servo import context, logging
from servo.logging import log_execution, log_execution_time, logger, sinks


@pytest.fixture(autouse=True)
def _own_sinks():
    yield
    logging.unconfigure()


@pytest.fixture
def stderr(monkeypatch):
    stream = io.StringIO()
    monkeypatch.setattr(
        sinks, "sys", SimpleNamespace(stderr=stream)
    )  # pytest changes sys.stderr between phases
    return stream


@pytest.fixture
def caught():
    messages = []
    handler = logger.add(messages.append, level="TRACE", format="{message}")
    yield messages
    logger.remove(handler)


class Event(str):
    __slots__ = ()


def component_of(line):
    return line.split(" | ")[3].split(" - ")[0]


def test_importing_the_module_touches_neither_sinks_nor_files(tmp_path):
    """Reference 1.13 B: the original configured sinks and opened logs/servo.log on import."""
    program = (
        "import loguru; before = dict(loguru.logger._core.handlers); import servo.logging;"
        "assert loguru.logger._core.handlers == before"
    )
    subprocess.run([sys.executable, "-c", program], cwd=tmp_path, check=True)
    assert list(tmp_path.iterdir()) == []


def test_a_line_is_time_level_place_component_and_message(stderr):
    logging.configure()
    line = inspect.currentframe().f_lineno + 1
    logger.info("hello")
    time, level, place, rest = stderr.getvalue().split(" | ")
    assert len(time) == len("2026-11-21 03:46:11.740")
    assert level == "INFO    "
    assert place == f"{__name__}:{inspect.currentframe().f_code.co_name}:{line}"
    assert rest == "servo - hello\n"


def test_the_component_is_the_connector_of_the_context_and_its_event(stderr):
    logging.configure()
    with (
        context.set_for(context.connector_var, SimpleNamespace(name="web")),
        context.set_for(context.event_var, Event("before:measure")),
    ):
        logger.info("x")
    assert component_of(stderr.getvalue()) == "web[before:measure]"


@pytest.mark.parametrize(
    ("extra", "expected"),
    [
        ({"connector": SimpleNamespace(name="bound")}, "bound"),
        ({"connector": "by-name"}, "by-name"),
        ({"component": "check_web", "connector": SimpleNamespace(name="bound")}, "check_web"),
    ],
)
def test_extras_outrank_the_context(stderr, extra, expected):
    logging.configure()
    with context.set_for(context.connector_var, SimpleNamespace(name="of the context")):
        logger.bind(**extra).info("x")
    assert component_of(stderr.getvalue()) == expected


@pytest.mark.parametrize(("servos", "expected"), [(1, "web"), (2, "example.com/app(web)")])
def test_the_optimizer_is_named_where_servos_share_the_log(stderr, servos, expected):
    """Reference 6.2: the original never set the assembly, so this prefix never appeared."""
    logging.configure()
    servo = SimpleNamespace(optimizer=SimpleNamespace(id="example.com/app"))
    with (
        context.set_for(context.assembly_var, SimpleNamespace(servos=[servo] * servos)),
        context.set_for(context.servo_var, servo),
    ):
        logger.info("x", connector="web")
    assert component_of(stderr.getvalue()) == expected


def test_braces_and_markup_of_a_name_are_printed_as_they_are(stderr):
    logging.configure(colors=False)
    logger.info("m", component="{x}<red>")
    assert component_of(stderr.getvalue()) == "{x}<red>"


def test_levels_below_the_threshold_are_not_printed_and_set_level_moves_it(stderr):
    logging.configure(level="WARNING")
    logger.info("one")
    logging.set_level("debug")
    logger.debug("two")
    assert "one" not in stderr.getvalue()
    assert "two" in stderr.getvalue()
    assert standard.getLogger("asyncio").level == standard.DEBUG


@pytest.mark.parametrize("level", ["LOUD", "", "10"])
def test_an_unknown_level_is_refused_by_name(level):
    with pytest.raises(ValueError, match="expected one of TRACE, DEBUG, INFO, SUCCESS"):
        logging.set_level(level)


def test_an_unknown_format_is_refused_by_name():
    with pytest.raises(ValueError, match="unknown log format 'xml': expected one of text, json"):
        logging.configure(format="xml")


@pytest.mark.parametrize("variable", ["NO_COLOR", "SERVO_NO_COLOR"])
def test_no_color_outranks_a_terminal(stderr, monkeypatch, variable):
    monkeypatch.setattr(stderr, "isatty", lambda: True)
    monkeypatch.setenv(variable, "1")
    logging.configure()
    logger.info("plain")
    assert "\x1b" not in stderr.getvalue()


def test_a_terminal_gets_colors_and_set_colors_takes_them_away(stderr, monkeypatch):
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setattr(stderr, "isatty", lambda: True)
    logging.configure()
    logger.info("one")
    assert "\x1b" in stderr.getvalue()
    stderr.truncate(0)
    logging.set_colors(False)
    logger.info("two")
    assert "\x1b" not in stderr.getvalue()


def test_a_file_is_written_only_when_named(stderr, tmp_path):
    """Reference 1.13 B: a log file next to the package broke read-only installations."""
    logging.configure(file=tmp_path / "deep" / "servo.log")
    logger.info("kept")
    logging.reset_to_defaults()
    logger.info("not kept")
    assert (tmp_path / "deep" / "servo.log").read_text().endswith("servo - kept\n")
    assert "not kept" in stderr.getvalue()


def test_json_lines_carry_context_and_extras(stderr):
    logging.configure(format="json")
    with (
        context.set_for(context.event_var, Event("measure")),
        context.set_for(context.servo_var, SimpleNamespace(name="shop", optimizer=None)),
        context.set_for(context.command_uid_var, "u1"),
    ):
        logger.info("half {}", "way", connector=SimpleNamespace(name="web"), progress=50)
    line = json.loads(stderr.getvalue())
    assert line.items() >= {
        "level": "INFO", "message": "half way", "connector": "web", "event": "measure",
        "component": "web[measure]", "progress": 50, "servo": "shop", "command_uid": "u1",
    }.items()  # fmt: skip
    assert line["time"].endswith("+00:00") or "T" in line["time"]


def test_json_lines_stay_one_line_with_a_traceback(stderr):
    logging.configure(format="json")
    logger.opt(exception=RuntimeError("boom <red>{x}")).error("failed\nbadly")
    (line,) = stderr.getvalue().splitlines()
    assert "RuntimeError: boom <red>{x}" in json.loads(line)["exception"]


def test_tracebacks_do_not_print_the_values_of_variables(stderr):
    """A secret in a local variable must not reach the log."""
    logging.configure()

    def fail(token):
        return len(token) / 0

    try:
        fail("s3" + "cret")
    except ZeroDivisionError:
        logger.exception("failed")
    assert "ZeroDivisionError" in stderr.getvalue()
    assert "s3cret" not in stderr.getvalue()


def test_with_traceback_prints_the_way_to_the_call(stderr):
    logging.configure()
    logger.info("here", with_traceback=True)
    assert "test_with_traceback_prints_the_way_to_the_call" in stderr.getvalue().split("here", 1)[1]


def test_asyncio_s_own_log_is_forwarded_with_its_place(stderr):
    logging.configure(level="DEBUG")
    standard.getLogger("asyncio").warning("slow %s", "callback")
    assert "asyncio - slow callback" in stderr.getvalue()
    assert "| WARNING  |" in stderr.getvalue()


def test_configuring_twice_prints_once(stderr):
    logging.configure()
    logging.configure()
    standard.getLogger("asyncio").error("a single line")
    assert stderr.getvalue().count("a single line") == 1


def test_unconfigure_takes_away_what_configure_set_up(stderr):
    logging.configure()
    logging.unconfigure()
    logger.error("to nobody")
    assert stderr.getvalue() == ""
    assert standard.getLogger("asyncio").propagate
    assert standard.getLogger("asyncio").level == standard.NOTSET


def test_log_execution_logs_entry_and_exit(caught):
    @log_execution
    def double(x):
        return 2 * x

    assert double(4) == 8
    assert [str(line) for line in caught] == [
        "Entering 'double' (args=(4,), kwargs={})\n",
        "Exiting 'double' (result=8)\n",
    ]
    assert caught[0].record["function"] == "double"


def test_log_execution_takes_options_and_coroutines(caught):
    @log_execution(entry=False, level="SUCCESS")
    async def double(x):
        return 2 * x

    assert asyncio.run(double(x=4)) == 8
    assert [(line.record["level"].name, line.record["message"]) for line in caught if "double" in line] == [
        ("SUCCESS", "Exiting 'double' (result=8)")
    ]


@pytest.mark.parametrize("decorator", [log_execution_time, log_execution_time(level="INFO")])
def test_log_execution_time_logs_seconds(caught, decorator):
    @decorator
    def nothing():
        return None

    nothing()
    assert "Function 'nothing' executed in 0.0" in caught[0]


def test_an_exception_passes_through_the_decorators(caught):
    @log_execution
    def fail():
        raise KeyError("x")

    with pytest.raises(KeyError, match="x"):
        fail()
    assert len(caught) == 1


@pytest.mark.parametrize("form", ["text", "json"])
def test_a_message_moves_no_terminal(stderr, form):
    """What a stranger called something is in it."""
    logging.configure(colors=False, format=form)
    logger.warning("the build \x1b]0;owned\x07\x9b2J\u202e\rcannot be sent\nsecond line\tä")
    printed = stderr.getvalue()
    assert [each for each in printed if not each.isprintable() and each not in "\n\t"] == []
    assert "ä" in (printed if form == "text" else json.loads(printed)["message"])
    assert "second line" in printed
