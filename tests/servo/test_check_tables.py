"""The tables of checks (reference 1.7)."""

from servo.check_tables import check_records, check_table
from servo.types.checks import Check
from servo.types.core import ErrorSeverity

GOOD = Check(name="Connects", id="check_connects", success=True, message="in 3 ms", tags={"b", "a"})
BAD = Check(
    name="Answers", id="check_answers", success=False, message="no answer", severity=ErrorSeverity.critical
)
WORSE = Check(name="Lives", id="check_lives", success=False)
MEH = Check(
    name="Is quick", id="check_quick", success=False, severity=ErrorSeverity.warning, message="word " * 40
)


def test_the_normal_table_has_a_verdict_per_connector_with_numbered_errors():
    assert check_table({"web": [GOOD, BAD, WORSE], "load": [GOOD]}).splitlines() == [
        "CONNECTOR    STATUS    ERRORS",
        "web          X FAILED  (1/2) Answers: no answer",
        "                       (2/2) Lives",
        "load         √ PASSED",
    ]


def test_a_warning_is_no_failure():
    assert "√ PASSED" in check_table({"web": [MEH]})


def test_the_verbose_table_has_a_line_per_check():
    lines = check_table({"web": [GOOD, BAD, MEH]}, verbose=True).splitlines()
    assert lines[0].split() == ["CONNECTOR", "CHECK", "ID", "TAGS", "STATUS", "MESSAGE"]
    assert lines[1].split() == [
        "web",
        "Connects",
        "check_connects",
        "a,",
        "b",
        "√",
        "PASSED",
        "in",
        "3",
        "ms",
    ]
    assert lines[2].split() == ["web", "Answers", "check_answers", "-", "X", "FAILED", "no", "answer"]
    assert "! WARNING" in lines[3]


def test_messages_are_shortened_to_seventy_characters_and_absent_ones_dashed():
    lines = check_table({"web": [MEH, WORSE]}, verbose=True).splitlines()
    message = lines[1].split("WARNING", 1)[1].strip()
    assert len(message) <= 70
    assert message.endswith("[...]")
    assert lines[2].split()[-1] == "-"


def test_records_hold_what_a_program_asks_for():
    assert check_records({"web": [BAD]}) == [
        {
            "connector": "web", "id": "check_answers", "name": "Answers", "severity": "critical", "tags": [],
            "success": False, "passed": False, "message": "no answer", "hint": None,
        }
    ]  # fmt: skip
