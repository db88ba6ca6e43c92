"""The original's own client, thamos, against a real server: it submits builds and images, and follows them."""

import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]

BIN = Path(sys.executable).parent
PACKAGES = ("thamos==1.29.1", "six==1.17.0", "urllib3==1.26.20", "certifi", "python-dateutil==2.9.0")
SCRIPT = """
import json, sys, time
import thamos.swagger_client as original
from thamos.swagger_client.rest import ApiException

configuration = original.Configuration()
configuration.host = sys.argv[1] + "/api/v1"
client = original.ApiClient(configuration=configuration)
builds, images = original.BuildAnalysisApi(client), original.ImageAnalysisApi(client)
image, log = sys.argv[2], {"log": sys.argv[3], "apiversion": None, "kind": "BuildLog", "metadata": None}
told = {}


def ended(name):
    while not (status := images.get_analyze_status(name).status).finished_at:
        time.sleep(0.2)
    return status.state


# As thamos.lib calls it, which leaves out what is None.
body = {"build_log": log, "base_image": None, "output_image": image}
build = builds.post_build(body=body, output_registry_verify_tls=False, environment_type="runtime", debug=False, force=False)
told["log"] = ended(build.buildlog_analysis.analysis_id)
told["image"] = ended(build.output_image_analysis.analysis_id)
told["base"] = build.base_image_analysis
told["line"] = images.get_analyze_log(build.output_image_analysis.analysis_id).log
one = images.post_analyze(image=image, verify_tls=False)
told["cached"] = one.cached, one.analysis_id == build.output_image_analysis.analysis_id
found = images.get_analyze(one.analysis_id, _preload_content=False)
told["deb"] = json.loads(found.data)["result"]["deb"]
try:
    builds.post_build(body={"build_log": {}, "base_image": None, "output_image": None})
except ApiException as error:
    told["nothing"] = error.status, json.loads(error.body)["error"]
try:
    images.get_analyze("package-extract-261127061500-0123456789abcdef")
except ApiException as error:
    told["unknown"] = error.status
told["headers"] = sorted(each for each in client.last_response.getheaders() if each.startswith("x-thoth"))
print(json.dumps(told))
"""


@pytest.fixture(scope="module")
def client(tmp_path_factory):
    """Where the client is installed."""
    place = tmp_path_factory.mktemp("thamos")
    command = [BIN / "uv", "pip", "install", "--quiet", "--no-deps", "--target", place, *PACKAGES]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"the client cannot be installed: {done.stderr.strip()[-300:]}")
    yield place
    shutil.rmtree(place)


@pytest.fixture
def server(tmp_path):
    """`trimtab serve`: its URL."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("TRIMTAB_")}
    log = tmp_path / "log"
    with log.open("w") as stream:
        process = subprocess.Popen(
            [BIN / "trimtab", "serve", "--port", "0", "--engine", "docker"],
            env=kept | {"TRIMTAB_HOME": str(tmp_path / "home")},
            stdout=stream,
            stderr=stream,
        )
    try:
        while not (found := re.search(r"running on (http://\S+:\d+)", log.read_text())):
            assert process.poll() is None, log.read_text()
            time.sleep(0.1)
        yield found[1]
    finally:
        process.terminate()
        process.wait(60)


def test_it_submits_builds_and_images_and_follows_them(client, server, registry):
    registry.push()
    text = "Collecting six==1.16.0\nSuccessfully installed six-1.16.0\n"
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, server, f"{registry.host}/app:1", text],
        env={**os.environ, "PYTHONPATH": str(client)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told.pop("line").endswith("succeeded\n")
    assert told == {
        "log": "succeeded",
        "image": "succeeded",
        "base": None,
        "cached": [True, True],
        "deb": [{"name": "a", "version": "1", "arch": ""}],
        "nothing": [400, "No base, output nor build log provided"],
        "unknown": 404,
        "headers": ["x-thoth-search-ui-url", "x-thoth-version"],
    }
