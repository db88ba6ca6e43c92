"""The .env file (reference appendix A)."""

import os
import sys

import pytest

from servo.cli import main
from servo.cli.environment import load_dotenv
from servo.cli.initialization import write_dotenv


@pytest.fixture(autouse=True)
def _environment(monkeypatch):
    monkeypatch.setattr(os, "environ", os.environ.copy())


def test_the_file_is_found_upward(tmp_path, monkeypatch):
    (tmp_path / ".env").write_text("OPSANI_TOKEN=abc\n")
    deep = tmp_path / "a" / "b"
    deep.mkdir(parents=True)
    assert load_dotenv(deep) == tmp_path / ".env"
    assert os.environ["OPSANI_TOKEN"] == "abc"


def test_the_nearest_file_wins(tmp_path):
    (tmp_path / ".env").write_text("OPSANI_TOKEN=far\n")
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / ".env").write_text("OPSANI_TOKEN=near\n")
    load_dotenv(tmp_path / "a")
    assert os.environ["OPSANI_TOKEN"] == "near"


def test_a_variable_that_is_set_keeps_its_value(tmp_path, monkeypatch):
    monkeypatch.setitem(os.environ, "OPSANI_TOKEN", "mine")
    (tmp_path / ".env").write_text("OPSANI_TOKEN=theirs\n")
    load_dotenv(tmp_path)
    assert os.environ["OPSANI_TOKEN"] == "mine"


def test_a_file_that_is_no_text_is_one_message(tmp_path, monkeypatch, capsys):
    (tmp_path / ".env").write_bytes(b"A=b\n\xff\xfe=\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["servo", "version"])
    with pytest.raises(SystemExit) as caught:
        main()
    assert caught.value.code == 2
    file = tmp_path / ".env"
    assert capsys.readouterr().err == (
        f"Error: the file '{file}' cannot be read: it is no UTF-8 text; mend it, or move it away\n"
    )


def test_a_directory_of_that_name_is_passed_over(tmp_path):
    (tmp_path / "a" / ".env").mkdir(parents=True)
    (tmp_path / ".env").write_text("X_FROM_DOTENV=1\n")
    assert load_dotenv(tmp_path / "a") == tmp_path / ".env"


def test_what_is_written_is_private_and_is_read_back(tmp_path):
    file = tmp_path / ".env"
    token = "a b'c\\d#e $HOME"
    write_dotenv(file, {"OPSANI_OPTIMIZER": "example.com/app", "OPSANI_TOKEN": token})
    assert file.stat().st_mode & 0o777 == 0o600
    load_dotenv(tmp_path)
    assert os.environ["OPSANI_TOKEN"] == token
    assert os.environ["OPSANI_OPTIMIZER"] == "example.com/app"


def test_other_lines_of_an_existing_file_are_kept(tmp_path):
    file = tmp_path / ".env"
    file.write_text("# mine\nOTHER=1\nexport OPSANI_TOKEN=old\n")
    file.chmod(0o644)
    write_dotenv(file, {"OPSANI_TOKEN": "new"})
    assert file.read_text() == "# mine\nOTHER=1\nOPSANI_TOKEN=new\n"
    assert file.stat().st_mode & 0o777 == 0o600
    assert [it.name for it in tmp_path.iterdir()] == [".env"]


def test_main_loads_it_before_anything_else(tmp_path, monkeypatch, capsys):
    (tmp_path / ".env").write_text("SERVO_CONFIG_FILE=from-dotenv.yaml\n")
    monkeypatch.setattr(sys, "argv", ["servo", "list"])
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 2
    assert "from-dotenv.yaml' does not exist" in capsys.readouterr().err


def test_ctrl_c_before_a_command_began_is_an_exit_code_and_no_traceback(monkeypatch):
    def interrupt():
        raise KeyboardInterrupt

    monkeypatch.setattr("servo.cli.environment.load_dotenv", interrupt)
    with pytest.raises(SystemExit) as end:
        main()
    assert end.value.code == 130
