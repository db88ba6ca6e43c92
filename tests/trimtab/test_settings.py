"""Settings: an option wins over the environment, and that over the default."""

from pathlib import Path

import pytest
from pydantic import ValidationError

from trimtab.settings import ClientSettings, ServerSettings, Settings


def test_the_default_database_is_a_file_of_the_user(monkeypatch):
    monkeypatch.setenv("HOME", "/home/somebody")
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    assert Settings().home == Path("/home/somebody/.local/share/trimtab")
    assert Settings().url == "sqlite:////home/somebody/.local/share/trimtab/trimtab.sqlite"


def test_an_option_wins_over_the_environment_and_that_over_the_default(monkeypatch, tmp_path):
    assert ServerSettings().port == 8080
    monkeypatch.setenv("TRIMTAB_PORT", "9000")
    assert ServerSettings().port == 9000
    assert ServerSettings(port=9001).port == 9001
    monkeypatch.setenv("TRIMTAB_HOME", str(tmp_path))
    monkeypatch.setenv("TRIMTAB_DATABASE_URL", "postgresql://host/name")
    assert Settings().url == "postgresql://host/name"


def test_an_empty_variable_is_none(monkeypatch):
    monkeypatch.setenv("TRIMTAB_TOKEN", "")
    monkeypatch.setenv("TRIMTAB_DATABASE_URL", "")
    assert ServerSettings().token is None
    assert Settings().url.startswith("sqlite:///")


def test_a_home_with_a_tilde_is_the_users(monkeypatch):
    monkeypatch.setenv("HOME", "/home/somebody")
    monkeypatch.setenv("TRIMTAB_HOME", "~/state")
    assert Settings().url == "sqlite:////home/somebody/state/trimtab.sqlite"


def test_documents_are_beside_the_database_unless_said_otherwise(monkeypatch, tmp_path):
    monkeypatch.setenv("TRIMTAB_HOME", str(tmp_path))
    assert Settings().store == str(tmp_path / "store")
    assert Settings().deployment == "local"
    monkeypatch.setenv("TRIMTAB_STORE_URL", "s3://bucket/prefix")
    monkeypatch.setenv("TRIMTAB_DEPLOYMENT", "zoo")
    assert Settings().store == "s3://bucket/prefix"
    assert Settings().deployment == "zoo"


def test_the_originals_variables_name_the_store_where_ours_do_not(monkeypatch, tmp_path):
    monkeypatch.setenv("THOTH_CEPH_BUCKET", "thoth-store")
    monkeypatch.setenv("THOTH_CEPH_BUCKET_PREFIX", "data/")
    monkeypatch.setenv("THOTH_DEPLOYMENT_NAME", "smaug-prod")
    assert (Settings().store, Settings().deployment) == ("s3://thoth-store/data", "smaug-prod")
    monkeypatch.setenv("TRIMTAB_STORE_URL", str(tmp_path))
    monkeypatch.setenv("TRIMTAB_DEPLOYMENT", "other")
    assert (Settings().store, Settings().deployment) == (str(tmp_path), "other")


@pytest.mark.parametrize("deployment", ["a/b", "", "a b", "x" * 201])
def test_a_deployment_is_one_folder(deployment):
    with pytest.raises(ValidationError):
        Settings(deployment=deployment)


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1"])
def test_loopback_is_this_machine(host):
    assert ServerSettings(host=host).loopback


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1", "127.0.0.1.example.com", ""])
def test_everything_else_is_not_loopback(host):
    assert not ServerSettings(host=host).loopback


@pytest.mark.parametrize(
    "wrong", [{"port": -1}, {"max_body": 10}, {"sleep": 0}, {"stale_after": 0}, {"log_level": "LOUD"}]
)
def test_values_that_make_no_sense_are_refused(wrong):
    with pytest.raises(ValidationError):
        ServerSettings(**wrong)


def test_secrets_are_in_no_text_of_the_settings(monkeypatch):
    monkeypatch.setenv("TRIMTAB_TOKEN", "geheim")
    monkeypatch.setenv("TRIMTAB_DATABASE_URL", "postgresql://user:geheim@host/name")
    for settings in (ServerSettings(), ClientSettings()):
        assert "geheim" not in repr(settings) + str(settings) + settings.model_dump_json()
    with pytest.raises(ValidationError) as caught:
        ServerSettings(port="geheim")
    assert "geheim" not in str(caught.value)


@pytest.mark.parametrize("kind", [ClientSettings, ServerSettings])
@pytest.mark.parametrize("token", ["0123456789abcdef\n0123456789abcdef", "0123456789abcdef\x7f", "ä" * 20])
def test_a_token_that_no_header_can_carry_is_refused_unseen(kind, token, monkeypatch):
    """Whoever keeps all that `trimtab token` prints has two lines; a client's own error would show them."""
    monkeypatch.setenv("TRIMTAB_TOKEN", token)
    with pytest.raises(ValidationError, match="one line of printable") as caught:
        kind()
    assert token not in str(caught.value)
    assert token[:16] not in str(caught.value)
