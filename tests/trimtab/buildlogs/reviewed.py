"""What is reviewed of a log's parse: run with names of logs, it writes the expected parse beside each, for somebody to read."""

import json
import sys
from pathlib import Path

from trimtab.buildlogs import parse

CORPUS = Path(__file__).parent / "corpus"


def summary(log: bytes):
    """What a reader of the log would say of it."""
    document = parse(log).document
    breaker = document["build_breaker"]
    return {
        "outcome": document["outcome"],
        "installation_successful": document["installation_successful"],
        "exit_code": document["exit_code"],
        "tools": [" ".join(filter(None, each.values())) for each in document["tools"]],
        "installed": [
            f"{each['package_name']} {each['package_version']} {each['artifact']}"
            for each in document["installation"]
            if each["is_successful"]
        ],
        "failed": document["failed"],
        "recovered": document["recovered"],
        "build_breaker": breaker and _error(breaker),
        "errors": [_error(each) for each in document["errors"]],
        "steps": [
            f"{each['number']}/{each['total']} {each['state']} {each['seconds']} {each['exit_code']} {each['instruction']}"
            for each in document["steps"]
        ],
        "packages": [f"{each['manager']} {each['name']} {each['version']}" for each in document["packages"]],
        "push": document["info"]["push_destination"],
    }


def _error(error):
    recovered = ", recovered" if error["recovered"] else ""
    return f"line {error['line']}: {error['class']} ({error['kind']}) {error['package']} {error['version']}{recovered}"


def write(path: Path) -> None:
    path.with_suffix(".json").write_text(
        json.dumps(summary(path.read_bytes()), indent=1, ensure_ascii=False) + "\n"
    )


if __name__ == "__main__":
    for name in sys.argv[1:] or sorted(map(str, CORPUS.glob("*/*.log"))):
        write(Path(name))
