"""Messages have the form of the wire."""

from __future__ import annotations

import json

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from servo.api import (
    CommandResponse,
    Commands,
    Events,
    MalformedCommandError,
    Request,
    ServoStatuses,
    SleepResponse,
    Status,
    adjustments_to_descriptor,
    descriptor_to_adjustments,
    parse_command,
    redacted_to_curl,
    token_headers,
)
from servo.errors import (
    AdjustmentFailedError,
    AdjustmentRejectedError,
    EventAbortedError,
    EventCancelledError,
    EventError,
    MeasurementFailedError,
    ServoError,
)
from servo.types.api import Adjustment
from servo.types.core import Duration

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


class TestStatuses:
    @pytest.mark.parametrize(
        ("error", "status"),
        [
            (AdjustmentRejectedError("x"), "rejected"),
            (EventAbortedError("x"), "aborted"),
            (EventCancelledError("x"), "cancelled"),
            (AdjustmentFailedError("x"), "failed"),
            (MeasurementFailedError("x"), "failed"),
            (EventError("x"), "failed"),
            (ValueError("x"), "failed"),
        ],
    )
    def test_errors_stand_for_statuses(self, error, status):
        assert ServoStatuses.from_error(error) == status

    def test_success_keeps_null_and_leaves_out_what_was_not_set(self):
        status = Status.ok(descriptor={"application": {}}, command_uid="u1")
        assert status.dict() == {
            "status": "ok",
            "message": None,
            "reason": "success",
            "descriptor": {"application": {}},
            "cmd_uid": "u1",
        }
        assert json.loads(status.json()) == status.dict()

    def test_failure_has_the_text_and_reason_of_the_error(self):
        error = AdjustmentRejectedError("no node fits", reason="unschedulable")
        assert Status.from_error(error, command_uid=None).dict() == {
            "status": "rejected",
            "message": "no node fits",
            "reason": "unschedulable",
            "cmd_uid": None,
        }

    def test_errors_of_lower_priority_are_other_messages(self):
        """Reference 3.4: other_messages was never filled."""
        group = ExceptionGroup(
            "", [AdjustmentFailedError("one"), AdjustmentRejectedError("two"), ValueError()]
        )
        status = Status.from_error(ServoError.servo_error_from_group(group))
        assert (status.status, status.message) == ("rejected", "two")
        assert status.other_messages == ["one", "ValueError"]

    def test_a_message_is_bounded(self):
        assert len(Status.from_error(ValueError("x" * 1_000_000)).message) <= 16 * 1024


class TestCommands:
    @pytest.mark.parametrize("metrics", [["thr", "lat"], {"thr": {"unit": "rps"}, "lat": {"unit": "ms"}}])
    def test_metrics_are_names_or_a_map_whose_keys_count(self, metrics):
        command = parse_command(
            {"cmd": "MEASURE", "cmd_uid": "u", "param": {"metrics": metrics, "control": {"duration": 60}}}
        )
        assert command.command is Commands.measure
        assert command.command_uid == "u"
        assert command.param.metrics == ["thr", "lat"]
        assert command.param.control.duration == Duration("1m")

    @pytest.mark.parametrize(
        ("param", "duration", "data"),
        [
            (None, "2m", None),
            ({}, "2m", None),
            ({"duration": "30s", "data": {"reason": "x"}}, "30s", {"reason": "x"}),
        ],
    )
    def test_sleep_needs_neither_duration_nor_data(self, param, duration, data):
        """Reference 6.1 #4: SLEEP without data crashed the process."""
        param = parse_command({"cmd": "SLEEP", "param": param}).param
        assert isinstance(param, SleepResponse)
        assert (str(param.duration), param.data) == (duration, data)

    def test_describe_may_have_no_parameter(self):
        """Reference 6.1 #4: DESCRIBE with a null param crashed the process."""
        assert parse_command({"cmd": "DESCRIBE", "param": None}).param is None

    def test_unknown_keys_are_ignored(self):
        assert parse_command({"cmd": "DESCRIBE", "future": 1}).command is Commands.describe

    @pytest.mark.parametrize(
        ("body", "command", "uid", "said"),
        [
            ({"status": "ok"}, None, None, "no command (status 'ok')"),
            ({"cmd": "DANCE", "cmd_uid": "u"}, None, "u", "no command (cmd 'DANCE')"),
            ({"cmd": ["x"]}, None, None, "no command"),
            ({}, None, None, "no command"),
            (
                {"cmd": "MEASURE", "cmd_uid": "u", "param": {}},
                Commands.measure,
                "u",
                "MEASURE is invalid: metrics",
            ),
            ({"cmd": "MEASURE", "param": None}, Commands.measure, None, "MEASURE is invalid"),
            (
                {"cmd": "MEASURE", "param": {"metrics": [], "control": {"duration": "soon"}}},
                Commands.measure,
                None,
                "control.duration",
            ),
            ({"cmd": "SLEEP", "param": {"duration": -1}}, Commands.sleep, None, "SLEEP is invalid: duration"),
            ({"cmd": "ADJUST", "cmd_uid": 3}, Commands.adjust, None, "ADJUST is invalid: cmd_uid"),
        ],
    )
    def test_what_is_malformed_says_what_could_be_inferred(self, body, command, uid, said):
        with pytest.raises(MalformedCommandError) as caught:
            parse_command(body)
        assert (caught.value.command, caught.value.command_uid) == (command, uid)
        assert said in str(caught.value)

    @given(
        st.dictionaries(
            st.sampled_from(["cmd", "cmd_uid", "param", "status"]), JSON | st.sampled_from(list(Commands))
        )
    )
    def test_any_object_is_a_command_or_malformed(self, body):
        try:
            command = parse_command(body)
        except MalformedCommandError as error:
            command = error
        assert isinstance(command, CommandResponse | MalformedCommandError)

    @pytest.mark.parametrize(
        ("command", "event"),
        [
            (Commands.describe, Events.describe),
            (Commands.measure, Events.measure),
            (Commands.adjust, Events.adjust),
        ],
    )
    def test_commands_have_response_events(self, command, event):
        assert command.response_event is event
        with pytest.raises(ValueError, match="SLEEP has no response event"):
            _ = Commands.sleep.response_event

    def test_requests_name_who_speaks(self):
        assert Request(event=Events.whats_next).model_dump(mode="json") == {
            "event": "WHATS_NEXT",
            "param": None,
            "servo_uid": None,
        }


class TestDescriptors:
    def test_each_value_becomes_an_adjustment_of_its_json_type(self):
        state = {
            "application": {
                "components": {
                    "web": {"settings": {"cpu": {"value": 1.5}, "mode": {"value": "fast", "type": "enum"}}},
                    "db": {"settings": {"pool": {"value": 3}}},
                }
            }
        }
        adjustments = descriptor_to_adjustments(state)
        assert [str(each) for each in adjustments] == ["web.cpu=1.5", "web.mode=fast", "db.pool=3"]
        assert [type(each.value) for each in adjustments] == [float, str, int]

    @given(
        st.dictionaries(
            st.tuples(st.text(min_size=1), st.text(min_size=1)),
            st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
            max_size=5,
        )
    )
    def test_adjustments_survive_the_way_there_and_back(self, values):
        adjustments = [
            Adjustment(component_name=component, setting_name=setting, value=value)
            for (component, setting), value in values.items()
        ]
        there = adjustments_to_descriptor(adjustments)["state"]
        back = descriptor_to_adjustments(json.loads(json.dumps(there)))
        assert {each.selector: each.value for each in back} == {
            each.selector: each.value for each in adjustments
        }

    @pytest.mark.parametrize(
        ("state", "said"),
        [
            ({}, "'application' must be an object"),
            ({"application": {"components": []}}, "'components' must be an object"),
            ({"application": {"components": {"web": None}}}, "'web' must be an object"),
            ({"application": {"components": {"web": {"settings": {"cpu": 1}}}}}, "'web.cpu' has no value"),
        ],
    )
    def test_what_is_malformed_is_said_with_its_place(self, state, said):
        with pytest.raises(ValueError, match=said):
            descriptor_to_adjustments(state)


class TestSecrets:
    @pytest.mark.parametrize(
        ("token", "headers"),
        [
            ("abc", {"Authorization": "Bearer abc"}),
            ("Bearer abc", {"Authorization": "Bearer abc"}),
            ("X-SF-Token abc", {"X-SF-Token": "abc"}),
            ("X-SF-Token:abc", {"X-SF-Token": "abc"}),
        ],
    )
    def test_a_token_chooses_its_header(self, token, headers):
        assert token_headers(token) == headers

    @pytest.mark.parametrize("header", ["Authorization", "X-SF-Token", "Proxy-Authorization", "Cookie"])
    def test_curl_commands_hold_no_credentials(self, header):
        request = httpx2.Request(
            "POST",
            "https://user:hunter2@a.example/servo",
            headers={header: "Bearer hunter2"},
            content=b'{"a":"b c"}',
        )
        command = redacted_to_curl(request)
        assert "hunter2" not in command
        assert "[REDACTED]" in command
        assert command.startswith("curl -X POST")
        assert command.endswith("https://a.example/servo")
        assert """-d '{"a":"b c"}'""" in command
