"""Each fault of the original that is mended has a test that names it, and a row that tells of it.

The rows of docs/servo-compatibility.md that say "fixed" are the list; here each is tied to its tests, whose docstring cites
the reference. A row without tests, a test without a row, and a test that is gone all fail.
"""

import ast
from functools import cache
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
PAGE = TESTS.parent / "docs" / "servo-compatibility.md"

FIXES = {
    "importing a connector before `servo.cli` failed": [
        "servo/test_compatibility.py::test_connectors_may_be_imported_before_the_command_line",
        "servo/test_exports.py::test_modules_may_be_imported_in_any_order",
    ],
    "`errors`": ["servo/test_exports.py::test_names_that_were_only_in_submodules_are_exported_too"],
    "name of 3 to 128 characters": ["servo/test_connector.py::test_names_that_are_not_say_why"],
    "`eval` of identifiers": [
        "servo/test_routes.py::test_nothing_is_evaluated",
        "servo/cli/test_commands.py::test_identifiers_are_never_evaluated",
    ],
    "`current_assembly` was never set": ["servo/test_runner.py::test_handlers_know_assembly_and_servo"],
    "`add_event_handler`": [
        "servo/test_dispatch.py::test_a_handler_added_to_an_instance_does_not_leak_to_others"
    ],
    "cancelling without `connector=` raised `AttributeError`": [
        "servo/test_dispatch.py::test_cancelling_names_the_connector_though_the_error_does_not",
        "servo/test_errors.py::test_connector_is_taken_from_the_context",
    ],
    "`first=True` without an answer raised `TypeError`": [
        "servo/test_dispatch.py::test_first_without_a_responder_is_none"
    ],
    "`sys.exit()` in a handler ended the process": [
        "servo/test_dispatch.py::test_a_handler_that_exits_has_failed_and_nothing_else_ends",
        "servo/test_runner.py::test_whatever_a_connector_does_is_a_failed_status",
    ],
    "`@repeating` was given the unbound function": [
        "servo/test_repeating.py::test_a_decorated_method_is_repeated_with_its_connector"
    ],
    "placeholders in names of sync checks": [
        "servo/test_checks.py::test_names_are_filled_in_for_synchronous_checks_too"
    ],
    "`check` went to all connectors": [
        "servo/test_readiness.py::test_only_the_selected_connectors_are_asked"
    ],
    "ids collided between connectors": [
        "servo/test_readiness.py::test_equal_ids_of_two_connectors_are_two_checks"
    ],
    "secrets in clear in `yaml()` and JSON": [
        "servo/test_configuration.py::test_secrets_are_masked_unless_asked_for"
    ],
    "errors were tracebacks": [
        "servo/cli/test_commands.py::test_a_wrong_configuration_is_one_message_with_its_place_and_no_traceback"
    ],
    "`SERVO_CONNECTORS` did not choose connectors": [
        "servo/test_servo_yaml.py::test_the_variable_routes_like_the_key"
    ],
    "`FastFailConfiguration` read `PERIOD`, `DISABLED`, ...": [
        "servo/test_configuration.py::test_a_stray_variable_changes_no_fast_fail",
        "servo/test_fast_fail.py::test_no_environment_variable_is_read",
    ],
    "variables filled every servo of several alike": [
        "servo/test_servo_yaml.py::test_among_several_servos_variables_do_not_fill_what_tells_them_apart"
    ],
    "`load_connection_file()` left `url` as it was": [
        "servo/test_optimizer_configuration.py::test_a_reloaded_file_changes_the_addresses_that_follow_from_it"
    ],
    "`settings.backoff.connect` was never consulted": [
        "servo/test_api_client.py::test_connections_have_a_context_of_their_own"
    ],
    "`settings.proxies`, `timeouts`, `ssl_verify`": [
        "servo/test_configuration.py::test_passwords_of_proxies_are_shown_to_nobody_who_does_not_ask"
    ],
    "without `ssl_verify` nothing was verified, without `timeouts` nothing timed out": [
        "servo/test_api_client.py::test_certificates_are_verified_by_default",
        "servo/test_api_client.py::test_every_timeout_is_finite_by_default",
        "servo/test_api_client.py::test_a_silent_server_times_out",
    ],
    "`Assembly.assemble`": ["servo/test_assembly.py::test_the_environment_is_what_is_given"],
    "`Assembly.dispatch_event`, `add_servo`, `remove_servo` failed": [
        "servo/test_assembly.py::test_events_go_to_all_servos",
        "servo/test_runner.py::test_servos_join_and_leave_while_it_runs",
    ],
    "`ServoRunner`": [
        "servo/test_runner_patience.py::test_a_live_loop_is_ended",
        "servo/test_runner_patience.py::test_one_that_has_ended_is_left_alone",
    ],
    "`Duration`": ["servo/test_duration.py::test_negative_format"],
    "`control.delay` was heeded by `wait` alone": [
        "servo/connectors/test_wait.py::test_it_waits_for_warm_up_duration_and_delay",
        "servo/connectors/load/test_connector.py::test_the_delay_is_waited_for_after_the_load",
        "servo/connectors/process/test_connector.py::test_the_delay_is_waited_for_after_the_measurement",
    ],
    "results were kept in one default of all observers": [
        "servo/test_fast_fail.py::test_observers_do_not_share_what_they_saw"
    ],
    "an empty series raised": [
        "servo/test_fast_fail.py::test_empty_series_is_missing",
        "servo/test_fast_fail.py::test_empty_series_beside_another_does_not_count",
    ],
    "`logs/servo.log` beside the package": ["servo/test_logging.py::test_a_file_is_written_only_when_named"],
    "sinks set up on import": [
        "servo/test_logging.py::test_importing_the_module_touches_neither_sinks_nor_files",
        "servo/test_compatibility.py::test_nothing_happens_on_import",
    ],
    "the optimizer's id before a line of several servos never appeared": [
        "servo/test_logging.py::test_the_optimizer_is_named_where_servos_share_the_log",
        "servo/cli/test_commands.py::test_the_log_of_several_servos_names_the_optimizer",
    ],
    "progress from log lines, `ProgressHandler`": [
        "servo/test_runner_patience.py::test_an_error_of_one_servos_progress_leaves_the_others_alone"
    ],
    "`value_for_key_path` broke on the way over a default of None": [
        "servo/test_utilities.py::test_default_none_ends_the_path",
        "servo/test_utilities.py::test_paths_of_any_depth_are_followed",
    ],
    "`scripts`": [
        "servo/connectors/test_scripts.py::test_a_command_on_an_event_with_a_result_contributes_an_empty_one",
        "servo/connectors/test_scripts.py::test_commands_of_one_instance_are_not_those_of_another",
        "servo/connectors/test_scripts.py::test_output_and_exit_code_are_logged_without_escape_sequences",
    ],
    "`--no-color` did not reach `config` and `schema`": [
        "servo/cli/test_colors.py::test_configuration_and_schema_are_not_highlighted"
    ],
    "`--help` needed a configuration": [
        "servo/cli/test_help.py::test_every_command_explains_itself_without_a_configuration"
    ],
    "uncaught errors of the configuration or a connector": [
        "servo/cli/test_recordings.py::test_an_adjustment_that_is_rejected_is_a_message_and_no_traceback"
    ],
    "`run` ignored `--name`": ["integration/test_servo_process.py::test_only_the_named_servo_runs"],
    "`run` ended by SIGINT or SIGTERM with exit 1 and a traceback": [
        "servo/test_runner.py::test_an_orderly_end_says_goodbye_with_the_reason_and_returns_zero",
        "integration/test_servo_process.py::test_a_signal_while_asleep_says_goodbye_and_exits_with_zero",
        "integration/test_servo_faults.py::test_a_signal_while_asleep_is_an_orderly_end",
    ],
    "`measure METRICS` wanted one servo selected": [
        "servo/cli/test_commands.py::test_metrics_are_chosen_without_selecting_a_servo"
    ],
    "`config`": [
        "servo/cli/test_commands.py::test_config_masks_secrets_whatever_the_format",
        "servo/cli/test_commands.py::test_config_as_text_is_a_line_per_value",
        "servo/cli/test_commands.py::test_dotted_keys_of_config_go_down",
    ],
    "`schema`": ["servo/cli/test_commands.py::test_schema_for_people"],
    "`list`, `connectors`, `show connectors`, `show components`, `show events`, `show metrics`, `version`": [
        "servo/cli/test_recordings.py::test_connectors_have_the_columns_of_the_original_and_are_sorted"
    ],
    "an invalid MEASURE was never answered": [
        "servo/test_runner.py::test_a_malformed_command_is_answered_as_far_as_it_is_clear"
    ],
    "DESCRIBE with a null parameter, SLEEP without `data` crashed": [
        "servo/test_runner.py::test_describe_without_parameter_and_sleep_without_data_work",
        "servo/test_api_messages.py::test_sleep_needs_neither_duration_nor_data",
        "servo/test_api_messages.py::test_describe_may_have_no_parameter",
    ],
    "an answer that is no command crashed": [
        "servo/test_runner.py::test_what_is_no_command_is_followed_by_a_pause"
    ],
    "several series of a metric overwrote each other, ids were replaced": [
        "servo/test_measurement.py::test_all_series_of_a_metric_are_sent",
        "servo/test_measurement.py::test_ids_are_real",
    ],
    "several points of a metric overwrote each other": [
        "servo/test_measurement.py::test_several_of_a_metric_are_a_series"
    ],
    "times were naive local times": ["servo/test_measurement.py::test_of_any_zone_are_sent_right"],
    "`other_messages` was never filled": [
        "servo/test_api_messages.py::test_errors_of_lower_priority_are_other_messages"
    ],
    '`cancel`, `unexpected-event`, "unexpected cmd_uid", 410 crashed the process': [
        "servo/test_runner.py::test_a_command_is_given_up_and_the_servo_starts_over"
    ],
    '410 with "unexpected servo_uid" slept an hour, in checks too': [
        "servo/test_runner.py::test_a_check_does_not_wait_for_an_hour"
    ],
    "401 and the like in the loop were tried without a pause": [
        "servo/test_runner.py::test_errors_that_are_not_retried_do_not_spin"
    ],
    "a handler that hangs held up the servo for ever, unanswered": [
        "servo/test_runner_patience.py::test_the_status_names_who_had_not_answered"
    ],
    "an optimizer could not cancel a command whose connectors report no progress": [
        "servo/test_runner_patience.py::test_a_silent_command_can_be_cancelled"
    ],
    "any other error of a connector ended the process, unanswered": [
        "servo/test_runner.py::test_whatever_a_connector_does_is_a_failed_status"
    ],
    "`permissions`": [
        "servo/connectors/kubernetes/test_checks.py::test_each_permission_that_is_missing_is_named",
    ],
    "only the first container was adjusted, a canary had exactly one": [
        "servo/connectors/kubernetes/test_rolling.py::test_everything_at_once_arrives_and_is_described",
        "servo/connectors/kubernetes/test_configuration.py::test_further_containers_of_a_tuning_pod_are_named_after_its_alias",
    ],
    "a variable was read by its setting's name and written by its `literal`": [
        "servo/connectors/kubernetes/test_changes.py::test_variables_are_written_by_their_own_name_and_type",
    ],
    "every target was patched, and every tuning pod made anew, by each adjustment": [
        "servo/connectors/kubernetes/test_canary.py::test_a_limit_without_a_request_restarts_nothing",
    ],
    "failures of stateful sets could not be classified": [
        "servo/connectors/kubernetes/test_faults.py::test_a_stateful_set_that_is_not_ready_is_told_by_its_pods",
        "servo/connectors/kubernetes/test_rolling.py::test_a_stateful_set_is_adjusted_and_its_failures_are_told",
    ],
    "each target's `on_failure` was carried out when one failed": [
        "servo/connectors/kubernetes/test_rolling.py::test_of_two_targets_neither_is_changed_if_one_fails",
    ],
    "containers that had been started again before the adjustment made it `unstable`": [
        "servo/connectors/kubernetes/test_faults.py::test_restarts_of_before_are_forgiven_and_new_ones_are_not",
    ],
    "`prometheus`": [
        "servo/connectors/prometheus/test_connector.py::test_a_metric_that_must_not_be_absent_fails_the_measurement",
        "servo/connectors/prometheus/test_connector.py::test_names_of_others_only_are_theirs_to_measure",
        "servo/connectors/prometheus/test_messages.py::test_targets_active_and_dropped",
        "servo/connectors/prometheus/test_connector.py::test_it_asks_when_warm_up_duration_and_delay_are_over",
    ],
    "`vegeta`": [
        "servo/connectors/vegeta/test_connector.py::test_targets_are_no_business_of_a_shell",
        "servo/connectors/vegeta/test_connector.py::test_a_vegeta_that_fails_fails_the_measurement",
    ],
    "the generated section of Prometheus ignored `prometheus_base_url`": [
        "servo/connectors/kubernetes/opsani_dev/test_configuration.py::test_metrics_come_from_the_prometheus_that_is_configured",
    ],
    "of the metrics of traffic only the first was checked": [
        "servo/connectors/kubernetes/opsani_dev/test_checks.py::test_requests_of_the_deployment_alone_are_not_enough",
    ],
    "remedies were `kubectl` and `servo` in a shell": [
        "servo/connectors/kubernetes/opsani_dev/test_checks.py::test_what_the_deployment_lacks_is_named_with_a_command_and_a_remedy",
    ],
    "the service was led to the proxies though pods had none yet": [
        "servo/connectors/kubernetes/opsani_dev/test_sidecar.py::test_a_service_leads_to_proxies_only_when_all_pods_have_one_and_back_by_the_name_it_had",
    ],
    "`inject-sidecar`, `eject-sidecar` (the latter was broken)": [
        "servo/connectors/kubernetes/opsani_dev/test_sidecar.py::test_it_is_taken_out_and_the_service_leads_where_it_led",
    ],
    "`vegeta attack` (which did nothing)": [
        "servo/cli/test_measuring_commands.py::test_an_attack_without_vegeta_says_so",
    ],
}
"""Of each row that says "fixed", by its first cell, the tests that name what the original did."""


@cache
def docstrings(file):
    nodes = ast.walk(ast.parse((TESTS / file).read_text()))
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return {node.name: ast.get_docstring(node) or "" for node in nodes if isinstance(node, kinds)}


def test_every_row_that_says_fixed_has_its_tests():
    rows = [
        line.strip("|").split(" | ", 1) for line in PAGE.read_text().splitlines() if line.startswith("| ")
    ]
    fixed = {
        row[0].strip() for row in rows if "fixed" in row[1].lower() and not row[0].strip().startswith("**")
    }
    assert fixed == set(FIXES)


@pytest.mark.parametrize("test", [test for tests in FIXES.values() for test in tests])
def test_the_test_of_a_fix_is_there_and_says_what_was_wrong(test):
    file, _, name = test.partition("::")
    assert docstrings(file)[name].startswith("Reference "), (
        "say where the reference tells of the fault, and which"
    )
