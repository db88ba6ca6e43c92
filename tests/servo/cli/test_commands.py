"""What commands print and refuse, beyond the recordings (reference 2.2)."""

import json

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

TWO = """
name: first
optimizer: {id: example.com/one, token: TOKEN-1}
connectors: {fake: fakeconn.FakeConnector}
fake: {}
---
name: second
optimizer: {id: example.com/two, token: TOKEN-2}
connectors: {other: fakeconn.FakeConnector, more: fakeconn.FakeConnector}
other: {}
more: {}
"""


@pytest.fixture
def one(config):
    return config()


@pytest.fixture
def two(config):
    return config(TWO)


def error_of(result):
    return result.stderr.rstrip("\n").splitlines()[-1]


@pytest.mark.parametrize(
    "command",
    [
        "list",
        "describe",
        "measure",
        "adjust web.cpu=1",
        "check",
        "config",
        "schema",
        "run",
        "show metrics",
        "show events",
    ],
)
def test_without_a_file_the_place_and_the_remedy_are_told(servo, command, tmp_path):
    result = servo(*command.split())
    assert result.exit_code == 2
    assert result.stdout == ""
    assert error_of(result) == (
        f"Error: Config file '{tmp_path}/servo.yaml' does not exist: "
        "write one with 'servo generate', or name another with --config-file"
    )


def test_the_file_can_be_named_by_option_and_variable(servo, config, tmp_path):
    config(name="other.yaml")
    assert servo("-c", "other.yaml", "list").exit_code == 0
    assert servo("list", env={"SERVO_CONFIG_FILE": str(tmp_path / "other.yaml")}).exit_code == 0
    assert servo("show", "-c", "other.yaml", "metrics").exit_code == 0


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("optimizer: [", "servo.yaml:"),
        ("optimizer: {id: example.com/app, token: T}\nunknown: 1\n", "servo.yaml:2:"),
        ("optimizer: {id: example.com/app, token: T}\nconnectors: [nobody]\n", "servo.yaml:2:"),
    ],
)
def test_a_wrong_configuration_is_one_message_with_its_place_and_no_traceback(servo, config, text, place):
    """Reference 2.1 B: problems of the configuration were raw tracebacks."""
    config(text)
    result = servo("list")
    assert result.exit_code == 2
    assert error_of(result).startswith("Error: ")
    assert place in error_of(result)
    assert result.exception is None or isinstance(result.exception, SystemExit)


def test_a_directory_is_no_configuration(servo, tmp_path):
    result = servo("-c", str(tmp_path), "list")
    assert result.exit_code == 2
    assert (
        error_of(result) == f"Error: Config file '{tmp_path}' is a directory: name a file with --config-file"
    )


def test_a_log_file_that_cannot_be_written_is_a_usage_error(servo, one, tmp_path):
    result = servo("--log-file", str(tmp_path), "list")
    assert result.exit_code == 2
    assert error_of(result).startswith(f"Error: cannot write the log file '{tmp_path}': ")


def test_the_log_can_go_to_a_file_as_well(servo, one, tmp_path):
    assert servo("--log-file", "servo.log", "measure").exit_code == 0
    assert "fake[measure] - measuring" in (tmp_path / "servo.log").read_text()


def test_list_selects_by_name(servo, two):
    assert [line.split()[0] for line in servo("list").stdout.splitlines()[1:]] == ["first", "second"]
    assert "second" not in servo("-n", "first", "list").stdout
    assert "first" not in servo("list", env={"SERVO_NAME": "second"}).stdout


def test_an_unknown_name_is_a_usage_error(servo, two):
    result = servo("-n", "third", "list")
    assert result.exit_code == 2
    assert error_of(result) == (
        "Error: Invalid value: No servo was found named \"third\" (there are: 'first', 'second')"
    )


@pytest.mark.parametrize(
    "command", ["describe", "measure", "show metrics", "show components", "show connectors"]
)
def test_several_servos_are_told_apart_by_their_names(servo, two, command):
    lines = servo(*command.split()).stdout.splitlines()
    assert lines[0] == "first"
    assert "second" in lines
    assert len([line for line in lines if line == lines[1]]) == 2, "each has a table with headers"


def test_the_log_of_several_servos_names_the_optimizer(servo, two):
    """Reference 6.2: this prefix never appeared."""
    log = servo("measure").stderr
    assert "| example.com/one(fake[measure]) - measuring" in log
    assert "| example.com/two(other[measure]) - measuring" in log


def test_show_takes_the_global_options_again(servo, two):
    result = servo("show", "--name", "second", "-l", "ERROR", "--no-color", "connectors")
    assert "more" in result.stdout
    assert "fake" not in result.stdout


@pytest.mark.parametrize(
    "command", ["list", "describe", "measure", "show metrics", "show components", "show events"]
)
def test_output_for_programs_is_json(servo, two, command):
    one = json.loads(servo("-n", "first", *command.split(), "--output", "json").stdout)
    assert isinstance(one, list)
    both = json.loads(servo(*command.split(), "--output", "json").stdout)
    assert len(both) == 2


def test_json_of_describe_and_measure(servo, one):
    (described,) = json.loads(servo("describe", "--output", "json").stdout)
    assert described["connector"] == "fake"
    assert described["components"][0] == "web.cpu=2.0"
    readings = json.loads(servo("measure", "--output", "json").stdout)
    assert {
        "metric": "latency",
        "unit": "ms",
        "time": "2024-01-01T00:00:00+00:00",
        "value": 30.0,
        "connector": "fake",
    } in readings


def test_an_unknown_output_is_a_usage_error(servo, one):
    result = servo("list", "--output", "xml")
    assert result.exit_code == 2
    assert error_of(result).endswith("'xml' is not one of table, json")


@pytest.mark.parametrize("command", ["describe nobody", "measure -c nobody", "check nobody"])
def test_an_unknown_connector_is_a_usage_error_that_names_the_known(servo, one, command):
    result = servo(*command.split())
    assert result.exit_code == 2
    assert "no connector found named 'nobody' (there are: example.com/app, fake)" in error_of(result)


def test_an_unknown_metric_is_a_usage_error_that_names_the_known(servo, one):
    result = servo("measure", "bogus")
    assert result.exit_code == 2
    assert (
        error_of(result)
        == "Error: Invalid value: no metric found named 'bogus' (there are: latency, throughput)"
    )


def test_metrics_are_chosen_without_selecting_a_servo(servo, two):
    """Reference 6.2: the metrics argument required a selected servo."""
    assert servo("measure", "latency").exit_code == 0


@pytest.mark.parametrize("duration", ["5", "soon", "3 lightyears", "-5s"])
def test_a_bad_duration_is_a_usage_error(servo, one, duration):
    result = servo("measure", "-d", duration)
    assert result.exit_code == 2
    assert "write a number and a unit, such as 30s or 5m" in error_of(result)
    assert "pydantic" not in result.stderr


def test_times_of_readings_can_be_time_stamps(servo, one):
    assert "1.50 (2024-01-01 00:00:00+00:00)" in servo("measure", "--no-humanize").stdout


def test_readings_of_several_connectors_are_attributed(servo, two):
    table = servo("-n", "second", "measure").stdout
    assert "[more]" in table
    assert "[other]" in table
    assert "[other]" not in servo("-n", "second", "measure", "-c", "more").stdout


@pytest.mark.parametrize("text", ["web=3", "web.cpu", "=3", "web.cpu=", ".cpu=3", "web.=3", ""])
def test_a_malformed_setting_is_a_usage_error(servo, one, text):
    result = servo("adjust", text)
    assert result.exit_code == 2
    assert error_of(result) == (
        f"Error: Invalid value: unable to parse setting descriptor '{text}': "
        "expected format is `component.setting=value`"
    )


@pytest.mark.parametrize(
    ("command", "event", "kind"),
    [
        ("describe", "describe", "Description"),
        ("measure", "measure", "Measurement"),
        ("adjust web.cpu=1", "adjust", "Description"),
        ("show metrics", "metrics", "list"),
        ("show components", "components", "list"),
    ],
)
def test_an_answer_of_the_wrong_type_is_one_message_that_names_the_connector(
    servo, one, monkeypatch, command, event, kind
):
    import fakeconn

    async def wrong(*_, **__):
        return 42

    handler = fakeconn.FakeConnector.get_event_handlers(event)[0]
    monkeypatch.setattr(handler, "handler", wrong)
    result = servo(*command.split())
    assert result.exit_code == 1
    assert error_of(result) == f"Error: the connector 'fake' answered {event} with int, not with {kind}"


def test_adjusting_nothing_is_a_usage_error(servo, one):
    assert servo("adjust").exit_code == 2


def test_a_component_may_have_dots_in_its_name(servo):
    from servo.cli.operations import parse_adjustment

    adjustment = parse_adjustment("web/app.v2.cpu=a=b")
    assert (adjustment.component_name, adjustment.setting_name, adjustment.value) == (
        "web/app.v2",
        "cpu",
        "a=b",
    )


WORD = st.text(st.characters(exclude_characters=".=", exclude_categories=["Cs"]), min_size=1)


@given(
    component=st.lists(WORD, min_size=1, max_size=3).map(".".join), setting=WORD, value=st.text(min_size=1)
)
def test_every_adjustment_is_read_as_it_is_written(component, setting, value):
    from servo.cli.operations import parse_adjustment

    adjustment = parse_adjustment(f"{component}.{setting}={value}")
    assert (adjustment.component_name, adjustment.setting_name, adjustment.value) == (
        component,
        setting,
        value,
    )


@given(
    st.recursive(
        st.integers(), lambda inner: st.dictionaries(WORD, inner, min_size=1, max_size=3), max_leaves=12
    )
)
def test_all_keys_of_config_together_are_the_whole(values):
    from servo.cli.configuration import _flat, select

    assume(isinstance(values, dict))
    assert select(values, [key for key, _ in _flat(values, ())]) == values


def test_an_adjustment_that_nobody_handles_fails(servo, config):
    config("optimizer: {id: example.com/app, token: T}\nconnectors: [wait]\nwait: {measure_enabled: false}\n")
    result = servo("adjust", "web.cpu=1")
    assert result.exit_code == 1
    assert error_of(result) == "Error: adjustment failed: no connector handled the request"


def test_a_failed_adjustment_is_a_message(servo, one):
    result = servo("adjust", "web.cpu=4.0")
    assert (result.exit_code, error_of(result)) == (1, "Error: could not apply")


def test_a_defect_of_a_connector_keeps_its_traceback(servo, one):
    result = servo("adjust", "web.cpu=3.5")
    assert result.exit_code == 1
    assert isinstance(result.exception, ExceptionGroup)


@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        ([], ["before", "on", "after"]),
        (["before"], ["before"]),
        (["after", "before"], ["before", "after"]),
        (["no-on"], ["before", "after"]),
        (["on", "no-before"], ["on"]),
    ],
)
def test_flags_of_show_events(flags, expected):
    from servo.cli.show import chosen_prepositions

    given = dict.fromkeys(("before", "on", "after"))
    given |= {flag.removeprefix("no-"): not flag.startswith("no-") for flag in flags}
    assert chosen_prepositions(**given) == expected


def test_events_of_handlers_that_a_configuration_adds_are_shown(servo, config):
    config(
        "optimizer: {id: example.com/app, token: T}\nconnectors: [scripts, wait]\n"
        "wait: {measure_enabled: false}\nscripts: {before: {measure: ['true']}, after: {adjust: ['true']}}\n"
    )
    lines = [line.split() for line in servo("show", "events").stdout.splitlines()]
    assert ["before", "measure", "Scripts"] in lines
    assert ["after", "adjust", "Scripts"] in lines


def test_config_masks_secrets_whatever_the_format(servo, one):
    """Reference 6.1 #10: the token was printed in clear."""
    for form in ("yaml", "json", "dict", "text", "configmap"):
        result = servo("config", "-f", form)
        assert result.exit_code == 0, form
        assert "00000000" not in result.output, form
    assert "00000000" in servo("config", "--show-secrets").stdout


def test_dotted_keys_of_config_go_down(servo, one):
    """Reference 2.2: dotted keys gave nothing."""
    result = servo("config", "optimizer.id", "connectors", "-f", "json")
    assert json.loads(result.stdout) == {
        "optimizer": {"id": "example.com/app"},
        "connectors": {"fake": "fakeconn.FakeConnector"},
    }


@pytest.mark.parametrize("key", ["bogus", "optimizer.bogus", "optimizer.id.deeper"])
def test_a_key_of_config_that_is_not_there_is_a_usage_error(servo, one, key):
    result = servo("config", key)
    assert result.exit_code == 2
    assert f"nothing is configured at '{key}'" in error_of(result)


def test_config_as_text_is_a_line_per_value(servo, one):
    """Reference 6.3: `config -f text` printed nothing."""
    assert "optimizer.id: example.com/app" in servo("config", "-f", "text").stdout.splitlines()


def test_config_as_configmap_holds_no_optimizer(servo, one):
    import yaml

    text = servo("config", "-f", "configmap").stdout
    assert text.startswith("---\n")
    document = yaml.safe_load(text)
    assert (document["apiVersion"], document["kind"]) == ("v1", "ConfigMap")
    assert document["metadata"]["name"] == "opsani-servo-config"
    assert document["metadata"]["labels"]["app.kubernetes.io/name"] == "servo"
    assert json.loads(document["metadata"]["annotations"]["servo.opsani.com/connectors"]) == [
        {"name": "fake", "type": "FakeConnector", "description": "A connector that answers", "version": "1.0.0", "url": None}
    ]  # fmt: skip
    assert yaml.safe_load(document["data"]["servo.yaml"]) == {
        "connectors": {"fake": "fakeconn.FakeConnector"},
        "fake": {},
    }
    assert "  servo.yaml: |\n" in text


def test_a_file_with_secrets_is_private(servo, one, tmp_path):
    file = tmp_path / "out.yaml"
    file.write_text("x")
    file.chmod(0o644)
    assert servo("config", "--show-secrets", "-o", "out.yaml").exit_code == 0
    assert file.stat().st_mode & 0o777 == 0o600
    assert "00000000" in file.read_text()


def test_what_cannot_be_written_is_a_message(servo, one, tmp_path):
    result = servo("config", "-o", str(tmp_path / "no" / "such" / "place"))
    assert result.exit_code == 1
    assert error_of(result).startswith("Error: cannot write ")


def test_config_of_several_servos_can_be_read_back(servo, two):
    import yaml

    assert [it["name"] for it in yaml.safe_load_all(servo("config").stdout)] == ["first", "second"]
    assert [it["name"] for it in json.loads(servo("config", "-f", "json").stdout)] == ["first", "second"]


def test_an_unknown_format_is_a_usage_error(servo, one):
    assert servo("config", "-f", "toml").exit_code == 2
    assert servo("schema", "-f", "toml").exit_code == 2
    assert servo("version", "-f", "toml").exit_code == 2


@pytest.mark.parametrize(
    ("form", "sign"), [("text", "measure_enabled: boolean, required"), ("html", "<!doctype html>")]
)
def test_schema_for_people(servo, form, sign):
    """Reference 6.3: `schema -f text|html` was not implemented. It needs no configuration."""
    result = servo("schema", "wait", "-f", form)
    assert result.exit_code == 0
    assert sign in result.stdout


def test_schema_of_the_assembled_configuration(servo, one):
    schema = json.loads(servo("schema").stdout)
    assert schema["title"] == "Servo Configuration Schema"
    assert {"optimizer", "fake"} <= set(schema["required"])


def test_schema_of_the_top_level_has_connectors_as_definitions(servo, one):
    schema = json.loads(servo("schema", "--top-level").stdout)
    assert schema["title"] == "Servo Schema"


def test_schema_of_several_servos_needs_a_choice(servo, two):
    result = servo("schema")
    assert result.exit_code == 1
    assert "'first', 'second'" in error_of(result)
    assert servo("-n", "first", "schema").exit_code == 0


@pytest.mark.parametrize("command", ["schema bogus", "version bogus", "generate bogus", "validate bogus"])
def test_an_unknown_identifier_is_a_usage_error(servo, one, command):
    result = servo(*command.split())
    assert result.exit_code == 2
    assert 'no connector found for the identifier "bogus"' in error_of(result)


def test_identifiers_are_never_evaluated(servo, one, tmp_path):
    """Reference 6.1 #9: strings passed through eval."""
    code = "__import__('pathlib').Path('evaluated').touch()"
    assert servo("version", code).exit_code == 2
    assert not (tmp_path / "evaluated").exists()


def test_version_of_a_connector(servo):
    assert servo("version", "wait", "--short").stdout.startswith("Wait")
    assert json.loads(servo("version", "wait", "--short", "-f", "json").stdout).keys() == {
        "name",
        "version",
        "cryptonym",
    }


def test_the_checks_are_a_table_and_an_exit_code(servo, one):
    result = servo("check")
    assert result.exit_code == 1, "nobody listens at the optimizer's address"
    assert result.stdout.splitlines()[0].split() == ["CONNECTOR", "STATUS", "ERRORS"]
    assert "X FAILED" in result.stdout
    verbose = servo("check", "--verbose").stdout.splitlines()
    assert verbose[0].split() == ["CONNECTOR", "CHECK", "ID", "TAGS", "STATUS", "MESSAGE"]
    assert "ffd7e219" in verbose[1]


def test_checks_as_json(servo, one):
    (check,) = json.loads(servo("check", "--output", "json").stdout)
    assert check.items() >= {"name": "Opsani API connectivity", "id": "ffd7e219", "passed": False}.items()


def test_a_severity_that_does_not_exist_is_a_usage_error(servo, one):
    assert servo("check", "--halt-on", "sometimes").exit_code == 2


def test_dry_run_fails_when_checks_do(servo, config):
    config(
        "optimizer: {id: example.com/app, token: T, base_url: 'http://127.0.0.1:9'}\n"
        "connectors: [wait]\nwait: {measure_enabled: false}\nchecks: {wait: '0'}\n"
    )
    result = servo("run", "--dry-run")
    assert result.exit_code == 1
    assert error_of(result).startswith("Error: the servo is not ready")
