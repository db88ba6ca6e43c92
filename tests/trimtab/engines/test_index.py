"""Where packages come from is read from pip's and uv's configuration."""

import tomllib

import pytest

from trimtab.engines import index as module
from trimtab.engines.index import Index

NOTHING = {"HOME": "/nonexistent", "XDG_CONFIG_DIRS": "/nonexistent", "PIP_CONFIG_FILE": "/dev/null"}


@pytest.fixture(autouse=True)
def _not_this_machines(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "_ETC", tmp_path / "etc")


def test_without_configuration_the_tools_decide():
    index = Index.of_this_machine(NOTHING)
    assert index == Index(proxies={})
    assert index.uv_toml() == ""
    assert index.pip_conf() == "[global]\n"


def test_what_pip_is_told_holds_for_uv(tmp_path):
    file = tmp_path / "pip.conf"
    file.write_text(
        "[global]\nindex_url = https://mirror.example.com/simple\nextra-index-url =\n  https://a.example.com\n"
        "  https://b.example.com\ntrusted-host = mirror.example.com\n[install]\nfind-links = /wheels\n"
    )
    index = Index.of_this_machine(
        NOTHING | {"PIP_CONFIG_FILE": str(file), "HTTPS_PROXY": "http://proxy:3128"}
    )
    assert index.uv_environment() == {
        "UV_DEFAULT_INDEX": "https://mirror.example.com/simple",
        "UV_INDEX": "https://a.example.com https://b.example.com",
        "UV_FIND_LINKS": "/wheels",
        "UV_INSECURE_HOST": "mirror.example.com",
        "UV_INDEX_STRATEGY": "unsafe-best-match",
        "https_proxy": "http://proxy:3128",
        "HTTPS_PROXY": "http://proxy:3128",
    }


def test_uv_is_asked_before_pip(tmp_path):
    (tmp_path / "uv.toml").write_text(
        '[[index]]\nurl = "https://uv.example.com"\ndefault = true\n[[index]]\nname = "x"\nurl = "https://x.example.com"\n'
    )
    index = Index.of_this_machine(
        NOTHING | {"UV_CONFIG_FILE": str(tmp_path / "uv.toml"), "PIP_INDEX_URL": "https://pip.example.com"}
    )
    assert index.default == "https://uv.example.com"
    assert index.extra == ("https://x.example.com",)
    by_variable = Index.of_this_machine(NOTHING | {"UV_DEFAULT_INDEX": "main=https://v.example.com"})
    assert by_variable.default == "https://v.example.com"


def test_the_files_for_a_container_say_the_same_and_leave_out_this_machines_paths():
    index = Index(
        "https://m.example.com/simple", ("file:///opt", "https://x.example.com"), ("/wheels",)
    ).remote()
    assert index.find_links == ()
    assert index.pip_conf() == (
        "[global]\nindex-url = https://m.example.com/simple\nextra-index-url = https://x.example.com\n"
    )
    assert tomllib.loads(index.uv_toml())["index"] == [
        {"url": "https://x.example.com"},
        {"url": "https://m.example.com/simple", "default": True},
    ]


def test_sources_of_a_lock_are_added_but_not_those_that_stand_for_the_default():
    index = Index().with_sources(
        ("https://pypi.example/simple", "https://own.example.com/simple"), ("https://own.example.com/simple",)
    )
    assert index.extra == ("https://own.example.com/simple",)
    assert index.trusted_hosts == ("own.example.com",)


@pytest.mark.parametrize("content", ["[global\nindex-url", "\x00\x01", "index-url = x"])
def test_a_broken_file_is_for_its_own_tool_to_complain_of(tmp_path, content):
    file = tmp_path / "conf"
    file.write_text(content)
    assert (
        Index.of_this_machine(NOTHING | {"PIP_CONFIG_FILE": str(file), "UV_CONFIG_FILE": str(file)}).default
        is None
    )


def test_a_certificate_that_is_not_there_is_not_passed_on(tmp_path):
    (tmp_path / "ca.pem").touch()
    assert Index.of_this_machine(NOTHING | {"PIP_CERT": str(tmp_path / "gone.pem")}).certificate is None
    assert (
        Index.of_this_machine(NOTHING | {"SSL_CERT_FILE": str(tmp_path / "ca.pem")}).certificate
        == tmp_path / "ca.pem"
    )


def test_how_long_the_answers_of_an_index_are_fresh_is_told_to_uv():
    index = Index("https://pypi.example/simple", ("https://registry.example/simple",))
    document = tomllib.loads(index.uv_toml({"api": "max-age=600"}))
    assert [each["cache-control"] for each in document["index"]] == [{"api": "max-age=600"}] * 2
    assert "cache-control" not in index.uv_toml()
