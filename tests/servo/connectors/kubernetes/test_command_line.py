"""The connector as people use it: `servo` with a servo.yaml, and `servo kubernetes clean` without one."""

from __future__ import annotations

import asyncio
import json
import os
import re
import sys

import pytest
import yaml

pytestmark = [pytest.mark.integration, pytest.mark.timeout(400)]

MAIN = [sys.executable, "-c", "from servo.cli import main; main()"]


async def run(*arguments: str, code: int = 0, **environment: str) -> str:
    process = await asyncio.create_subprocess_exec(
        *MAIN,
        *arguments,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=os.environ | environment,
    )
    out, err = await asyncio.wait_for(process.communicate(), 150)
    assert process.returncode == code, out.decode()[-3000:] + err.decode()[-3000:]
    return out.decode() + (err.decode() if code else "")


async def test_a_servo_describes_checks_and_adjusts_and_what_it_left_is_cleaned(
    world, make, fields, record, before, tmp_path
):
    await world.make(make["deployment"]("web"))
    await world.make(make["deployment"]("api"))
    section = {
        "kubeconfig": str(world.kubeconfig),
        "namespace": world.namespace,
        "deployments": [make["target"](), make["target"]("api", alias="api", strategy={"type": "canary", "alias": "tuning"})],
    }  # fmt: skip
    file = tmp_path / "servo.yaml"
    file.write_text(yaml.safe_dump({"optimizer": {"id": "dev.example.com/app", "token": "t"}, "connectors": ["kubernetes"], "kubernetes": section}))  # fmt: skip
    servo = ("-c", str(file))
    # Its optimizer is not to be had here, and says so.
    assert re.search("kubernetes +√ PASSED", await run(*servo, "check", code=1))
    await run(*servo, "adjust", "main.cpu=0.03", "tuning.cpu=0.02")
    assert fields(await world.get())["requests.cpu"] == "30m"
    assert await world.tuning("api") is not None
    refused = await run(*servo, "adjust", "main.MODE=crash", code=1)
    assert "there is no such mode" in refused
    assert fields(await world.get())["MODE"] == "fine"

    there = ("kubernetes", "clean", "--kubeconfig", os.environ["KUBECONFIG"], "--namespace", world.namespace)
    planned = json.loads(await run(*there, "--baseline", "--dry-run", "--output", "json"))
    assert {(each["kind"], each["name"], each["action"]) for each in planned} == {
        ("Deployment", "web", "restored"),
        ("Pod", "api-tuning", "deleted"),
        ("Lease", "servo-deployment-web", "deleted"),
        ("Lease", "servo-deployment-api", "deleted"),
    }
    assert "restored" in await run(*there, "--baseline")
    workload = await world.get()
    assert (fields(workload), record(workload)) == (before, None)
    assert await world.tuning("api") is None


async def test_what_is_asked_for_wrongly_is_a_usage_error(tmp_path):
    missing = await run("kubernetes", "clean", "--kubeconfig", str(tmp_path / "none"), code=2)
    assert "Error: " in missing
