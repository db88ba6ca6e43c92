"""``servo inject-sidecar`` and ``eject-sidecar``: a proxy beside the containers of a Deployment."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from servo.cli.failures import USAGE, fail
from servo.cli.loop import run_async

__all__ = ["eject_sidecar", "inject_sidecar"]

Target = Annotated[str, typer.Argument(metavar="TARGET", help="deploy/NAME or deployment/NAME")]
Namespace = Annotated[str, typer.Option("-n", "--namespace", metavar="TEXT", help="Where the Deployment is")]
Kubeconfig = Annotated[
    Path | None,
    typer.Option("--kubeconfig", metavar="FILE", help="The cluster  [default: as kubectl finds it]"),
]
KubeContext = Annotated[
    str | None, typer.Option("--context", metavar="TEXT", help="Context of the kubeconfig")
]

_KINDS = {"deploy", "deployment"}
_NOT_YET = {"pod", "rollout"}


def inject_sidecar(
    target: Target,
    *,
    image: Annotated[str, typer.Option("-i", "--image", metavar="TEXT", help="The proxy's image")],
    namespace: Namespace = "default",
    service: Annotated[
        str | None, typer.Option("-s", "--service", metavar="TEXT", help="Service whose requests the proxy shall see")
    ] = None,
    port: Annotated[
        str | None, typer.Option("-p", "--port", metavar="TEXT", help="Port of the service, or else of the container, by number or name")
    ] = None,
    kubeconfig: Kubeconfig = None,
    kube_context: KubeContext = None,
) -> None:  # fmt: skip
    """Inject an Envoy sidecar to capture metrics.

    Needs no servo.yaml. Its pods are replaced; a proxy that is there already is made as wanted.
    """
    name = _deployment(target)
    if service is None and port is None:
        fail("name the --service whose requests the proxy shall see, or the --port of the container", USAGE)

    async def put_in() -> bool:
        from servo.connectors.kubernetes.sidecar import Sidecar, inject
        from servo.kubernetes import Client

        async with Client.open(kubeconfig, kube_context) as client:
            return await inject(client, namespace, name, Sidecar(image), service=service, port=port)

    verb = "injected into" if run_async(put_in()) else "is already in"
    typer.echo(f"Envoy sidecar {verb} deployment {name} in namespace {namespace}")


def eject_sidecar(
    target: Target,
    *,
    namespace: Namespace = "default",
    kubeconfig: Kubeconfig = None,
    kube_context: KubeContext = None,
) -> None:
    """Eject an Envoy sidecar.

    Services that lead to it lead past it before. Exit codes: 0 it is out; 1 there is none; 2 it was asked for wrongly.
    """
    name = _deployment(target)

    async def take_out() -> list[str]:
        from servo.connectors.kubernetes.routing import eject
        from servo.kubernetes import Client

        async with Client.open(kubeconfig, kube_context) as client:
            return await eject(client, namespace, name)

    for service in run_async(take_out()):
        typer.echo(f"service {service} leads past it now")
    typer.echo(f"Envoy sidecar ejected from deployment {name} in namespace {namespace}")


def _deployment(target: str) -> str:
    kind, _, name = target.partition("/")
    if kind in _NOT_YET and name:
        fail(f"{target}: a sidecar of a {kind} is not yet implemented", USAGE)
    if kind not in _KINDS or not name or "/" in name:
        fail(f"{target}: write deploy/NAME or deployment/NAME", USAGE)
    return name
