"""A program named vegeta: the real one where there is one, else ours that speaks as it does."""

from __future__ import annotations

import os
import shutil
import sys
from pathlib import Path

import pytest


@pytest.fixture
def vegeta(tmp_path, monkeypatch) -> Path:
    """The program on the path."""
    if found := shutil.which("vegeta"):
        return Path(found)
    source = Path(__file__).with_name("program.py").read_text()
    return install(tmp_path, monkeypatch, f"#!{sys.executable} -S\n{source}")


@pytest.fixture
def scripted(tmp_path, monkeypatch):
    """Puts a shell script on the path as vegeta."""
    return lambda text: install(tmp_path, monkeypatch, f"#!/bin/sh\n{text}")


def install(folder: Path, monkeypatch, text: str) -> Path:
    program = folder / "bin" / "vegeta"
    program.parent.mkdir()
    program.write_text(text)
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    return program
