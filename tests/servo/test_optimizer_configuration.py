"""Optimizers: ids, addresses, credentials, connection files."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from servo.configuration import AppdynamicsOptimizer, OpsaniOptimizer
from servo.configuration import optimizers as module
from servo.errors import ConfigurationError

TENANT = {
    "optimizer_id": "OPT",
    "tenant_id": "TENANT",
    "base_url": "https://tenant.example/",
    "client_id": "ID",
    "client_secret": "SECRET",
}


@pytest.fixture(autouse=True)
def no_variables(monkeypatch):
    import os

    for name in list(os.environ):
        if name.startswith(("OPSANI_", "APPD_")):
            monkeypatch.delenv(name)


class TestOpsani:
    @pytest.mark.parametrize(
        "id_", ["example.com/app", "abcde/a", "a.b-c/my_app.v-2", "a" * 50 + "/" + "b" * 64, "12345/0"]
    )
    def test_valid_ids(self, id_):
        optimizer = OpsaniOptimizer(id=id_, token="t")
        assert f"{optimizer.organization}/{optimizer.name}" == id_

    @pytest.mark.parametrize(
        "id_",
        [
            "",
            "app",
            "abcd/app",
            "-abcde/app",
            "example.com/",
            "example.com/a/b",
            "exa_mple.com/a",
            "a" * 51 + "/b",
            "example.com/" + "b" * 65,
            "example.com/a b",
            "example.com/app\n",
        ],
    )
    def test_invalid_ids(self, id_):
        with pytest.raises(ValidationError, match="organization/name"):
            OpsaniOptimizer(id=id_, token="t")

    def test_the_address_follows_from_base_and_id(self):
        optimizer = OpsaniOptimizer(id="example.com/app", token="t", base_url="http://localhost:8000//")
        assert optimizer.base_url == "http://localhost:8000"
        assert optimizer.url == "http://localhost:8000/accounts/example.com/applications/app/"
        assert optimizer.url == optimizer.default_url

    def test_the_address_may_be_given(self):
        optimizer = OpsaniOptimizer(id="example.com/app", token="t", url="http://elsewhere/x/")
        assert optimizer.url == "http://elsewhere/x/"
        assert optimizer.default_url == "https://api.opsani.com/accounts/example.com/applications/app/"

    @pytest.mark.parametrize(
        "url", ["ftp://a", "http://", "localhost", "http:// a", "http://user:hunter2@host/", "http://host\n"]
    )
    def test_addresses_are_of_http(self, url):
        with pytest.raises(ValidationError, match="an address starts with http:// or https://"):
            OpsaniOptimizer(id="example.com/app", token="t", base_url=url)

    def test_variables_fill_it(self, monkeypatch):
        monkeypatch.setenv("OPSANI_OPTIMIZER", "example.com/app")
        monkeypatch.setenv("OPSANI_TOKEN", "t")
        monkeypatch.setenv("OPSANI_BASE_URL", "http://localhost:8000/")
        optimizer = OpsaniOptimizer()
        assert optimizer.url == "http://localhost:8000/accounts/example.com/applications/app/"
        monkeypatch.setenv("OPSANI_URL", "http://localhost/x/")
        assert OpsaniOptimizer().url == "http://localhost/x/"

    def test_the_token_may_be_in_a_file(self, monkeypatch, tmp_path):
        path = tmp_path / "opsani.token"
        path.write_text("  secret\n")
        monkeypatch.setenv("OPSANI_TOKEN_FILE", str(path))
        assert OpsaniOptimizer(id="example.com/app").token.get_secret_value() == "secret"
        monkeypatch.setenv("OPSANI_TOKEN", "direct")
        assert OpsaniOptimizer(id="example.com/app").token.get_secret_value() == "direct"

    def test_a_token_file_that_is_not_there_is_named(self, monkeypatch, tmp_path):
        monkeypatch.setenv("OPSANI_TOKEN_FILE", str(tmp_path / "nothing"))
        with pytest.raises(ConfigurationError, match=r"OPSANI_TOKEN_FILE cannot be read .*set OPSANI_TOKEN$"):
            OpsaniOptimizer(id="example.com/app")

    @pytest.mark.parametrize("token", ["hunter2\nsecond", "hunter2\r", "hun\x00ter2", "hünter2"])
    @pytest.mark.parametrize(
        ("kind", "values"),
        [
            (OpsaniOptimizer, {"id": "example.com/app"}),
            (AppdynamicsOptimizer, {"optimizer_id": "o", "tenant_id": "t", "base_url": "https://a.example"}),
        ],
    )
    def test_a_token_that_no_header_can_carry_is_refused_and_not_shown(self, kind, values, token):
        """What failed before was the request, and the HTTP library's error showed the header as it was."""
        with pytest.raises(ValidationError, match="one line of printable ASCII characters") as caught:
            kind(**values, token=token)
        assert "h" + "unter2" not in str(caught.value)
        assert "second" not in str(caught.value)

    def test_the_token_is_masked(self):
        optimizer = OpsaniOptimizer(id="example.com/app", token="hunter2")
        assert "hunter2" not in f"{optimizer!r}{optimizer}{optimizer.json()}{optimizer.yaml()}"
        assert optimizer.plain(reveal_secrets=True)["token"] == "hunter2"

    def test_assigning_a_field_validates_it(self):
        optimizer = OpsaniOptimizer(id="example.com/app", token="t")
        optimizer.token = "u"
        assert optimizer.token.get_secret_value() == "u"
        with pytest.raises(ValidationError):
            optimizer.id = "nothing"


class TestAppdynamics:
    def test_addresses_follow_from_base_tenant_and_id(self):
        optimizer = AppdynamicsOptimizer(**TENANT)
        assert optimizer.url == "https://tenant.example/rest/optimize/co/v1/optimizers/OPT/"
        assert optimizer.token_url == "https://tenant.example/auth/TENANT/default/oauth2/token"
        assert (optimizer.id, optimizer.name) == ("TENANT - OPT", "OPT")

    @pytest.mark.parametrize("missing", ["tenant_id", "base_url", "client_id", "client_secret"])
    def test_what_is_missing_is_named_with_its_variable(self, missing):
        values = {key: value for key, value in TENANT.items() if key != missing}
        with pytest.raises(ValidationError, match=f"{missing} must be given.*APPD_{missing.upper()}"):
            AppdynamicsOptimizer(**values)

    def test_a_token_needs_no_client(self):
        values = {key: value for key, value in TENANT.items() if not key.startswith("client")}
        assert AppdynamicsOptimizer(**values, token="X-SF-Token abc").client_id is None

    def test_variables_fill_it(self, monkeypatch):
        for key, value in TENANT.items():
            monkeypatch.setenv(f"APPD_{key.upper()}", value)
        assert AppdynamicsOptimizer() == AppdynamicsOptimizer(**TENANT)

    def test_a_connection_file_outranks_the_other_fields(self, tmp_path):
        optimizer = AppdynamicsOptimizer(**TENANT, connection_file=connection(tmp_path, "one"))
        assert optimizer.token.get_secret_value() == "Bearer one"
        assert optimizer.tenant_id == "FILE"
        assert optimizer.url == "https://one.example/rest/optimize/co/v1/optimizers/OPT/"

    def test_a_reloaded_file_changes_the_addresses_that_follow_from_it(self, tmp_path):
        """Reference 6.4: the URL was not refreshed after the connection file was read again."""
        optimizer = AppdynamicsOptimizer(optimizer_id="OPT", connection_file=connection(tmp_path, "one"))
        connection(tmp_path, "two")
        optimizer.load_connection_file()
        assert optimizer.token.get_secret_value() == "Bearer two"
        assert optimizer.url == "https://two.example/rest/optimize/co/v1/optimizers/OPT/"
        assert optimizer.token_url == "https://two.example/auth/FILE/default/oauth2/token"

    def test_an_address_that_was_given_stays(self, tmp_path):
        path = connection(tmp_path, "one")
        optimizer = AppdynamicsOptimizer(
            optimizer_id="OPT", url="https://mine.example/", connection_file=path
        )
        connection(tmp_path, "two")
        optimizer.load_connection_file()
        assert optimizer.url == "https://mine.example/"

    @pytest.mark.parametrize(
        ("content", "said"),
        [
            (None, "does not exist"),
            ("", "names none of"),
            ("[1]", "names none of"),
            ("a: [", "no YAML"),
            ("Endpoint: ftp://x", "connection.yaml: Endpoint: an address starts with http"),
            ('Authorization: "Bearer a\\nb"', "connection.yaml: Authorization: a token is one line"),
        ],
    )
    def test_a_file_that_cannot_be_used_is_named(self, tmp_path, monkeypatch, content, said):
        monkeypatch.setattr(module, "FILE_PATIENCE", 0)
        path = tmp_path / "connection.yaml"
        if content is not None:
            path.write_text(content)
        with pytest.raises((ConfigurationError, ValidationError), match=said):
            AppdynamicsOptimizer(optimizer_id="OPT", connection_file=path)

    def test_a_missing_file_is_waited_for(self, tmp_path, monkeypatch):
        """Reference 1.8: the sidecar that writes the file may start later than the agent."""
        pauses = []

        def sleep(seconds):
            pauses.append(seconds)
            if len(pauses) == 3:
                connection(tmp_path, "late")

        monkeypatch.setattr(module.time, "sleep", sleep)
        optimizer = AppdynamicsOptimizer(optimizer_id="OPT", connection_file=tmp_path / "connection.yaml")
        assert optimizer.token.get_secret_value() == "Bearer late"
        assert pauses == [0.5, 1.0, 2.0]


def connection(folder, name):
    path = folder / "connection.yaml"
    path.write_text(f"Authorization: Bearer {name}\nEndpoint: https://{name}.example\nTenantId: FILE\n")
    return path
