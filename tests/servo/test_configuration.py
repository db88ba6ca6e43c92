"""Sections: what they accept, what fills them, how they are written."""

from __future__ import annotations

import json
from enum import Enum

import pytest
from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError

from servo.configuration import (
    AbstractBaseConfiguration,
    BackoffConfigurations,
    BaseConfiguration,
    BaseServoConfiguration,
    ChecksConfiguration,
    CommonConfiguration,
    FastFailConfiguration,
    Timeouts,
    load_dotenv,
)
from servo.configuration.environment import is_structured, route_prefix
from servo.types.core import Duration


class Target(AbstractBaseConfiguration):
    url: str = Field(description="Where it is.")
    weight: int = 1


class AttackConfiguration(BaseConfiguration):
    rate: str = Field(description="How many requests a second.", examples=["50/1s"])
    duration: Duration = Field(default=Duration("5m"), description="How long to attack.")
    targets: list[Target] = Field(default_factory=list, description="What to attack.")
    main: Target | None = None
    password: SecretStr | None = None


ATTACK = {"rate": "50/1s", "password": "hunter2", "main": {"url": "http://a"}}


class TestEnvironment:
    def test_a_section_made_directly_reads_variables_named_after_its_class(self, monkeypatch):
        monkeypatch.setenv("ATTACK_RATE", "7")
        monkeypatch.setenv("ATTACK_DURATION", "30s")
        config = AttackConfiguration()
        assert (config.rate, config.duration) == ("7", Duration("30s"))

    def test_a_given_value_wins_over_its_variable(self, monkeypatch):
        monkeypatch.setenv("ATTACK_RATE", "7")
        assert AttackConfiguration(rate="1").rate == "1"

    def test_structured_fields_are_json(self, monkeypatch):
        monkeypatch.setenv("ATTACK_TARGETS", '[{"url": "http://a"}]')
        assert AttackConfiguration(rate="1").targets == [Target(url="http://a")]

    def test_nested_sections_do_not_read_the_environment(self, monkeypatch):
        monkeypatch.setenv("TARGET_WEIGHT", "9")
        config = AttackConfiguration(rate="1", main={"url": "http://a"})
        assert config.main.weight == 1

    def test_names_are_case_sensitive(self, monkeypatch):
        monkeypatch.setenv("attack_rate", "7")
        with pytest.raises(ValidationError, match="rate"):
            AttackConfiguration()

    def test_a_stray_variable_changes_no_fast_fail(self, monkeypatch):
        """Reference 6.4: FastFailConfiguration had no prefix, so any PERIOD changed it."""
        monkeypatch.setenv("PERIOD", "1s")
        monkeypatch.setenv("DISABLED", "1")
        config = FastFailConfiguration()
        assert (config.period, config.disabled) == (Duration("60s"), 0)
        monkeypatch.setenv("FAST_FAIL_PERIOD", "2s")
        assert FastFailConfiguration().period == Duration("2s")

    @pytest.mark.parametrize(
        ("variable", "value", "read"),
        [
            ("CHECKS_HALT_ON", "common", lambda: ChecksConfiguration().halt_on.value),
            ("COMMON_SSL_VERIFY", "false", lambda: CommonConfiguration().ssl_verify),
            ("TIMEOUTS_CONNECT", "3s", lambda: str(Timeouts().connect)),
        ],
    )
    def test_the_sections_of_a_servo_have_prefixes_of_their_own(self, monkeypatch, variable, value, read):
        monkeypatch.setenv(variable, value)
        assert read() in (value, False)

    @pytest.mark.parametrize(
        ("route", "prefix"),
        [("vegeta", "SERVO_VEGETA_"), ("staging_prom", "SERVO_STAGING_PROM_"), ("a-b/c.d", "SERVO_A_B_C_D_")],
    )
    def test_routes_have_prefixes(self, route, prefix):
        assert route_prefix(route) == prefix

    @pytest.mark.parametrize(
        ("annotation", "expected"),
        [
            (str, False),
            (int | None, False),
            (Duration, False),
            (list[str], True),
            (dict[str, int] | None, True),
            (str | list[str], True),
            (Target, True),
        ],
    )
    def test_structured_fields_are_told_from_plain_ones(self, annotation, expected):
        assert is_structured(annotation) is expected


class TestValidation:
    def test_unknown_keys_are_refused(self):
        with pytest.raises(ValidationError, match="Extra inputs are not permitted"):
            AttackConfiguration(rate="1", speed=3)

    def test_assignments_are_validated(self):
        config = AttackConfiguration(rate="1")
        with pytest.raises(ValidationError):
            config.duration = "soon"

    def test_numbers_are_accepted_as_text(self):
        assert AttackConfiguration(rate=50).rate == "50"

    def test_old_method_names_work_without_warnings(self):
        config = AttackConfiguration.parse_obj({"rate": "1"})
        assert config.dict()["rate"] == "1"
        assert json.loads(config.json())["duration"] == "5m"
        assert config.copy(update={"rate": "2"}).rate == "2"
        assert AttackConfiguration.construct(rate="3").rate == "3"


class TestFiles:
    def test_each_document_becomes_a_configuration(self, tmp_path):
        path = tmp_path / "attacks.yaml"
        path.write_text("rate: 1\n---\nrate: 2\n")
        assert [config.rate for config in AttackConfiguration.parse_file(path)] == ["1", "2"]

    def test_a_key_of_each_document_may_be_the_configuration(self, tmp_path):
        path = tmp_path / "servo.yaml"
        path.write_text("attack: {rate: 1}\n")
        assert AttackConfiguration.parse_file(path, key="attack")[0].rate == "1"
        with pytest.raises(KeyError, match="invalid key 'nothing'"):
            AttackConfiguration.parse_file(path, key="nothing")

    def test_dotenv_is_found_upward_and_overrides_nothing(self, tmp_path, monkeypatch):
        (tmp_path / ".env").write_text("TRIMTAB_TEST_NEW=from file\nTRIMTAB_TEST_OLD=from file\n")
        (tmp_path / "deep" / "er").mkdir(parents=True)
        monkeypatch.setenv("TRIMTAB_TEST_OLD", "from environment")
        monkeypatch.setenv("TRIMTAB_TEST_NEW", "")
        monkeypatch.delenv("TRIMTAB_TEST_NEW")
        import os

        assert load_dotenv(tmp_path / "deep" / "er") == tmp_path / ".env"
        assert os.environ["TRIMTAB_TEST_NEW"] == "from file"
        assert os.environ["TRIMTAB_TEST_OLD"] == "from environment"


class TestYaml:
    def test_secrets_are_masked_unless_asked_for(self):
        """Reference 6.1 #10: secrets were printed in clear."""
        config = AttackConfiguration(**ATTACK)
        assert "hunter2" not in config.yaml() + config.json() + repr(config) + str(config.plain())
        assert "password: hunter2" in config.yaml(reveal_secrets=True)
        assert config.plain(reveal_secrets=True)["password"] == "hunter2"

    def test_secrets_in_lists_and_mappings_are_revealed_too(self):
        class VaultConfiguration(BaseConfiguration):
            tokens: list[SecretStr] = Field(default_factory=list)
            named: dict[str, SecretStr] = Field(default_factory=dict)

        config = VaultConfiguration(tokens=["a"], named={"x": "b"})
        assert config.plain()["tokens"] == ["**********"]
        revealed = config.plain(reveal_secrets=True)
        assert (revealed["tokens"], revealed["named"]) == (["a"], {"x": "b"})

    def test_keys_keep_their_order_unless_they_shall_be_sorted(self):
        config = AttackConfiguration(**ATTACK)
        assert config.yaml(exclude_unset=True).startswith("rate:")
        assert config.yaml(exclude_unset=True, sort_keys=True).startswith("main:")

    def test_what_is_written_can_be_read(self, tmp_path):
        config = AttackConfiguration(**ATTACK, description="a: 'b'\n# c")
        path = tmp_path / "attack.yaml"
        path.write_text(config.yaml(reveal_secrets=True))
        assert AttackConfiguration.parse_file(path) == [config]

    def test_comments_say_what_each_field_means(self, tmp_path):
        config = AttackConfiguration(**ATTACK)
        text = config.yaml(comments=True, reveal_secrets=True)
        assert "# How many requests a second.\nrate: 50/1s\n" in text
        assert "main:\n  # Where it is.\n  url: http://a\n" in text
        path = tmp_path / "attack.yaml"
        path.write_text(text)
        assert AttackConfiguration.parse_file(path) == [config]


class TestSamples:
    def test_required_fields_get_their_first_example(self):
        assert AttackConfiguration.generate().rate == "50/1s"

    def test_given_values_are_kept(self):
        assert AttackConfiguration.generate(rate="1").rate == "1"

    def test_required_fields_without_example_get_a_value_of_their_type(self):
        class Colour(Enum):
            red = "red"

        class Inner(BaseModel):
            text: str

        class EveryConfiguration(BaseConfiguration):
            flag: bool
            number: int
            ratio: float
            span: Duration
            items: list[str]
            table: dict[str, int]
            colour: Colour
            inner: Inner
            section: Target
            choice: int | None
            text: str

        sample = EveryConfiguration.generate()
        assert sample.flag is False
        assert sample.text == "text"
        assert sample.section.url == "url"
        assert sample.colour is Colour.red


class TestSchema:
    def test_it_has_the_title_of_a_connectors_configuration_and_variables(self):
        schema = AttackConfiguration.schema()
        assert schema["title"] == "Attack Connector Configuration Schema"
        assert schema["additionalProperties"] is False
        assert schema["required"] == ["rate"]
        assert schema["properties"]["rate"]["env_names"] == ["ATTACK_RATE"]
        assert schema["properties"]["duration"]["format"] == "duration"

    def test_a_title_of_its_own_is_kept(self):
        class TitledConfiguration(BaseConfiguration):
            model_config = ConfigDict(title="Mine")

        assert TitledConfiguration.schema()["title"] == "Mine"

    def test_that_of_a_servo_names_all_variables_of_the_optimizers(self):
        definitions = BaseServoConfiguration.model_json_schema()["$defs"]
        assert definitions["OpsaniOptimizer"]["properties"]["token"]["env_names"] == ["OPSANI_TOKEN"]
        assert "env_file" not in definitions["OpsaniOptimizer"]["properties"]["token"]


class TestSettings:
    def test_defaults_are_those_of_the_reference(self):
        settings = CommonConfiguration()
        assert settings.backoff.max_time() == 600
        assert settings.backoff.max_time("connect") == 3600
        assert settings.backoff.max_tries() is None
        assert settings.ssl_verify is None

    def test_contexts_that_are_not_given_keep_their_limits(self):
        backoff = BackoffConfigurations.model_validate({"__default__": {"max_time": "5m", "max_tries": 3}})
        assert backoff.max_time("other") == 300
        assert backoff.max_tries("other") == 3
        assert backoff.max_time("connect") == 3600
        assert set(backoff) == {"__default__", "connect"}
        assert backoff["connect"].max_tries is None

    @pytest.mark.parametrize("value", ["30s", 30, 30.0, Duration("30s")])
    def test_one_timeout_is_for_all_steps(self, value):
        timeouts = CommonConfiguration(timeouts=value).timeouts
        assert timeouts == Timeouts(30)
        assert {str(timeouts.connect), str(timeouts.read), str(timeouts.write), str(timeouts.pool)} == {"30s"}

    def test_timeouts_may_differ(self):
        assert str(CommonConfiguration(timeouts={"read": "1m"}).timeouts.read) == "1m"

    @pytest.mark.parametrize(
        "proxies",
        [None, "http://p:1", {"all://": "http://p:1"}, {"https://example.com": None, "http://": "http://p"}],
    )
    def test_forms_of_proxies(self, proxies):
        assert CommonConfiguration(proxies=proxies).proxies == proxies

    @pytest.mark.parametrize(
        ("proxies", "shown"),
        [
            ("http://me:hidden@p:1", "http://***@p:1"),
            (
                {"http://": "http://me:hid/d@en@p:1", "https://": None, "all://": "http://p"},
                {"http://": "http://***@p:1", "https://": None, "all://": "http://p"},
            ),
        ],
    )
    def test_passwords_of_proxies_are_shown_to_nobody_who_does_not_ask(self, proxies, shown):
        """Reference 1.8, 6.1 #10: settings were printed as they are, passwords of proxies with them."""
        settings = CommonConfiguration(proxies=proxies)
        assert settings.proxies == proxies
        assert settings.plain()["proxies"] == json.loads(settings.model_dump_json())["proxies"] == shown
        assert settings.plain(reveal_secrets=True)["proxies"] == proxies
        assert CommonConfiguration.model_validate(settings.model_dump()) == settings
        for text in (settings.yaml(), repr(settings), str(settings), f"{settings}"):
            assert "***@p:1" in text
            assert "me:hid" not in text

    @pytest.mark.parametrize("proxies", ["p:1", {"ftp://": "http://p"}, 3])
    def test_wrong_proxies_are_refused(self, proxies):
        with pytest.raises(ValidationError):
            CommonConfiguration(proxies=proxies)

    def test_a_bundle_must_exist(self, tmp_path):
        bundle = tmp_path / "ca.pem"
        with pytest.raises(ValidationError, match="there is no CA bundle at"):
            CommonConfiguration(ssl_verify=bundle)
        bundle.touch()
        assert CommonConfiguration(ssl_verify=str(bundle)).ssl_verify == bundle

    def test_the_span_of_fast_fail_is_its_period_unless_given(self):
        assert FastFailConfiguration(period="5s").span == Duration("5s")
        assert FastFailConfiguration(period="5s", span="9s").span == Duration("9s")

    def test_a_single_name_of_a_check_is_a_list(self):
        assert ChecksConfiguration(name="/x/", tag="a,b").name == ["/x/"]

    @pytest.mark.parametrize("field", ["wait", "delay"])
    def test_waits_are_durations(self, field):
        with pytest.raises(ValidationError):
            ChecksConfiguration(**{field: "soon"})
