"""`trimtab tune` as a program, over a real application under real load, and what may happen to it meanwhile."""

import json
import signal

import pytest
import yaml

pytestmark = [pytest.mark.integration, pytest.mark.timeout(240)]

OBJECTIVE = ("--objective", "minimize latency_mean")
SHORT = (*OBJECTIVE, "--duration", "400ms", "--warmup", "100ms")


def test_finds_better_settings_leaves_them_in_place_and_nothing_running(tuning):
    it = tuning()
    done = it.run(*SHORT, "--trials", "12", "--output", "json")
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["verdict"] == "improved"
    assert found["improvement"] > 0.25
    low, high = found["interval"]
    assert 0 < low < found["improvement"] < high
    assert 3 <= found["settings"]["app.knob"] <= 9
    assert it.saved == {"knob": found["settings"]["app.knob"]}
    assert found["left_in_place"] == "The recommended settings are in place."
    assert "% better" in it.page
    assert it.document["session"]["id"] == found["session"]
    assert it.document["machine"]["Cores"]
    assert it.running() == []


def test_without_apply_the_baseline_is_put_back(tuning):
    it = tuning()
    done = it.run(*SHORT, "--trials", "10", "--no-apply", "--output", "yaml")
    assert done.returncode == 0, done.stderr
    found = yaml.safe_load(done.stdout)
    assert found["verdict"] == "improved"
    assert found["left_in_place"] == "The baseline was put back."
    assert it.saved == {"knob": 1}


def test_no_improvement_is_a_result_and_is_said(tuning):
    it = tuning("flat")
    done = it.run(*SHORT, "--trials", "9")
    assert done.returncode == 0, done.stderr
    assert "No improvement shown" in done.stdout
    assert it.saved == {"knob": 1}
    assert "No improvement shown" in it.page


def test_settings_that_do_not_come_up_are_trials_that_teach(tuning):
    it = tuning("picky")
    done = it.run(*SHORT, "--trials", "14", "--strategy", "random", "--seed", "3", "--output", "json")
    assert done.returncode == 0, done.stderr
    trials = it.document["trials"]
    rejected = [trial for trial in trials if trial["status"] == "rejected"]
    assert rejected
    assert all(trial["point"]["app.knob"] > 7 for trial in rejected)
    assert "does not fit" in rejected[0]["message"]
    assert it.saved["knob"] <= 7
    assert "did not come up" in it.page


def test_an_application_that_does_not_start_is_one_message_and_exit_1(tuning):
    it = tuning("dead")
    for _ in range(2):  # the first leaves nothing behind that the second would stumble over
        done = it.run(*SHORT, "--trials", "5")
        assert done.returncode == 1
        assert "the knob 1" in done.stdout
        assert "Traceback" not in done.stdout + done.stderr
    assert "the knob 1" in it.page


def test_nothing_measured_is_exit_3(tuning):
    it = tuning("broken")
    done = it.run(*SHORT, "--trials", "4", "--output", "json")
    assert done.returncode == 3, done.stderr
    assert json.loads(done.stdout)["verdict"] == "not measured"
    assert "Nothing was measured" in it.page
    assert "not one of" in it.page


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_a_signal_restores_the_settings_and_writes_the_report(tuning, number, code):
    it = tuning()
    process = it.start(*SHORT, "--trials", "200", "--output", "json")
    it.interrupt_after(process, number, trials=4)
    done = it.finish(process)
    assert done.returncode == code, done.stderr
    assert json.loads(done.stdout)["state"] == "cancelled"
    assert len(it.document["trials"]) >= 4
    assert "The baseline was put back." in it.page
    assert it.saved == {"knob": 1}
    assert it.running() == []


def test_killed_it_is_continued_from_the_database(tuning):
    it = tuning()
    process = it.start(*SHORT, "--trials", "12")
    it.interrupt_after(process, signal.SIGKILL, trials=4)
    assert it.finish(process).returncode == -signal.SIGKILL

    again = it.run(*SHORT, "--trials", "12")
    assert again.returncode == 1
    assert "--resume" in again.stderr

    done = it.run("--resume", "--output", "json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["trials"] == len(it.document["trials"]) <= 12
    assert it.document["session"]["state"] == "finished"
    hellos = [event for event in it.document["timeline"] if event["kind"] == "hello"]
    assert len(hellos) == 2
    assert it.running() == []


def test_a_dry_run_checks_and_changes_nothing(tuning):
    it = tuning()
    done = it.run("--dry-run", *OBJECTIVE)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "PASSED" in done.stdout
    assert not (it.folder / "report").exists()
    assert it.running() == []


def test_a_dry_run_of_what_does_not_start_fails(tuning):
    done = tuning("dead").run("--dry-run")
    assert done.returncode == 1
    assert "FAILED" in done.stdout


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--objective", "maximize speed"), "'speed'"),
        (("--objective", "minimize latency_mean +"), "column"),
        (("--objective", "minimize cost", "--price", "app.knbo=3"), "app.knbo"),
        (("--objective", "minimize cost", "--price", "app.knob"), "app.knob"),
        (("--objective", "minimize latency_mean", "--slo", "error_rate <= 5ms"), "error_rate"),
        (("--objective", "minimize latency_mean", "--strategy", "magic"), "magic"),
        (("--resume",), "no unfinished session"),
        (("--session", "session-1"), "session-1"),
        ((), "--objective"),
    ],
)
def test_wrong_usage_is_one_message_and_exit_2(tuning, options, said):
    done = tuning().run(*options)
    assert done.returncode == 2, done.stderr
    assert said in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_a_mistake_in_the_configuration_is_shown_with_its_place(tuning):
    it = tuning()
    it.config.write_text(it.config.read_text().replace("rate: 60", "rate: fast"))
    done = it.run(*SHORT)
    assert done.returncode == 2
    assert "servo.yaml:" in done.stderr
    assert "load.rate" in done.stderr


def test_a_configuration_that_is_not_there_is_named(tuning):
    it = tuning()
    it.config.unlink()
    done = it.run(*SHORT)
    assert done.returncode == 2
    assert str(it.config) in done.stderr
