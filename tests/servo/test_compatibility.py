"""The interface of ServoX, name by name (reference 1.1, 1.9, 2.3, 3.5, appendix A), and the page that says what became of it."""

import importlib
import re
import subprocess
import sys
from pathlib import Path

import pytest

import servo

PAGE = Path(__file__).parents[2] / "docs" / "servo-compatibility.md"

NAMES = {
    "assembly": "Assembly current_assembly",
    "checks": """BaseChecks Check CheckFilter CheckHandler CheckHandlerResult ErrorSeverity check multicheck require
        warn""",
    "configuration": """AbstractBaseConfiguration AppdynamicsOptimizer BaseConfiguration BaseServoConfiguration
        CommonConfiguration OpsaniOptimizer OptimizerTypes""",
    "connector": "BaseConnector current_connector metadata",
    "errors": """AdjustmentFailedError AdjustmentRejectedError BaseError ConnectorError ConnectorNotFoundError
        EventAbortedError EventCancelledError EventError EventHandlersNotFoundError MeasurementFailedError ServoError
        UnexpectedCommandIdError UnexpectedEventError""",
    "events": """Event EventHandler EventResult Preposition after_event before_event create_event current_event event
        event_handler on_event""",
    "logging": "ProgressHandler log_execution log_execution_time logger reset_to_defaults set_level",
    "servo": "Events Servo current_command_uid current_servo",
    "types.api": "Adjustment Component Control Description Measurement UserData",
    "types.core": """AbstractOutputFormat BaseModel BaseModelConfig BaseProgress CONFIGMAP_FORMAT DEFAULT_JSON_ENCODERS
        DICT_FORMAT DataPoint Duration DurationDescriptor DurationProgress ErrorSeverity EventProgress Futuristic
        HTML_FORMAT HTTP_METHODS HumanReadable JSON_FORMAT License MARKDOWN_FORMAT Maturity Metric NoneCallable Numeric
        OpsaniRepr Reading Readings TEXT_FORMAT TimeSeries Unit Version YAML_FORMAT isfuturistic""",
    "types.settings": """CPU EnumSetting EnvironmentEnumSetting EnvironmentRangeSetting EnvironmentSetting
        EnvironmentSettingList InstanceType InstanceTypeUnits Memory NumericType RangeSetting Replicas Setting
        find_setting""",
    "types.slo": "SloCondition SloInput SloKeep TriggerConstraints",
    "utilities": """OutputStreamCallback PreservedScalarString SubprocessResult Timeout check_status_to_str commandify
        dump_container extra get_hash join_to_series microseconds_from_duration_str parse_csv parse_id parse_re
        run_subprocess_exec run_subprocess_shell stream_subprocess_exec stream_subprocess_output
        stream_subprocess_shell timedelta_from_duration_str timedelta_to_duration_str value_for_key_path
        values_for_keys""",
}
"""What is reachable at the top, by the module that it is from."""

NEW = {"CheckError", "ConfigurationError", "EventContext", "__cryptonym__", "__version__"}

DROPPED = [
    "Aggregator",
    "BaseSubscription",
    "Callback",
    "Channel",
    "Exchange",
    "Filter",
    "Message",
    "Metadata",
    "Mixin",
    "NormalizationPolicy",
    "Publisher",
    "Splitter",
    "Subscriber",
    "Subscription",
    "Transformer",
    "append_pydantic_validator",
    "prepend_pydantic_validator",
]

SUBMODULES = [
    "api",
    "assembly",
    "checks",
    "cli",
    "configuration",
    "connector",
    "connectors",
    "errors",
    "events",
    "fast_fail",
    "logging",
    "repeating",
    "runner",
    "servo",
    "telemetry",
    "types",
    "utilities",
]
SUBMODULES_GONE = ["pubsub", "entry_points", "types.kubernetes", "utilities.inspect"]

MEMBERS = {
    "servo.servo:Servo": """add_connector all_connectors check_servo connect connectors_named current disconnect
        get_connector is_running load_connectors post_event progress_request remove_connector report_progress shutdown
        startup top_level_schema top_level_schema_json try_connect watch_connection_file""",
    "servo.assembly:Assembly": """add_servo all_connector_types assemble dispatch_event remove_servo shutdown startup""",
    "servo.runner:ServoRunner": """adjust clear_progress_queue config connected describe exec_command measure optimizer run
        run_main_loop running shutdown""",
    "servo.runner:AssemblyRunner": "run runners running shutdown shutting_down",
    "servo.connector:BaseConnector": """add_event_handler cancel_repeating_task cancel_repeating_tasks config_model current
        dispatch_event get_event_handlers logger optimizer repeating_tasks responds_to_event run_event_handlers
        start_repeating_task summary version_summary _get_association _set_association""",
    "servo.connector:ConnectorLoader": "iter_entry_points load",
    "servo.configuration:AbstractBaseConfiguration": """copy dict generate json json_encoders logger parse_file parse_obj
        schema yaml""",
    "servo.checks:BaseChecks": "run run_all run_one",
    "servo.telemetry:Telemetry": "remove values",
    "servo.connectors.prometheus:Client": "check_is_metric_absent list_targets query query_range send_request url",
    "servo.connectors.prometheus:QueryData": "is_value is_vector",
    "servo.connectors.prometheus:TargetsResponse": "active dropped raise_for_error",
    "servo.connectors.prometheus:MetricResponse": "raise_for_error results",
    "servo.connectors.prometheus:ActiveTarget": "is_healthy",
    "servo.connectors.prometheus:RangeQuery": "params url",
    "servo.connectors.opsani_dev:OpsaniDevConfiguration": "generate_kubernetes_config generate_prometheus_config",
    "servo.connectors.kubernetes_helpers:DeploymentHelper": """get_latest_pods get_restart_count inject_sidecar is_ready patch
        raise_for_status read wait_until_deleted wait_until_ready watch_args""",
    "servo.connectors.kubernetes_helpers:ServiceHelper": "find_port patch read",
    "servo.events:EventContext": "current from_str is_after is_before is_on operation",
}

MODULE_NAMES = {
    "servo.api": """CommandResponse Commands Events MeasureParams OptimizerStatuses Reasons Request ServoStatuses
        SleepResponse Status adjustments_to_descriptor descriptor_to_adjustments get_api_client_for_optimizer
        is_fatal_status_code redacted_to_curl user_agent""",
    "servo.checks": "CheckError create_checks_from_iterable",
    "servo.cli": """CLI Command ConnectorCLI Context Group LogLevel OrderedGroup Section ServoCLI print_table run_async
        timeago""",
    "servo.configuration": """BackoffConfigurations BackoffSettings ChecksConfiguration FastFailConfiguration Timeouts""",
    "servo.connector": "ConnectorLoader License Maturity Version",
    "servo.connectors.prometheus": """AbsentMetricPolicy ActiveTarget BaseResponse Client DroppedTarget Error InstantQuery
        InstantVector MetricResponse PrometheusChecks PrometheusConfiguration PrometheusConnector PrometheusMetric QueryData
        RangeQuery RangeVector ResultType TargetsRequest TargetsResponse TargetsStateFilter""",
    "servo.connectors.kubernetes_helpers": """ContainerHelper DeploymentHelper NamespaceHelper PodHelper ReplicasetHelper
        ServiceHelper StatefulSetHelper dict_to_selector dns_labelize dns_subdomainify find_container get_containers""",
    "servo.connectors.opsani_dev": """ENVOY_SIDECAR_DEFAULT_PORT OpsaniDevChecks OpsaniDevConfiguration OpsaniDevConnector
        PROMETHEUS_SIDECAR_BASE_URL""",
    "servo.connectors.vegeta": """TargetFormat VegetaChecks VegetaConfiguration VegetaConnector VegetaReport""",
    "servo.events": "EventContext get_event get_events validate_event_contexts",
    "servo.fast_fail": "FastFailConfiguration FastFailObserver",
    "servo.logging": "set_colors",
    "servo.repeating": "Every Mixin repeating",
    "servo.utilities.associations": "Associative Mixin",
}

VARIABLES = [
    "APPD_BASE_URL",
    "APPD_CLIENT_ID",
    "APPD_CLIENT_SECRET",
    "APPD_CONNECTION_FILE",
    "APPD_OPTIMIZER_ID",
    "APPD_TENANT_ID",
    "APPD_TOKEN",
    "APPD_TOKEN_URL",
    "APPD_URL",
    "HTTPS_PROXY",
    "HTTP_PROXY",
    "KUBECONFIG",
    "KUBERNETES_SERVICE_HOST",
    "NO_COLOR",
    "NO_PROXY",
    "OPSANI_BASE_URL",
    "OPSANI_OPTIMIZER",
    "OPSANI_TOKEN",
    "OPSANI_TOKEN_FILE",
    "OPSANI_URL",
    "POD_NAME",
    "POD_NAMESPACE",
    "SERVO_BANNER_COLOR",
    "SERVO_BANNER_FONT",
    "SERVO_CHECKS",
    "SERVO_CONFIG_FILE",
    "SERVO_CONNECTORS",
    "SERVO_DESCRIPTION",
    "SERVO_ENV",
    "SERVO_LOG_LEVEL",
    "SERVO_NAME",
    "SERVO_NO_COLOR",
    "SERVO_NO_DIAGNOSTICS",
    "SERVO_OPTIMIZER",
    "SERVO_RUN_CHECK",
    "SERVO_RUN_DEBUG",
    "SERVO_SETTINGS",
    "SERVO_UID",
]

VERDICTS = ("kept", "fixed", "changed", "dropped", "new", "accepted", "issue Kubernetes")


def pairs(names_by_owner):
    return [(owner, name) for owner, names in names_by_owner.items() for name in names.split()]


@pytest.fixture(scope="module")
def page():
    return PAGE.read_text()


@pytest.fixture(scope="module")
def rows(page):
    """The cells of each row of each table, heads apart."""
    lines = [line for line in page.splitlines() if line.startswith("| ")]
    cells = [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]
    heads = {"", "means"}
    rules = {"-", " "}
    return [
        row
        for row in cells
        if not (set(row[0]) <= rules or row[1].strip("| ") in heads or row[0].startswith("**"))
    ]


@pytest.mark.parametrize(("module", "name"), pairs(NAMES))
def test_a_kept_name_is_at_the_top_and_in_its_module(module, name):
    assert getattr(servo, name) is getattr(importlib.import_module(f"servo.{module}"), name)
    assert name in servo.__all__


def test_there_are_no_other_names_at_the_top():
    """Whoever adds one adds it here, and to the page."""
    assert set(servo.__all__) == {name for _, name in pairs(NAMES)} | NEW


@pytest.mark.parametrize("name", sorted(NEW))
def test_a_new_name_is_told(page, name):
    assert f"`{name}`" in page or f"`servo.{name}`" in page


@pytest.mark.parametrize("name", DROPPED)
def test_a_dropped_name_is_gone_and_told(rows, name):
    assert not hasattr(servo, name)
    assert any(f"`{name}`" in " ".join(row) and "dropped" in row[1] for row in rows)


@pytest.mark.parametrize("name", SUBMODULES)
def test_a_submodule_is_an_attribute_without_being_imported_first(name):
    program = f"import servo; print(servo.{name}.__name__)"
    found = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == f"servo.{name}"


@pytest.mark.parametrize("name", SUBMODULES_GONE)
def test_a_submodule_that_is_gone_is_told(page, name):
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module(f"servo.{name}")
    assert f"`servo.{name}`" in page


@pytest.mark.parametrize(("module", "name"), pairs(MODULE_NAMES))
def test_a_name_below_the_top_is_kept(module, name):
    assert hasattr(importlib.import_module(module), name)


@pytest.mark.parametrize(("owner", "name"), pairs(MEMBERS))
def test_a_member_is_kept(owner, name):
    module, _, cls = owner.partition(":")
    assert hasattr(getattr(importlib.import_module(module), cls), name)


def test_connectors_may_be_imported_before_the_command_line():
    """Reference 1.1: importing a connector before ``servo.cli`` failed."""
    for name in ("kube_metrics", "load", "opsani_dev", "process", "scripts", "wait"):
        program = f"import servo.connectors.{name}, servo.cli"
        subprocess.run([sys.executable, "-W", "error", "-c", program], check=True)


def test_nothing_happens_on_import():
    """Reference 0.2: ``debug`` was put into builtins, log sinks were set up, a file written."""
    program = """
import builtins
before = set(vars(builtins))
import servo
servo.Servo, servo.BaseConnector, servo.Check, servo.EventProgress
from loguru import logger
assert set(vars(builtins)) == before, set(vars(builtins)) - before
assert list(logger._core.handlers) == [0], "only loguru's own sink"
"""
    subprocess.run([sys.executable, "-c", program], check=True)


class TestPage:
    def test_every_row_has_a_verdict(self, rows):
        assert len(rows) > 150
        assert [
            row for row in rows if not any(verdict in row[1].lower() for verdict in map(str.lower, VERDICTS))
        ] == []

    def test_what_is_fixed_says_what_it_does_now(self, rows):
        """A verdict alone would not tell a reader what to expect."""
        bare = {row[0] for row in rows if row[1] in {"changed", "dropped"}}
        assert bare <= {"`builtins.debug`", "`servo.pubsub`", "companion tasks: diagnostics"}

    @pytest.mark.parametrize("name", VARIABLES)
    def test_every_variable_is_told(self, page, name):
        assert f"`{name}`" in page

    def test_every_verdict_is_explained(self, page):
        for verdict in ("kept", "fixed", "changed", "dropped", "issue Kubernetes"):
            assert f"| **{verdict}** |" in page

    def test_names_in_the_page_that_are_said_to_be_kept_exist(self, rows):
        """The rows of the API's vocabulary name what is there, in full."""
        (row,) = [row for row in rows if row[0].startswith("`OptimizerStatuses`")]
        api = importlib.import_module("servo.api")
        assert [name for name in re.findall(r"`(\w+)`", row[0]) if not hasattr(api, name)] == []

    def test_every_command_is_told(self, page):
        """A command that the help lists is on the page."""
        shown = subprocess.run(
            [
                sys.executable,
                "-c",
                "import sys; sys.argv = ['servo', '--help']; from servo.cli import main; main()",
            ],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        commands = re.findall(r"^  ([a-z][a-z-]*) {2,}[A-Z]", shown, re.MULTILINE)
        assert "measure" in commands
        section = page[page.index("## Command line") : page.index("## Wire protocol")]
        assert [command for command in commands if not re.search(rf"`{command}[` ]", section)] == []
