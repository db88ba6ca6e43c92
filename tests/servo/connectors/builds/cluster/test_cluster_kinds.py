"""What objects of a cluster tell of builds, by the shapes that their makers document."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from servo.connectors.builds.build import Phase
from servo.connectors.builds.cluster.kind import Outcome, Pods
from servo.connectors.builds.cluster.kinds import KINDS
from servo.connectors.builds.cluster.openshift import stream_of_base, with_digest
from servo.connectors.builds.cluster.position import Position, Running

DIGEST = "sha256:" + "a" * 64
META = {"name": "app-1", "namespace": "team", "uid": "0b1c", "resourceVersion": "7"}


def openshift(phase="Complete", **status):
    strategy = {
        "type": "Docker",
        "dockerStrategy": {"from": {"kind": "DockerImage", "name": "r.example/python:3.11"}},
    }
    status = {
        "phase": phase,
        "outputDockerImageReference": "r.example:5000/team/app:latest",
        "startTimestamp": "2026-01-02T03:04:05Z",
        "completionTimestamp": "2026-01-02T03:05:05Z",
        **status,
    }
    return {"metadata": META, "spec": {"strategy": strategy}, "status": status}


def taskrun(status="True", reason="Succeeded", **more):
    return {
        "metadata": META,
        "spec": {"params": [{"name": "BUILDER_IMAGE", "value": "r.example/buildah"}]},
        "status": {
            "conditions": [{"type": "Succeeded", "status": status, "reason": reason, "message": "m"}],
            "podName": "app-1-pod",
            "startTime": "2026-01-02T03:04:05Z",
            "completionTime": "2026-01-02T03:04:06Z",
            "taskSpec": {"results": [{"name": "IMAGE_URL"}, {"name": "IMAGE_DIGEST"}]},
            **more,
        },
    }


def buildrun(status="True", reason="Succeeded", **more):
    spec = {
        "output": {"image": "r.example/team/app:1"},
        "paramValues": [{"name": "builder-image", "value": "b.example/x"}],
    }
    condition = {"type": "Succeeded", "status": status, "reason": reason}
    return {
        "metadata": META,
        "spec": {"build": {"name": "app"}},
        "status": {"buildSpec": spec, "conditions": [condition], **more},
    }


def outcome(kind: str, obj) -> Outcome:
    found = KINDS[kind].outcome(obj)
    assert found is not None
    return found


class TestOpenShift:
    @pytest.mark.parametrize(
        ("phase", "expected"),
        [
            ("Complete", Phase.complete),
            ("Failed", Phase.failed),
            ("Error", Phase.error),
            ("Cancelled", Phase.cancelled),
        ],
    )
    def test_every_way_to_end_is_one(self, phase, expected):
        """W1: failed builds were never sent; errors and cancelled ones neither."""
        assert outcome("openshift-builds", openshift(phase)).phase is expected

    @pytest.mark.parametrize("phase", ["New", "Pending", "Running", "Surprise", None])
    def test_what_goes_on_is_not_over(self, phase):
        assert KINDS["openshift-builds"].outcome(openshift(phase)) is None

    def test_output_is_named_by_its_digest(self):
        found = outcome("openshift-builds", openshift(output={"to": {"imageDigest": DIGEST}}))
        assert found.output == f"r.example:5000/team/app@{DIGEST}"
        assert found.base == "r.example/python:3.11"
        assert found.finished - found.started == 60

    def test_failed_build_has_no_output(self):
        assert outcome("openshift-builds", openshift("Failed")).output is None

    def test_tag_of_an_image_stream_is_not_taken_for_an_image(self):
        """The original sent it as a reference, which no registry knows."""
        build = openshift()
        build["spec"]["strategy"]["dockerStrategy"]["from"] = {
            "kind": "ImageStreamTag",
            "name": "python:3.11",
            "namespace": "openshift",
        }
        assert outcome("openshift-builds", build).base is None
        assert stream_of_base(build) == ("openshift", "python:3.11")

    def test_docker_strategy_without_from_has_no_base_that_it_tells(self):
        build = openshift()
        del build["spec"]["strategy"]["dockerStrategy"]["from"]
        assert outcome("openshift-builds", build).base is None

    def test_its_pod_is_named_by_an_annotation_or_as_openshift_does(self):
        kind = KINDS["openshift-builds"]
        assert kind.pods(openshift()) == Pods(name="app-1-build")
        named = {"metadata": {**META, "annotations": {"openshift.io/build.pod-name": "p"}}}
        assert kind.pods(named) == Pods(name="p")

    def test_timeout_is_one(self):
        assert (
            outcome("openshift-builds", openshift("Failed", reason="BuildPodDeadlineExceeded")).phase
            is Phase.timed_out
        )


class TestTekton:
    @pytest.mark.parametrize(
        ("status", "reason", "expected"),
        [
            ("True", "Succeeded", Phase.complete),
            ("False", "Failed", Phase.failed),
            ("False", "TaskRunTimeout", Phase.timed_out),
            ("False", "TaskRunCancelled", Phase.cancelled),
            ("False", "Cancelled", Phase.cancelled),
        ],
    )
    def test_phases(self, status, reason, expected):
        assert outcome("tekton-taskruns", taskrun(status, reason)).phase is expected

    def test_running_is_not_over(self):
        assert KINDS["tekton-taskruns"].outcome(taskrun("Unknown", "Running")) is None

    @pytest.mark.parametrize("key", ["results", "taskResults"])
    def test_results_name_the_image_in_both_versions_of_the_api(self, key):
        results = [
            {"name": "IMAGE_URL", "value": "r.example/app:1\n"},
            {"name": "IMAGE_DIGEST", "value": f"{DIGEST}\n"},
        ]
        found = outcome("tekton-taskruns", taskrun(**{key: results}))
        assert found.output == f"r.example/app@{DIGEST}"
        assert found.base == "r.example/buildah"
        assert found.pods == Pods(name="app-1-pod")

    def test_results_with_a_prefix_name_it_if_there_is_only_one(self):
        results = [{"name": "app_IMAGE_URL", "value": "r.example/app:1"}]
        assert outcome("tekton-taskruns", taskrun(results=results)).output == "r.example/app:1"
        results.append({"name": "other_IMAGE_URL", "value": "r.example/other:1"})
        assert outcome("tekton-taskruns", taskrun(results=results)).output is None

    def test_failed_run_is_known_for_a_build_by_what_it_declares(self):
        kind = KINDS["tekton-taskruns"]
        assert kind.is_build(taskrun("False", "Failed"))
        assert not kind.is_build(taskrun(taskSpec={"results": [{"name": "coverage"}]}))

    def test_exit_code_is_that_of_the_step_that_failed(self):
        steps = [{"terminated": {"exitCode": code}} for code in (0, 3, 1)]
        assert outcome("tekton-taskruns", taskrun("False", "Failed", steps=steps)).exit_code == 3

    def test_pipeline_tells_of_its_pods_by_a_label(self):
        run = taskrun(pipelineSpec={"results": [{"name": "IMAGE_URL"}]})
        assert KINDS["tekton-pipelineruns"].is_build(run)
        assert outcome("tekton-pipelineruns", run).pods == Pods(labels="tekton.dev/pipelineRun=app-1")


class TestShipwright:
    @pytest.mark.parametrize(
        ("status", "reason", "expected"),
        [
            ("True", "Succeeded", Phase.complete),
            ("False", "Failed", Phase.failed),
            ("False", "BuildRunTimeout", Phase.timed_out),
            ("False", "BuildRunCanceled", Phase.cancelled),
        ],
    )
    def test_phases(self, status, reason, expected):
        assert outcome("shipwright-buildruns", buildrun(status, reason)).phase is expected

    def test_images(self):
        found = outcome("shipwright-buildruns", buildrun(output={"digest": DIGEST}))
        assert found.output == f"r.example/team/app@{DIGEST}"
        assert found.base == "b.example/x"

    def test_failure_is_told_in_its_own_words(self):
        found = outcome(
            "shipwright-buildruns",
            buildrun("False", "Failed", failureDetails={"reason": "OOM", "message": "killed"}),
        )
        assert (found.reason, found.message) == ("OOM", "killed")


class TestWorkloads:
    def job(self, kind="Complete", **condition):
        return {
            "metadata": META,
            "spec": {
                "template": {
                    "spec": {"containers": [{"name": "b", "args": ["--destination=r.example/app:1", "--x"]}]}
                }
            },
            "status": {"conditions": [{"type": kind, "status": "True", **condition}]},
        }

    def test_job_that_is_over(self):
        found = outcome("jobs", self.job())
        assert (found.phase, found.output, found.pods) == (
            Phase.complete,
            "r.example/app:1",
            Pods(labels="controller-uid=0b1c"),
        )

    def test_deadline_is_a_timeout(self):
        assert outcome("jobs", self.job("Failed", reason="DeadlineExceeded")).phase is Phase.timed_out

    def test_suspended_job_goes_on(self):
        assert KINDS["jobs"].outcome(self.job("Suspended")) is None

    def test_annotations_say_what_is_built(self):
        job = self.job()
        job["spec"]["template"]["metadata"] = {
            "annotations": {"builds.servo/base-image": "b", "builds.servo/output-image": "o"}
        }
        assert (outcome("jobs", job).base, outcome("jobs", job).output) == ("b", "o")

    def test_pod_tells_exit_code_and_reason_of_what_failed(self):
        states = [
            {"name": "a", "state": {"terminated": {"exitCode": 0}}},
            {
                "name": "b",
                "state": {
                    "terminated": {
                        "exitCode": 137,
                        "reason": "OOMKilled",
                        "finishedAt": "2026-01-02T03:04:05Z",
                    }
                },
            },
        ]
        found = outcome(
            "pods", {"metadata": META, "spec": {}, "status": {"phase": "Failed", "containerStatuses": states}}
        )
        assert (found.phase, found.exit_code, found.reason) == (Phase.failed, 137, "OOMKilled")
        assert found.finished is not None


class TestDigest:
    @pytest.mark.parametrize(
        ("name", "expected"),
        [
            ("app", f"app@{DIGEST}"),
            ("r.example:5000/app", f"r.example:5000/app@{DIGEST}"),
            ("r.example:5000/team/app:1", f"r.example:5000/team/app@{DIGEST}"),
            (f"r.example/app@{DIGEST}", f"r.example/app@{DIGEST}"),
        ],
    )
    def test_takes_the_place_of_the_tag(self, name, expected):
        assert with_digest(name, DIGEST) == expected

    def test_that_is_none_is_left_out(self):
        assert with_digest("app:1", "latest") == "app:1"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            st.sampled_from(
                [
                    "status",
                    "spec",
                    "conditions",
                    "metadata",
                    "phase",
                    "results",
                    "strategy",
                    "name",
                    "type",
                    "containers",
                    "state",
                    "terminated",
                    "args",
                    "from",
                ]
            )
            | st.text(max_size=5),
            inner,
            max_size=5,
        )
    ),
    max_leaves=20,
)


@given(st.sampled_from(sorted(KINDS)), st.dictionaries(st.sampled_from(["metadata", "spec", "status"]), JSON))
def test_no_object_is_so_odd_that_it_raises(kind, obj):
    KINDS[kind].is_build(obj)
    KINDS[kind].outcome(obj)
    KINDS[kind].base(obj)
    KINDS[kind].pods(obj)


@given(
    st.none() | st.text(max_size=20),
    st.none() | st.floats(0, 1e10),
    st.dictionaries(
        st.text(max_size=10), st.builds(Running, st.text(max_size=5), st.text(max_size=5)), max_size=5
    ),
)
def test_position_is_what_was_written(version, since, running):
    assert Position.parse(Position(version, since, running).text()) == Position(version, since, running)


@given(st.text() | JSON.map(str))
def test_position_of_anything_else_is_a_new_one(text):
    if not text.startswith("{"):
        assert Position.parse(text) == Position()
