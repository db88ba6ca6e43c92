"""`servo generate`, `validate` and `init` (reference 2.2)."""

import pytest
import yaml


def test_what_is_generated_is_valid(servo, tmp_path):
    assert servo("generate", "wait").exit_code == 0
    result = servo("validate")
    assert result.stdout == "√ Valid configuration in servo.yaml\n"
    assert result.exit_code == 0


def test_an_existing_file_is_overwritten_only_on_a_yes(servo, tmp_path):
    (tmp_path / "servo.yaml").write_text("mine: 1\n")
    declined = servo("generate", "wait", typed="n\n")
    assert "File 'servo.yaml' already exists. Overwrite it?" in declined.stdout
    assert declined.stderr.endswith("Aborted!\n")
    assert declined.exit_code == 1
    assert (tmp_path / "servo.yaml").read_text() == "mine: 1\n"
    assert servo("generate", "wait", typed="y\n").exit_code == 0
    assert "wait" in (tmp_path / "servo.yaml").read_text()


def test_append_adds_a_document(servo, tmp_path):
    servo("generate", "wait", "-n", "first", "-q")
    assert servo("generate", "wait", "--append", "-n", "second", "-q").stdout == ""
    documents = list(yaml.safe_load_all((tmp_path / "servo.yaml").read_text()))
    assert [it["name"] for it in documents] == ["first", "second"]
    assert list(documents[1]) == ["name", "optimizer", "connectors", "wait"], "keys are not sorted"


def test_append_to_nothing_is_one_document(servo, tmp_path):
    servo("generate", "wait", "--append", "-q")
    assert not (tmp_path / "servo.yaml").read_text().startswith("---")


def test_standalone_leaves_the_connectors_out(servo, tmp_path):
    servo("generate", "wait", "--standalone", "-q")
    assert "connectors" not in yaml.safe_load((tmp_path / "servo.yaml").read_text())
    assert servo("validate").exit_code == 0


def test_defaults_are_spelled_out_when_wanted(servo, tmp_path):
    servo("generate", "wait", "--defaults", "-q")
    document = yaml.safe_load((tmp_path / "servo.yaml").read_text())
    assert document["checks"]["wait"] == "30m"
    assert servo("validate").exit_code == 0


def test_comments_explain_the_keys(servo, tmp_path):
    servo("generate", "wait", "--comments", "-q")
    text = (tmp_path / "servo.yaml").read_text()
    assert "\n# " in f"\n{text}"
    assert servo("validate").exit_code == 0


def test_without_connectors_all_are_generated(servo, tmp_path):
    assert servo("generate", "-q").exit_code == 0
    document = yaml.safe_load((tmp_path / "servo.yaml").read_text())
    assert {"load", "process", "scripts", "wait"} <= set(document["connectors"])
    assert servo("validate").exit_code == 0


def test_an_alias_given_twice_is_a_usage_error(servo):
    result = servo("generate", "one:wait", "one:wait")
    assert result.exit_code == 2
    assert "'one' is given twice" in result.stderr


@pytest.mark.parametrize("identifier", ["wait", "WaitConnector", "servo.connectors.wait.WaitConnector"])
def test_connectors_are_named_in_three_ways(servo, identifier):
    assert servo("generate", f"pause:{identifier}", "-q").exit_code == 0
    assert servo("validate").exit_code == 0


def test_validate_says_what_is_wrong_and_where(servo, config):
    config(
        "optimizer: {id: example.com/app, token: T}\nconnectors: [wait]\nwait: {measure_enabled: perhaps}\n"
    )
    result = servo("validate")
    assert result.exit_code == 1
    assert result.stdout == ""
    first, *details = result.stderr.splitlines()[-2:]
    assert first == "X Invalid configuration in servo.yaml"
    assert "servo.yaml:3:" in details[0]
    assert "wait.measure_enabled" in details[0]


def test_validate_looks_at_every_document(servo, config):
    good = "optimizer: {id: example.com/app, token: T}\nconnectors: [wait]\nwait: {measure_enabled: true}\n"
    config(f"{good}---\n{good}bogus: 1\n---\n{good}wrong: 1\n")
    lines = servo("validate").stderr.splitlines()
    assert any("bogus" in line for line in lines)
    assert any("wrong" in line for line in lines)


def test_validate_can_look_with_other_connectors(servo, config):
    config("optimizer: {id: example.com/app, token: T}\npause: {measure_enabled: true}\n")
    assert servo("validate", "pause:wait").exit_code == 0
    assert servo("validate", "wait").exit_code == 1


def test_validate_quiet_prints_nothing_when_all_is_well(servo):
    servo("generate", "wait", "-q")
    assert servo("validate", "-q").stdout == ""


def test_validate_of_a_file_that_is_not_there_is_a_usage_error(servo):
    assert servo("validate", "-f", "none.yaml").exit_code == 2


def test_validate_finds_no_fault_with_what_run_accepts_and_no_other(servo, config):
    config("optimizer: {id: example.com/app}\n")
    assert servo("validate").exit_code == 1
    assert servo("list").exit_code == 2


def test_init_writes_a_private_env_file_and_a_configuration_that_uses_it(servo, tmp_path):
    result = servo("init", typed="example.com/shop\nsecret token\n")
    assert result.exit_code == 0, result.output
    env = tmp_path / ".env"
    assert env.read_text() == (
        "OPSANI_OPTIMIZER=example.com/shop\nOPSANI_TOKEN='secret token'\nSERVO_LOG_LEVEL=DEBUG\n"
    )
    assert env.stat().st_mode & 0o777 == 0o600
    assert "secret token" not in result.stdout
    document = yaml.safe_load((tmp_path / "servo.yaml").read_text())
    assert "optimizer" not in document, "it would take precedence over .env"


def test_init_asks_again_for_an_optimizer_that_is_none(servo, tmp_path):
    result = servo("init", typed="shop\nexample.com/shop\ntoken\n")
    assert result.exit_code == 0
    assert "'shop' is no optimizer id: expected organization/name" in result.stderr


def test_init_offers_what_the_environment_says(servo, tmp_path):
    result = servo(
        "init", typed="\n\n", env={"OPSANI_OPTIMIZER": "example.com/env", "OPSANI_TOKEN": "from-env"}
    )
    assert result.exit_code == 0
    assert "from-env" not in result.output
    assert "OPSANI_TOKEN=from-env" in (tmp_path / ".env").read_text()


def test_init_without_dotenv_only_generates(servo, tmp_path):
    assert servo("init", "--no-dotenv").exit_code == 0
    assert not (tmp_path / ".env").exists()
    assert "optimizer" in yaml.safe_load((tmp_path / "servo.yaml").read_text())


def test_init_can_be_declined(servo, tmp_path):
    result = servo("init", typed="")
    assert result.exit_code == 1
    assert not (tmp_path / ".env").exists()
