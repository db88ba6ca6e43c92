"""The client against a real cluster."""

import asyncio
import os
from contextlib import aclosing

import pytest
import yaml

from servo.kubernetes import (
    ALL,
    CONFIG_MAPS,
    CUSTOM_RESOURCE_DEFINITIONS,
    DEPLOYMENTS,
    NAMESPACES,
    NODES,
    PODS,
    SERVICE_ACCOUNTS,
    AlreadyExistsError,
    ApiError,
    CertificateError,
    Client,
    ConflictError,
    ForbiddenError,
    GoneError,
    InvalidError,
    NotFoundError,
    UnauthorizedError,
    conditions,
    pods,
)
from servo.kubernetes.access import Access
from servo.kubernetes.credentials import StoredCredentials

pytestmark = pytest.mark.integration


def config_map(name, **data):
    return {"metadata": {"name": name, "labels": {"made-by": "test"}}, "data": data}


async def test_it_speaks_with_the_server(client, namespace):
    assert await client.version() >= (1, 20)
    assert (await client.get(NAMESPACES, namespace))["status"]["phase"] == "Active"
    assert len((await client.list(NODES)).items) >= 1
    assert conditions((await client.list(NODES)).items[0])["Ready"]["status"] == "True"


async def test_an_object_is_made_changed_and_deleted(client, kubectl):
    made = await client.create(CONFIG_MAPS, config_map("a", x="1"))
    assert kubectl("get", "configmap", "a", "-o", "jsonpath={.data.x}") == "1"
    with pytest.raises(AlreadyExistsError):
        await client.create(CONFIG_MAPS, config_map("a"))
    await client.patch(CONFIG_MAPS, "a", {"data": {"y": "2"}})
    with pytest.raises(ConflictError):
        await client.replace(CONFIG_MAPS, {**made, "data": {"x": "lost"}})
    now = await client.get(CONFIG_MAPS, "a")
    assert now["data"] == {"x": "1", "y": "2"}
    await client.replace(CONFIG_MAPS, {**now, "data": {"z": "3"}})
    await client.patch(CONFIG_MAPS, "a", [{"op": "add", "path": "/data/w", "value": "4"}], kind="json")
    await client.patch(CONFIG_MAPS, "a", {"data": {"z": None}}, kind="merge")
    assert (await client.get(CONFIG_MAPS, "a"))["data"] == {"w": "4"}
    with pytest.raises(ConflictError):
        await client.delete(CONFIG_MAPS, "a", uid="00000000-0000-0000-0000-000000000000")
    await client.delete(CONFIG_MAPS, "a", uid=made["metadata"]["uid"])
    with pytest.raises(NotFoundError):
        await client.get(CONFIG_MAPS, "a")


async def test_a_dry_run_changes_nothing(client):
    assert (await client.create(CONFIG_MAPS, config_map("a"), dry_run=True))["metadata"]["name"] == "a"
    with pytest.raises(NotFoundError):
        await client.get(CONFIG_MAPS, "a")


async def test_fields_belong_to_who_applied_them(client):
    await client.apply(CONFIG_MAPS, config_map("a", x="1"), manager="one")
    with pytest.raises(ConflictError, match="one"):
        await client.apply(CONFIG_MAPS, config_map("a", x="2"), manager="two")
    await client.apply(CONFIG_MAPS, config_map("a", x="2", y="3"), manager="two", force=True)
    assert (await client.get(CONFIG_MAPS, "a"))["data"] == {"x": "2", "y": "3"}
    # What a manager no longer names is removed.
    await client.apply(CONFIG_MAPS, config_map("a", y="3"), manager="two")
    assert (await client.get(CONFIG_MAPS, "a"))["data"] == {"y": "3"}


async def test_what_is_not_valid_is_told_by_field(client):
    with pytest.raises(InvalidError) as caught:
        await client.create(DEPLOYMENTS, {"metadata": {"name": "web"}, "spec": {"replicas": -1}})
    assert "spec.replicas" in {cause["field"] for cause in caught.value.causes}


async def test_all_pages_of_a_list_are_read(client):
    await asyncio.gather(*(client.create(CONFIG_MAPS, config_map(f"a{number}")) for number in range(25)))
    found = await client.list(CONFIG_MAPS, labels="made-by=test", limit=4)
    assert sorted(item["metadata"]["name"] for item in found.items) == sorted(
        f"a{number}" for number in range(25)
    )
    assert [
        item["metadata"]["name"] for item in (await client.list(CONFIG_MAPS, fields="metadata.name=a7")).items
    ] == ["a7"]
    everywhere = await client.list(CONFIG_MAPS, ALL, labels="made-by=test", limit=10)
    assert len(everywhere.items) >= 25


async def test_a_watch_goes_on_from_a_list(client):
    version = (await client.list(CONFIG_MAPS, labels="made-by=test")).version
    await client.create(CONFIG_MAPS, config_map("a"))
    await client.patch(CONFIG_MAPS, "a", {"data": {"x": "1"}})
    await client.delete(CONFIG_MAPS, "a")
    found = []
    async with (
        asyncio.timeout(20),
        aclosing(client.watch(CONFIG_MAPS, labels="made-by=test", version=version)) as changes,
    ):
        async for change in changes:
            if change.type != "BOOKMARK":
                found.append(change.type)
            if found[-1:] == ["DELETED"]:
                break
    assert found == ["ADDED", "MODIFIED", "DELETED"]


async def test_a_version_of_long_ago_is_gone(client):
    try:
        await asyncio.wait_for(anext(client.watch(CONFIG_MAPS, version="1")), 20)
    except GoneError:
        return
    pytest.skip(
        "this cluster is so young that it remembers everything; streams of ours that end with 410 are tested beside the client"
    )


async def test_following_sees_what_is_and_what_comes(client):
    await client.create(CONFIG_MAPS, config_map("first"))
    found = []
    async with asyncio.timeout(20), aclosing(client.follow(CONFIG_MAPS, labels="made-by=test")) as changes:
        async for change in changes:
            found.append((change.type, change.object["metadata"].get("name")))
            if len(found) == 2:
                assert change.type == "BOOKMARK"
                await client.create(CONFIG_MAPS, config_map("second"))
            if found[-1] == ("ADDED", "second"):
                break
    assert found[0] == ("ADDED", "first")


async def test_logs_are_read_bounded_and_followed(client, make_pod):
    await make_pod("talks", "for i in 1 2 3; do echo line $i; done; sleep 1; echo last; exit 3")
    async with asyncio.timeout(20), aclosing(client.follow_log("talks")) as log:
        chunks = [chunk async for chunk in log]
    assert b"".join(chunks) == b"line 1\nline 2\nline 3\nlast\n"
    assert await client.log("talks", tail=2) == b"line 3\nlast\n"
    assert await client.log("talks", limit=9) == b"line 1\nli"
    stamped = (await client.log("talks", timestamps=True)).splitlines()[0]
    assert stamped.endswith(b"Z line 1")
    with pytest.raises(ApiError, match="previous"):
        await client.log("talks", previous=True)


async def test_the_log_of_one_of_several_containers_is_named(client, make_pod):
    await make_pod("two", "echo $HOSTNAME; sleep 60", containers=2)
    with pytest.raises(ApiError, match="a container name must be specified"):
        await client.log("two")
    assert await client.log("two", container="c1") == b"two\n"


async def test_commands_run_in_containers(client, make_pod):
    await make_pod("shell", "sleep 100")
    found = await client.exec("shell", ["sh", "-c", "echo out; echo err >&2; exit 7"], timeout=20)
    assert (found.exit_code, found.stdout, found.stderr) == (7, b"out\n", b"err\n")
    quoted = await client.exec("shell", ["echo", "a b", "$(id)", "&x=1"], timeout=20)
    assert quoted.stdout == b"a b $(id) &x=1\n"
    data = os.urandom(200_000)
    fed = await client.exec("shell", ["cat"], stdin=data, timeout=20)
    assert (fed.exit_code, fed.stdout == data) == (0, True)
    failed = await client.exec("shell", ["sh", "-c", "cat >/dev/null; exit 4"], stdin=b"x", timeout=20)
    assert failed.exit_code == 4
    with pytest.raises(TimeoutError, match="did not end within 1 s"):
        await client.exec("shell", ["sleep", "60"], timeout=1)
    with pytest.raises(ApiError):
        await client.exec("shell", ["no-such-program"], timeout=20)
    with pytest.raises(NotFoundError):
        await client.exec("nowhere", ["ls"], timeout=20)


async def test_what_is_offered_is_discovered(client, namespace):
    version = await client.version()
    assert await client.find("apps", "Deployment") == DEPLOYMENTS
    assert await client.find("", "pods") == PODS
    assert await client.find("", "Unheard") is None
    assert await client.find("unheard.example", "things") is None
    assert await client.has_subresource(PODS, "exec")
    assert await client.has_subresource(PODS, "resize") is (version >= (1, 33))
    assert (
        await client.find("apiextensions.k8s.io", "customresourcedefinitions")
    ) == CUSTOM_RESOURCE_DEFINITIONS


async def test_a_role_is_asked_for_and_kept_to(client, cluster, namespace, kubectl):
    kubectl("create", "serviceaccount", "reader")
    kubectl("create", "role", "reader", "--verb=get,list", "--resource=configmaps")
    kubectl("create", "rolebinding", "reader", "--role=reader", f"--serviceaccount={namespace}:reader")
    token = await account_token(client, "reader")
    access = Client.open(cluster).access
    mine = Access(
        access.server, "a test", namespace, insecure=True, credentials=StoredCredentials(f"Bearer {token}")
    )
    async with Client(mine) as reader:
        assert await reader.allowed("list", CONFIG_MAPS)
        assert not await reader.allowed("delete", CONFIG_MAPS)
        assert not await reader.allowed("list", CONFIG_MAPS, ALL)
        assert not await reader.allowed("get", PODS, subresource="log")
        await reader.list(CONFIG_MAPS)
        with pytest.raises(ForbiddenError, match="configmaps"):
            await reader.create(CONFIG_MAPS, config_map("a"))


async def account_token(client, name):
    """A short-lived token of a service account, as the kubelet would ask for it."""
    body = {
        "apiVersion": "authentication.k8s.io/v1",
        "kind": "TokenRequest",
        "metadata": {"name": name},
        "spec": {"expirationSeconds": 600},
    }
    made = await client.create(SERVICE_ACCOUNTS, body, subresource="token")
    return made["status"]["token"]


async def test_wrong_credentials_are_refused(client):
    access = client.access
    wrong = Access(access.server, "a test", insecure=True, credentials=StoredCredentials("Bearer wrong"))
    async with Client(wrong) as stranger:
        with pytest.raises(UnauthorizedError):
            await stranger.list(PODS)


@pytest.fixture
def authority(cluster):
    """Who signed the server's certificate; the kubeconfig of the test bed names nobody, and skips the verification."""
    path = cluster.parent / "certs" / "apiserver.crt"
    if not path.is_file():
        pytest.skip("who signed the server's certificate is only known of the test bed's cluster")
    return path.read_text()


async def test_the_servers_certificate_is_verified(client, cluster, authority, tmp_path):
    document = yaml.safe_load(cluster.read_text())
    document["clusters"][0]["cluster"] = {"server": client.access.server}
    unknown, known = tmp_path / "unknown", tmp_path / "known"
    unknown.write_text(yaml.safe_dump(document))
    async with Client.open(unknown) as stranger:
        with pytest.raises(CertificateError, match=r"certificate-authority in .*unknown"):
            await stranger.list(PODS)
    (tmp_path / "ca.crt").write_text(authority)
    document["clusters"][0]["cluster"]["certificate-authority"] = "ca.crt"
    known.write_text(yaml.safe_dump(document))
    async with Client.open(known) as trusted:
        await trusted.list(PODS)


async def test_a_pod_reaches_the_cluster_by_its_service_account(client, namespace, authority, tmp_path):
    """With what the kubelet mounts: a token that expires, the authority, the namespace."""
    (tmp_path / "token").write_text(await account_token(client, "default"))
    (tmp_path / "ca.crt").write_text(authority)
    (tmp_path / "namespace").write_text(namespace)
    host, _, port = client.access.server.removeprefix("https://").partition(":")
    access = pods.read({"KUBERNETES_SERVICE_HOST": host, "KUBERNETES_SERVICE_PORT": port}, tmp_path)
    async with Client(access) as inside:
        assert inside.namespace == namespace
        with pytest.raises(ForbiddenError, match=f"system:serviceaccount:{namespace}:default"):
            await inside.list(PODS)
