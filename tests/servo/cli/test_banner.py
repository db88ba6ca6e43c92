"""The banner of `servo run` (reference 3.7)."""

import re
from types import SimpleNamespace

import pytest

from servo.cli.banner import ART, COLORS, banner, details
from servo.utilities.strings import without_password


@pytest.mark.parametrize("name", ["RED", "green", "Blue", "MAGENTA"])
def test_the_color_is_that_of_the_variable(name):
    assert set(re.findall(r"\x1b\[(\d+)m", banner({"SERVO_BANNER_COLOR": name}))) == {
        str(COLORS[name.upper()]),
        "0",
    }


def test_rainbow_gives_lines_their_own():
    codes = [
        code for code in re.findall(r"\x1b\[(\d+)m", banner({"SERVO_BANNER_COLOR": "RAINBOW"})) if code != "0"
    ]
    assert len(set(codes)) == len(codes) == len(ART.strip("\n").splitlines())


def test_an_unknown_color_or_font_does_no_harm():
    assert "\x1b[36m" in banner({"SERVO_BANNER_COLOR": "PUCE", "SERVO_BANNER_FONT": "graffiti"})


def test_without_colors_it_is_plain():
    assert "\x1b" not in banner({"SERVO_BANNER_COLOR": "RED"}, color=False)


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("http://proxy:3128", "http://proxy:3128"),
        ("http://user:secret@proxy:3128/x", "http://***@proxy:3128/x"),
        ("user:p@ss@proxy", "***@proxy"),
        ("none", "none"),
    ],
)
def test_passwords_of_urls_are_masked(url, shown):
    assert without_password(url) == shown


def servo_like(**optimizer):
    optimizer = {"id": "example.com/app", "base_url": "https://api.opsani.com"} | optimizer
    connector = type("Web", (), {"name": "Fake", "version": "1.0.0"})()
    connector.name = "web"
    config = SimpleNamespace(
        optimizer=SimpleNamespace(**optimizer),
        servo_uid="8b6f",
        settings=SimpleNamespace(proxies={"all://": "http://a:b@p:1"}),
    )
    return SimpleNamespace(config=config, connectors=[connector], version_summary=lambda: "Servo v1")


def test_the_details_name_what_is_about_to_run_without_secrets(tmp_path):
    lines = list(details(servo_like(), tmp_path / "servo.yaml"))
    assert lines == [
        "Servo v1",
        "",
        "connectors: web (Fake v1.0.0)",
        f"config file: {tmp_path / 'servo.yaml'}",
        "servo uid: 8b6f",
        "optimizer: example.com/app",
        "proxies: all:// http://***@p:1",
    ]


def test_a_base_url_of_ones_own_is_told(tmp_path):
    assert "base url: http://127.0.0.1:1" in list(
        details(servo_like(base_url="http://127.0.0.1:1"), tmp_path)
    )
