"""The notebooks of the documents do what they say."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
NOTEBOOKS = sorted((REPOSITORY / "docs" / "notebooks").glob("*.ipynb"))


def outputs(path: Path) -> list[str]:
    cells = [each for each in json.loads(path.read_text())["cells"] if each["cell_type"] == "code"]
    return [
        "".join("".join(out.get("text", out.get("data", ""))) for out in each["outputs"]) for each in cells
    ]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_what_is_committed_was_run_and_nothing_failed(path):
    cells = [each for each in json.loads(path.read_text())["cells"] if each["cell_type"] == "code"]
    assert [each["execution_count"] for each in cells] == list(range(1, len(cells) + 1))
    assert not [out for each in cells for out in each["outputs"] if out["output_type"] == "error"]


@pytest.mark.integration
@pytest.mark.timeout(300)
def test_each_notebook_runs_from_its_beginning(tmp_path):
    """By a kernel of this environment, with inspections that the process engine really makes."""
    script = REPOSITORY / "scripts" / "run-notebooks"
    done = subprocess.run(
        [sys.executable, str(script), "--to", str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=290,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = outputs(tmp_path / "inspections.ipynb")
    assert any("16 rows" in text for text in found)
    assert any("slower" in text or "no difference shown" in text for text in found)
    assert sum("image/png" in text for text in found) == 1
