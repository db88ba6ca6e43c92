"""servo.yaml: what it may say, what the environment adds, and how errors name their place."""

from __future__ import annotations

import pytest
from pydantic import Field, SecretStr

import servo
from servo.assembly import configure
from servo.configuration import AppdynamicsOptimizer, BaseConfiguration, parse_documents
from servo.errors import ConfigurationError

OPTIMIZER = "optimizer: {id: example.com/app, token: t}\n"


class Step(servo.configuration.AbstractBaseConfiguration):
    name: str
    count: int = 1


class YamlProbeConfiguration(BaseConfiguration):
    rate: int = Field(description="How many.")
    steps: list[Step] = Field(default_factory=list, description="What to do.")
    secret: SecretStr | None = None
    choice: int | Step | None = None


class YamlProbeConnector(servo.BaseConnector):
    config: YamlProbeConfiguration


class YamlOtherConfiguration(BaseConfiguration):
    flag: bool = False


class YamlOtherConnector(servo.BaseConnector):
    config: YamlOtherConfiguration


def read(text, env=None, *, alone=True):
    document = parse_documents(text, file="servo.yaml")[0]
    return configure(document, env or {}, alone=alone)


def refusal(text, env=None, *, alone=True):
    with pytest.raises(ConfigurationError) as caught:
        read(text, env, alone=alone)
    return str(caught.value)


class TestConnectors:
    def test_without_connectors_whatever_has_a_section_is_active(self):
        config, routes = read(OPTIMIZER + "yaml_probe: {rate: 1}\n")
        assert {"yaml_probe", "yaml_other"} <= set(routes)
        assert config.yaml_probe.rate == 1
        assert config.yaml_other is None

    @pytest.mark.parametrize("identifier", ["yaml_probe", "YamlProbeConnector"])
    def test_a_list_names_connectors(self, identifier):
        config, routes = read(OPTIMIZER + f"connectors: [{identifier}]\nyaml_probe: {{rate: 1}}\n")
        assert routes == {"yaml_probe": YamlProbeConnector}
        assert config.yaml_probe.rate == 1

    def test_a_mapping_gives_aliases(self):
        text = (
            OPTIMIZER
            + "connectors: {first: yaml_probe, second: YamlProbeConnector}\nfirst: {rate: 1}\nsecond: {rate: 2}\n"
        )
        config, routes = read(text)
        assert list(routes) == ["first", "second"]
        assert (config.first.rate, config.second.rate) == (1, 2)

    def test_an_empty_list_activates_nothing(self):
        config, routes = read(OPTIMIZER + "connectors: []\n")
        assert routes == {}
        assert config.connectors == []
        assert "yaml_probe: is no key that is known here" in refusal(
            OPTIMIZER + "connectors: []\nyaml_probe: {rate: 1}\n"
        )

    def test_the_variable_routes_like_the_key(self):
        """Reference 1.8: SERVO_CONNECTORS was accepted but not used for routing."""
        config, routes = read(OPTIMIZER + "yaml_probe: {rate: 1}\n", {"SERVO_CONNECTORS": '["yaml_probe"]'})
        assert routes == {"yaml_probe": YamlProbeConnector}
        assert config.yaml_probe.rate == 1
        assert read(OPTIMIZER + "one: {rate: 1}\n", {"SERVO_CONNECTORS": '{"one": "yaml_probe"}'})[1]

    def test_the_key_wins_over_the_variable(self):
        routes = read(OPTIMIZER + "connectors: []\n", {"SERVO_CONNECTORS": '["yaml_probe"]'})[1]
        assert routes == {}

    def test_the_section_of_a_named_connector_is_required(self):
        assert refusal(OPTIMIZER + "connectors: [yaml_probe]\n") == (
            "servo.yaml:1:1: yaml_probe: is required and missing; add it, "
            "or set the environment variable SERVO_YAML_PROBE"
        )

    def test_a_section_without_values_is_present(self):
        assert read(OPTIMIZER + "yaml_other:\n")[0].yaml_other.flag is False

    def test_classes_are_shared_between_documents_with_the_same_routes(self):
        text = OPTIMIZER + "connectors: [yaml_other]\nyaml_other: {}\n"
        one, other = read(text)[0], read(text)[0]
        assert type(one) is type(other)
        assert type(one.yaml_other) is type(other.yaml_other)

    @pytest.mark.parametrize(
        ("connectors", "said"),
        [
            ("[nonsense]", 'no connector found for the identifier "nonsense"'),
            ("{measure: yaml_probe}", 'Name "measure" is reserved'),
            ("{settings: yaml_probe}", 'Name "settings" is reserved'),
            ("{model_dump: yaml_probe}", 'Name "model_dump" is reserved'),
            ("{yaml_other: yaml_probe}", 'Name "yaml_other" is reserved by `YamlOtherConnector`'),
            ("{'a b': yaml_probe}", '"a b" is not a valid connector name'),
            ("3", "Invalid connectors value"),
            ("[__import__('os')]", "no connector found for the identifier"),
        ],
    )
    def test_what_cannot_be_mounted_is_refused_at_its_place(self, connectors, said):
        message = refusal(OPTIMIZER + f"connectors: {connectors}\n")
        assert message.startswith("servo.yaml:2:1: connectors: ")
        assert said in message


class TestPrecedence:
    @pytest.mark.parametrize(
        ("section", "env", "rate"),
        [
            ("{rate: 1}", {"SERVO_YAML_PROBE_RATE": "2", "SERVO_YAML_PROBE": '{"rate": 3}'}, 1),
            ("{}", {"SERVO_YAML_PROBE_RATE": "2", "SERVO_YAML_PROBE": '{"rate": 3}'}, 2),
            ("{}", {"SERVO_YAML_PROBE": '{"rate": 3}'}, 3),
            ("{}", {"YAML_PROBE_RATE": "4", "SERVO_YAML_PROBE_RATE": "2"}, 2),
        ],
    )
    def test_yaml_before_variable_before_default(self, section, env, rate):
        assert read(OPTIMIZER + f"yaml_probe: {section}\n", env)[0].yaml_probe.rate == rate

    def test_the_class_prefix_does_not_count_inside_a_servo(self):
        assert "SERVO_YAML_PROBE_RATE" in refusal(OPTIMIZER + "yaml_probe: {}\n", {"YAML_PROBE_RATE": "1"})

    def test_a_variable_of_the_section_activates_it(self):
        assert read(OPTIMIZER, {"SERVO_YAML_PROBE": '{"rate": 3}'})[0].yaml_probe.rate == 3
        assert read(OPTIMIZER, {"SERVO_YAML_PROBE_RATE": "3"})[0].yaml_probe is None

    def test_a_named_connector_may_live_on_variables_alone(self):
        config, _ = read(OPTIMIZER + "connectors: [yaml_probe]\n", {"SERVO_YAML_PROBE_RATE": "3"})
        assert config.yaml_probe.rate == 3

    def test_the_servos_own_fields_have_variables(self):
        env = {
            "SERVO_NAME": "n",
            "SERVO_UID": "u",
            "SERVO_DESCRIPTION": "d",
            "SERVO_NO_DIAGNOSTICS": "false",
            "SERVO_SETTINGS": '{"timeouts": "30s"}',
            "SERVO_CHECKS": '{"wait": "1m"}',
        }
        config, _ = read(OPTIMIZER + "connectors: []\n", env)
        assert (config.name, config.servo_uid, config.description) == ("n", "u", "d")
        assert config.no_diagnostics is False
        assert str(config.settings.timeouts.read) == "30s"
        assert config.checks.wait == "1m"

    def test_the_optimizer_may_come_from_the_environment_alone(self):
        config, _ = read("connectors: []\n", {"OPSANI_OPTIMIZER": "example.com/app", "OPSANI_TOKEN": "t"})
        assert config.optimizer.id == "example.com/app"
        config, _ = read("connectors: []\n", {"SERVO_OPTIMIZER": '{"id": "example.com/app", "token": "t"}'})
        assert config.optimizer.id == "example.com/app"
        env = {
            "OPTIMIZER_ID": "O",
            "TENANT_ID": "T",
            "BASE_URL": "https://t",
            "CLIENT_ID": "c",
            "CLIENT_SECRET": "s",
        }
        config, _ = read("connectors: []\n", {f"APPD_{key}": value for key, value in env.items()})
        assert isinstance(config.optimizer, AppdynamicsOptimizer)

    def test_variables_complete_the_optimizer(self):
        config, _ = read(
            "optimizer: {id: example.com/app}\nconnectors: []\n",
            {
                "OPSANI_TOKEN": "t",
                "OPSANI_OPTIMIZER": "example.com/other",
                "OPSANI_BASE_URL": "http://localhost",
            },
        )
        assert config.optimizer.id == "example.com/app"
        assert config.optimizer.url == "http://localhost/accounts/example.com/applications/app/"

    def test_among_several_servos_variables_do_not_fill_what_tells_them_apart(self):
        """Reference 6.2: variables are not indexed per servo."""
        env = {
            "SERVO_NAME": "n",
            "SERVO_UID": "u",
            "OPSANI_OPTIMIZER": "example.com/other",
            "OPSANI_TOKEN": "shared",
        }
        config, _ = read("optimizer: {id: example.com/app}\nconnectors: []\n", env, alone=False)
        assert (config.name, config.servo_uid, config.optimizer.id) == (None, None, "example.com/app")
        assert config.optimizer.token.get_secret_value() == "shared"

    def test_a_wrong_timeout_for_all_is_said_once(self):
        text = refusal("optimizer: {id: example.com/app, token: t}\nsettings: {timeouts: 5x}\n", {})
        assert text.count("Unknown unit 'x'") == 1
        assert ":2:12: settings.timeouts: " in text

    def test_among_several_servos_each_needs_its_optimizer(self):
        env = {"OPSANI_OPTIMIZER": "example.com/other", "OPSANI_TOKEN": "shared"}
        assert "multi-servo assembly without an optimizer" in refusal("connectors: []\n", env, alone=False)


class TestErrors:
    @pytest.mark.parametrize(
        ("text", "env", "expected"),
        [
            pytest.param(
                "connectors: []\n",
                {},
                "servo.yaml:1:1: optimizer: is required and missing; add `optimizer: {id: organization/name, "
                "token: ...}`, or set the environment variables OPSANI_OPTIMIZER and OPSANI_TOKEN",
                id="no optimizer",
            ),
            pytest.param(
                "optimizer:\n  id: example.com/app\nconnectors: []\n",
                {},
                "servo.yaml:1:1: optimizer.token: is required and missing; add it, "
                "or set the environment variable OPSANI_TOKEN or OPSANI_TOKEN_FILE",
                id="no token",
            ),
            pytest.param(
                "optimizer:\n  id: example.com/app\n  tokn: x\nconnectors: []\n",
                {"OPSANI_TOKEN": "t"},
                "servo.yaml:3:3: optimizer.tokn: is no key that is known here; did you mean 'token'?",
                id="misspelt key of the optimizer",
            ),
            pytest.param(
                OPTIMIZER + "yaml_prob: {rate: 1}\n",
                {},
                "servo.yaml:2:1: yaml_prob: is no key that is known here; did you mean 'yaml_probe'?",
                id="misspelt section",
            ),
            pytest.param(
                OPTIMIZER + "yaml_probe:\n  rate: fast\n",
                {},
                "servo.yaml:3:3: yaml_probe.rate: should be a valid integer, unable to parse string as an integer; "
                "what belongs here: How many",
                id="wrong type",
            ),
            pytest.param(
                OPTIMIZER + "yaml_probe:\n  rate: 1\n  steps:\n    - name: a\n    - {name: b, cuont: 2}\n",
                {},
                "servo.yaml:6:17: yaml_probe.steps[1].cuont: is no key that is known here; did you mean 'count'?",
                id="misspelt key in a list",
            ),
            pytest.param(
                OPTIMIZER + "yaml_probe:\n  rate: 1\n  steps: [{}]\n",
                {},
                "servo.yaml:4:11: yaml_probe.steps[0].name: is required and missing; add it",
                id="missing nested field",
            ),
            pytest.param(
                OPTIMIZER + "yaml_probe: [1]\n",
                {},
                "servo.yaml:2:1: yaml_probe: should be a valid dictionary or instance of YamlProbeConfiguration; "
                "see `servo schema` for what belongs here",
                id="a list for a section",
            ),
            pytest.param(
                OPTIMIZER + "yaml_probe: {}\n",
                {"SERVO_YAML_PROBE_RATE": "fast"},
                "environment variable SERVO_YAML_PROBE_RATE: yaml_probe.rate: should be a valid integer, "
                "unable to parse string as an integer; what belongs here: How many",
                id="wrong type in a variable",
            ),
            pytest.param(
                OPTIMIZER,
                {"SERVO_YAML_PROBE": "rate: 1"},
                "the environment variable SERVO_YAML_PROBE is not a JSON object; set it to an object such as "
                '{"key": "value"}, or its fields as SERVO_YAML_PROBE_<FIELD>',
                id="a variable that is no JSON",
            ),
            pytest.param(
                "- 1\n",
                {},
                "servo.yaml:1:1: a servo's configuration is a mapping of keys to values; "
                "start with `optimizer:` and `connectors:`",
                id="no mapping",
            ),
            pytest.param(
                "optimizer: secret-in-the-wrong-place\nconnectors: []\n",
                {},
                "servo.yaml:1:1: optimizer: an optimizer is a mapping with id and token, or with optimizer_id and "
                "more; what belongs here: The optimizer to serve",
                id="a text for the optimizer",
            ),
            pytest.param(
                OPTIMIZER + "connectors: []\nsettings:\n  timeouts: {conect: 3s}\n",
                {},
                "servo.yaml:4:14: settings.timeouts.conect: is no key that is known here; did you mean 'connect'?",
                id="misspelt timeout",
            ),
            pytest.param(
                OPTIMIZER + "connectors: []\nchecks: {halt_on: never}\n",
                {},
                "servo.yaml:3:10: checks.halt_on: should be 'warning', 'common' or 'critical'; what belongs here: "
                "The severity of a failure that ends the checks of a connector",
                id="no such severity",
            ),
        ],
    )
    def test_one_problem_is_one_line_with_place_and_remedy(self, text, env, expected):
        assert refusal(text, env) == expected

    def test_several_problems_are_several_lines_in_the_order_of_the_file(self):
        message = refusal("optimizer: {id: x, token: t}\nyaml_probe: {rate: fast}\nsetings: {}\n")
        assert [line.split(": ")[1] for line in message.splitlines()] == [
            "optimizer.id",
            "yaml_probe.rate",
            "setings",
        ]

    def test_there_are_at_most_ten_lines_and_a_count(self):
        message = refusal(OPTIMIZER + "".join(f"unknown_{n}: 1\n" for n in range(15)))
        assert len(message.splitlines()) == 11
        assert message.endswith("... and 5 more")

    def test_errors_speak_of_one_kind_of_optimizer(self):
        """Reference 1.8: errors listed the problems of both kinds."""
        message = refusal("optimizer: {optimizer_id: OPT, tenant_id: T}\nconnectors: []\n")
        assert "token" not in message.splitlines()[0].split(";")[0]
        assert "client_id and client_secret and base_url must be given" in message
        assert len(message.splitlines()) == 1

    @pytest.mark.parametrize(
        "text",
        [
            "optimizer: hunter2\n",
            "optimizer: {id: example.com/app, token: [hunter2]}\n",
            "optimizer: {id: example.com/app, token: {a: hunter2}}\n",
            "optimizer: {id: example.com/app, token: hunter2, base_url: 'ftp://hunter2@x'}\n",
            OPTIMIZER + "yaml_probe: {rate: hunter2, secret: hunter2}\n",
            OPTIMIZER + "yaml_probe: hunter2\n",
            OPTIMIZER + "token: hunter2\n",
        ],
    )
    def test_values_are_never_shown(self, text):
        assert "hunter2" not in refusal(text)

    def test_values_of_variables_are_never_shown(self):
        assert "hunter2" not in refusal(OPTIMIZER, {"SERVO_YAML_PROBE": "hunter2"})
        assert "hunter2" not in refusal(OPTIMIZER + "yaml_probe: {}\n", {"SERVO_YAML_PROBE_RATE": "hunter2"})


class TestSample:
    def test_a_generated_configuration_is_valid_and_complete(self):
        config, routes = read(
            OPTIMIZER + "connectors: {one: yaml_probe, two: yaml_other}\none: {rate: 1}\ntwo: {}\n"
        )
        sample = type(config).generate(connectors=["yaml_probe"])
        text = sample.yaml(exclude_unset=True, reveal_secrets=True)
        assert text.splitlines()[:4] == [
            "optimizer:",
            "  id: generated-id.test/generated",
            "  token: generated-token",
            "  url: https://api.opsani.com/accounts/generated-id.test/applications/generated/",
        ]
        assert sample.one.rate == 1
        assert routes

    def test_sections_join_and_leave(self):
        config, _ = read(OPTIMIZER + "connectors: [yaml_other]\nyaml_other: {}\n")
        section = YamlProbeConfiguration(rate=1)
        config.add_section("late", section)
        assert config.late is section
        config.remove_section("late")
        with pytest.raises(AttributeError):
            _ = config.late
        config.remove_section("yaml_other")
        assert config.section("yaml_other") is None
