"""A proxy is put into a Deployment and taken out again, by the API of a real cluster; its pods are of no matter here."""

from __future__ import annotations

import asyncio
import os
import sys

import pytest

from servo.connectors.kubernetes import routing, sidecar
from servo.connectors.kubernetes.sidecar import Sidecar, SidecarError
from servo.kubernetes import DEPLOYMENTS, SERVICES, NotFoundError

pytestmark = [pytest.mark.integration, pytest.mark.timeout(240)]

PROXY = Sidecar("example.com/proxy:1")
MAIN = [sys.executable, "-c", "from servo.cli import main; main()"]


async def inject(shop, proxy: Sidecar = PROXY, **values) -> bool:
    return await sidecar.inject(shop.admin, shop.namespace, "web", proxy, **values)


async def containers(shop) -> list[dict]:
    return (await shop.deployment())["spec"]["template"]["spec"]["containers"]


async def test_the_container_is_that_of_the_original(shop):
    await shop.deploy()
    assert await inject(shop, port=8080)
    app, proxy = await containers(shop)
    assert (app["name"], proxy["name"], proxy["image"]) == ("app", "opsani-envoy", "example.com/proxy:1")
    assert {each["name"]: each["value"] for each in proxy["env"]} == {
        "OPSANI_ENVOY_PROXY_SERVICE_PORT": "9980",
        "OPSANI_ENVOY_PROXIED_CONTAINER_PORT": "8080",
        "OPSANI_ENVOY_PROXY_METRICS_PORT": "9901",
    }
    assert {each["name"]: each["containerPort"] for each in proxy["ports"]} == {"opsani-proxy": 9980, "opsani-metrics": 9901}  # fmt: skip
    assert proxy["resources"] == {
        "requests": {"cpu": "125m", "memory": "128Mi"},
        "limits": {"cpu": "250m", "memory": "256Mi"},
    }


async def test_where_the_service_leads_is_what_is_proxied(shop):
    await shop.deploy()
    for number, (ports, values, proxied) in enumerate(
        [
            ([{"port": 80, "targetPort": 1234}], {}, 1234),
            ([{"port": 80, "targetPort": "http"}], {}, 8080),
            ([{"port": 80}], {}, 80),
            (
                [{"name": "a", "port": 80}, {"name": "b", "port": 81, "targetPort": "http"}],
                {"port": "b"},
                8080,
            ),
            ([{"name": "a", "port": 80}, {"name": "b", "port": 81, "targetPort": 9}], {"port": 81}, 9),
            ([{"name": "a", "port": 80}, {"name": "b", "port": 81, "targetPort": 9}], {"port": "80"}, 80),
        ]
    ):
        await shop.serve(name=f"web{number}", ports=ports)
        await inject(shop, service=f"web{number}", **values)
        assert sidecar.proxied_port((await containers(shop))[1]) == proxied


async def test_a_port_of_the_container_without_a_service(shop):
    await shop.deploy()
    for port, proxied in (("8080", 8080), ("http", 8080), (77, 77)):
        await inject(shop, port=port)
        assert sidecar.proxied_port((await containers(shop))[1]) == proxied


async def test_once_more_changes_nothing_and_another_image_only_that(shop):
    await shop.deploy()
    await shop.serve()
    assert await inject(shop, service="web")
    patch = {"spec": {"template": {"spec": {"containers": [{"name": "opsani-envoy", "resources": {"limits": {"cpu": "1"}}, "env": [{"name": "OWN", "value": "1"}]}]}}}}  # fmt: skip
    before = await shop.admin.patch(DEPLOYMENTS, "web", patch, shop.namespace)
    assert not await inject(shop, service="web")
    assert (await shop.deployment())["metadata"]["generation"] == before["metadata"]["generation"]
    assert await inject(shop, Sidecar("example.com/proxy:2"), service="web")
    _, proxy = await containers(shop)
    assert (proxy["image"], proxy["resources"]["limits"]["cpu"]) == ("example.com/proxy:2", "1")
    assert "OWN" in {each["name"] for each in proxy["env"]}


async def test_where_it_stands_and_what_it_is_called_may_be_chosen(shop):
    await shop.deploy()
    await inject(shop, Sidecar("i", "front", 1980, 1901, 0), port=8080)
    front, app = await containers(shop)
    assert (front["name"], app["name"], front["ports"][0]["containerPort"]) == ("front", "app", 1980)


async def test_a_container_with_the_ports_of_the_proxy_is_named_and_nothing_changed(shop):
    await shop.deploy()
    for port in (
        {"name": "a", "containerPort": 9980},
        {"name": "b", "containerPort": 9901},
        {"name": "opsani-proxy", "containerPort": 1},
        {"name": "opsani-metrics", "containerPort": 2},
    ):
        patch = [{"op": "replace", "path": "/spec/template/spec/containers/0/ports", "value": [port]}]
        await shop.admin.patch(DEPLOYMENTS, "web", patch, shop.namespace, kind="json")
        with pytest.raises(
            SidecarError, match="already that of the container app: the proxy needs 9980 and 9901"
        ):
            await inject(shop, port=8080)
        assert len(await containers(shop)) == 1


async def test_what_is_not_clear_is_refused(shop):
    with pytest.raises(SidecarError, match="name the service"):
        await inject(shop)
    with pytest.raises(NotFoundError):
        await inject(shop, port=80)
    await shop.deploy()
    with pytest.raises(NotFoundError):
        await inject(shop, service="web")
    await shop.serve(ports=[{"name": "a", "port": 80}, {"name": "b", "port": 81, "targetPort": "nope"}])
    with pytest.raises(SidecarError, match=r"2 ports: name one of a \(80\), b \(81\) \(option --port"):
        await inject(shop, service="web")
    with pytest.raises(SidecarError, match="no container of web has a port named nope; there are: http"):
        await inject(shop, service="web", port="b")
    await shop.serve(name="led", ports=[{"port": 80, "targetPort": 9980}])
    with pytest.raises(SidecarError, match="requests go to port 9980 already"):
        await inject(shop, service="led")
    assert len(await containers(shop)) == 1


async def test_it_is_taken_out_and_the_service_leads_where_it_led(shop):
    """Reference 2.2 B: `eject-sidecar` was broken."""
    await shop.deploy()
    await shop.serve(
        ports=[{"name": "a", "port": 80, "targetPort": "http"}, {"name": "b", "port": 81, "targetPort": 5}]
    )
    await shop.serve(name="other", selector={"app": "other"}, ports=[{"port": 80, "targetPort": 9980}])
    await inject(shop, service="web", port="a")
    led = {"spec": {"ports": [{"port": 80, "targetPort": 9980}]}}
    await shop.admin.patch(SERVICES, "web", led, shop.namespace)
    assert not await inject(shop, service="web", port="a")  # what is behind it is known
    assert await routing.eject(shop.admin, shop.namespace, "web") == ["web"]
    assert [each["targetPort"] for each in (await shop.service())["spec"]["ports"]] == [8080, 5]
    assert [each["name"] for each in await containers(shop)] == ["app"]
    assert (await shop.service("other"))["spec"]["ports"][0]["targetPort"] == 9980
    with pytest.raises(SidecarError, match="has no container opsani-envoy"):
        await routing.eject(shop.admin, shop.namespace, "web")


async def test_a_service_leads_to_proxies_only_when_all_pods_have_one_and_back_by_the_name_it_had(
    shop, proxy_image
):
    """Reference 4.4, check 27: its remedy patched the service, whether or not the pods had a proxy yet."""
    await shop.deploy(replicas=1)
    await shop.serve()
    with pytest.raises(
        SidecarError, match="left as it is until each of its pods has a proxy that is ready: web-"
    ):
        await routing.lead_through(shop.admin, shop.namespace, "web", None)
    await inject(shop, Sidecar(proxy_image), service="web")
    await shop.until_ready()
    async with asyncio.timeout(60):
        while True:  # the pod without one is still going
            try:
                assert await routing.lead_through(shop.admin, shop.namespace, "web", None)
            except SidecarError:
                await asyncio.sleep(0.2)
            else:
                break
    assert not await routing.lead_through(shop.admin, shop.namespace, "web", None)
    assert (await shop.service())["spec"]["ports"][0]["targetPort"] == 9980
    await routing.eject(shop.admin, shop.namespace, "web")
    found = await shop.service()
    assert found["spec"]["ports"][0]["targetPort"] == "http"
    assert "servo.trimtab/target-ports" not in (found["metadata"].get("annotations") or {})


async def test_two_at_once_put_in_one(shop):
    await shop.deploy()
    await asyncio.gather(*(inject(shop, port=8080) for _ in range(5)))
    assert [each["name"] for each in await containers(shop)] == ["app", "opsani-envoy"]


async def servo(*arguments: str) -> tuple[int, str]:
    process = await asyncio.create_subprocess_exec(
        *MAIN, *arguments, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT, env=os.environ
    )
    out, _ = await asyncio.wait_for(process.communicate(), 60)
    return process.returncode, out.decode().splitlines()[-1]


async def test_the_commands(shop):
    await shop.deploy()
    await shop.serve()
    where = ("-n", shop.namespace)
    put = ("inject-sidecar", *where, "-s", "web", "-i", "example.com/proxy:1")
    code, said = await servo(*put, "deploy/web")
    assert (code, said) == (0, f"Envoy sidecar injected into deployment web in namespace {shop.namespace}")
    code, said = await servo(*put, "deployment/web")
    assert (code, "already in" in said) == (0, True)
    code, said = await servo("eject-sidecar", *where, "deploy/web")
    assert (code, said) == (0, f"Envoy sidecar ejected from deployment web in namespace {shop.namespace}")
    code, said = await servo("eject-sidecar", *where, "deploy/web")
    assert (code, "nothing to take out" in said) == (1, True)
    code, said = await servo(*put, "deploy/gone")
    assert (code, "not found" in said) == (1, True)
