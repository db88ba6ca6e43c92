"""``servo builds``: watch builds, run one, submit one, and see what became of those that were seen."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from servo.cli.context import Context
from servo.cli.failures import FAILED, USAGE, fail
from servo.cli.groups import CLI
from servo.cli.loop import run_async
from servo.cli.options import OutputForm, choice
from servo.cli.sections import Section
from servo.cli.tables import Output, print_json, print_table

if TYPE_CHECKING:
    from servo.connectors.builds.configuration import BuildsConfiguration
    from servo.connectors.builds.journal import Record

cli = CLI(name="builds", section=Section.connectors, help="Watch builds, and send what is learnt of them")

_SOURCE, _REGISTRY, _SENT = "SOURCE", "REGISTRY", "TEXT"
Host = Annotated[
    str | None,
    typer.Option("-a", "--thoth-api-host", "--backend", metavar="URL", envvar="THOTH_USER_API_HOST", help="Backend: a host, or its address"),
]  # fmt: skip
Namespace = Annotated[
    str | None,
    typer.Option("-n", "--build-watcher-namespace", "--namespace", metavar="TEXT", envvar="THOTH_WATCHED_NAMESPACE", help="Namespace of the builds"),
]  # fmt: skip
NoTls = Annotated[
    bool, typer.Option("-T", "--no-tls-verify", envvar="THOTH_NO_TLS_VERIFY", help="Do not verify the backend's certificate")
]  # fmt: skip
Journal = Annotated[
    Path | None, typer.Option("--journal", metavar="FILE", envvar="SERVO_BUILDS_JOURNAL", help="The journal's file")
]  # fmt: skip


def _flag(*names: str, variable: str, help: str) -> Any:  # noqa: A002 - Typer's word
    return typer.Option(*names, envvar=variable, help=help)


def _text(*names: str, variable: str, help: str) -> Any:  # noqa: A002 - Typer's word
    return typer.Option(*names, metavar="TEXT", envvar=variable, help=help)


@cli.command(
    examples=(
        "servo builds watch",
        "servo builds watch --backend https://trimtab.example --source podman",
        "servo builds watch -a trimtab.example -n team --source directory:/var/log/builds",
        "servo builds watch -a trimtab.example -r registry.example/builds --dst-registry-user u",
    )
)
def watch(
    context: Context,
    *,
    verbose: Annotated[bool, _flag("-v", "--verbose", variable="THOTH_VERBOSE_BUILD_WATCHER", help="Log more")] = False,
    namespace: Namespace = None,
    backend: Host = None,
    no_tls_verify: NoTls = False,
    no_src: Annotated[bool, _flag("-S", "--no-src-registry-tls-verify", variable="THOTH_NO_SOURCE_REGISTRY_TLS_VERIFY", help="Do not verify the certificate of the registry that images come from")] = False,
    no_dst: Annotated[bool, _flag("-D", "--no-dst-registry-tls-verify", variable="THOTH_NO_DESTINATION_REGISTRY_TLS_VERIFY", help="Do not verify that of the registry they go to")] = False,
    pass_token: Annotated[bool, _flag("-p", "--pass-token", variable="THOTH_PASS_TOKEN", help="Use the service account's token as registry password")] = False,
    src_user: Annotated[str | None, _text("-u", "--src-registry-user", variable="THOTH_SRC_REGISTRY_USER", help="User of the registry that images come from")] = None,
    src_password: Annotated[str | None, _text("--src-registry-password", variable="THOTH_SRC_REGISTRY_PASSWORD", help="Its password; better by the variable")] = None,
    dst_user: Annotated[str | None, _text("--dst-registry-user", variable="THOTH_DST_REGISTRY_USER", help="User of the registry they go to")] = None,
    dst_password: Annotated[str | None, _text("--dst-registry-password", variable="THOTH_DST_REGISTRY_PASSWORD", help="Its password; better by the variable")] = None,
    push_registry: Annotated[str | None, _text("-r", "--push-registry", variable="THOTH_PUSH_REGISTRY", help="Intermediate registry that images are copied to")] = None,
    analyze_existing: Annotated[bool, _flag("--analyze-existing", variable="THOTH_ANALYZE_EXISTING", help="Send the images that are there already, once")] = False,
    workers: Annotated[int | None, typer.Option("--workers-count", metavar="INTEGER", envvar="THOTH_BUILD_WATCHER_WORKERS", help="Builds that are sent at the same time")] = None,
    environment_type: Annotated[str | None, typer.Option("--environment-type", envvar="THOTH_ENVIRONMENT_TYPE", help="What the images are for", **choice("runtime", "buildtime"))] = None,
    no_base: Annotated[bool, _flag("--no-base", variable="THOTH_BUILD_ANALYSIS_NO_BASE_IMAGE", help="Never send base images")] = False,
    no_output: Annotated[bool, _flag("--no-output", variable="THOTH_BUILD_ANALYSIS_NO_OUTPUT_IMAGE", help="Never send output images")] = False,
    no_build_log: Annotated[bool, _flag("--no-build-log", variable="THOTH_BUILD_ANALYSIS_NO_BUILD_LOG", help="Never send logs")] = False,
    debug: Annotated[bool, _flag("--debug", variable="THOTH_BUILD_ANALYSIS_DEBUG", help="Ask the backend to analyse verbosely")] = False,
    force: Annotated[bool, _flag("--force", variable="THOTH_BUILD_ANALYSIS_FORCE", help="Ask the backend to ignore its caches")] = False,
    source: Annotated[list[str] | None, typer.Option("--source", metavar="SOURCE", help="podman, docker, directory:PATH or pipe:PATH; repeatable  [default: those of servo.yaml]")] = None,
    journal: Journal = None,
    metrics_port: Annotated[int | None, typer.Option("--metrics-port", metavar="PORT", envvar="SERVO_BUILDS_METRICS_PORT", help="Serve /metrics and /healthz on this port of 127.0.0.1")] = None,
) -> None:  # fmt: skip
    """Watch builds and send each once, until interrupted."""
    if verbose:
        from servo import logging

        logging.configure(level="DEBUG")
    given = {
        "backend.url": backend,
        "backend.verify_tls": False if no_tls_verify else None,
        "namespace": namespace,
        "source_registry.verify_tls": False if no_src else None,
        "destination_registry.verify_tls": False if no_dst else None,
        "pass_token": pass_token or None,
        "source_registry.user": src_user,
        "source_registry.password": src_password,
        "destination_registry.user": dst_user,
        "destination_registry.password": dst_password,
        "copy_to.registry": push_registry or None,
        "analyze_existing": analyze_existing or None,
        "workers": workers,
        "environment_type": environment_type,
        "base_image": False if no_base else None,
        "output_image": False if no_output else None,
        "build_log": False if no_build_log else None,
        "debug": debug or None,
        "force": force or None,
        "sources": source or None,
        "journal": journal,
        "metrics.port": metrics_port,
    }
    config = _configuration(context, given)
    if not config.sources:
        fail(
            "nothing to watch: give --source podman, or `sources` in the `builds` section of servo.yaml",
            USAGE,
        )
    run_async(_watch(config))


async def _watch(config: BuildsConfiguration) -> None:
    import asyncio

    from servo.connectors.builds.agent import Agent, described
    from servo.connectors.builds.options import unused
    from servo.logging import logger

    agent = Agent(config)
    try:
        await agent.start()
    except (RuntimeError, OSError, ValueError) as error:
        fail(str(error))
    for line in unused():
        logger.warning(line)
    logger.info(described(config))
    try:
        await asyncio.Event().wait()
    finally:
        await agent.stop()


@cli.command(
    examples=(
        "servo builds submit --log build.log --base python:3.12 --output registry.example/team/app:1",
        "podman build . 2>&1 | servo builds submit --log - --phase failed --name app",
        'servo builds submit --log build.log --exit-code "$CODE" --label commit="$SHA" --wait',
    )
)
def submit(
    context: Context,
    *,
    log: Annotated[str | None, typer.Option("--log", metavar="FILE", help="Log of the build; - for standard input")] = None,
    base: Annotated[str | None, typer.Option("--base", metavar="IMAGE", help="Base image")] = None,
    output_image: Annotated[str | None, typer.Option("--output", metavar="IMAGE", help="Image that was built")] = None,
    name: Annotated[str, typer.Option("--name", metavar="TEXT", help="What the build is called")] = "build",
    identity: Annotated[str | None, typer.Option("--identity", metavar="TEXT", help="Tells the build from others; the same one is sent once, however often this is run")] = None,
    phase: Annotated[str | None, typer.Option("--phase", help="How it ended  [default: as --exit-code says]", **choice("complete", "failed", "cancelled", "timed_out", "error"))] = None,
    exit_code: Annotated[int | None, typer.Option("--exit-code", metavar="INTEGER", help="The builder's exit code")] = None,
    labels: Annotated[list[str] | None, typer.Option("--label", metavar="KEY=VALUE", help="What else is to be known of it; repeatable")] = None,
    wait: Annotated[bool, typer.Option("--wait", help="Wait until it is analysed; its failure is the command's")] = False,
    within: Annotated[str, typer.Option("--within", metavar="DURATION", help="How long to try")] = "5m",
    namespace: Namespace = None,
    backend: Host = None,
    no_tls_verify: NoTls = False,
    journal: Journal = None,
    json_: Annotated[bool, typer.Option("--json", help="Print the answer as JSON")] = False,
) -> None:  # fmt: skip
    """Send one build, and print a link to what becomes of it.

    Exit codes: 0 it was taken; 1 it was not, and stays in the journal; 2 it was asked for wrongly.
    """
    from servo.connectors.builds import submission
    from servo.types.core import Duration

    try:
        seconds = Duration(within).total_seconds()
        build = submission.described(
            name, identity, phase=phase, exit_code=exit_code, base=base, output=output_image, labels=labels or (), log=log
        )  # fmt: skip
    except ValueError as error:
        fail(_plain(str(error)), USAGE)
    given = {
        "backend.url": backend,
        "backend.verify_tls": False if no_tls_verify else None,
        "namespace": namespace,
        "journal": journal,
    }
    config = _configuration(context, given)
    done = run_async(submission.submit(config, build, log, within=seconds, wait=wait))
    if json_:
        print_json(done.document)
    elif done.link:
        typer.echo(done.link)
    for line in done.notes:
        typer.echo(_plain(line), err=True)
    raise typer.Exit(0 if done.ok else FAILED)


@cli.command(
    "run",
    context_settings={"ignore_unknown_options": True, "allow_interspersed_args": False},
    examples=(
        "servo builds run -- podman build --tag registry.example/team/app:1 .",
        "servo builds run --name app --timeout 30m -- docker build .",
    ),
)
def run(
    context: Context,
    command: Annotated[list[str], typer.Argument(metavar="COMMAND...", help="The builder, with its arguments")],
    *,
    name: Annotated[str | None, typer.Option("--name", metavar="TEXT", help="What the build is called")] = None,
    timeout: Annotated[str | None, typer.Option("--timeout", metavar="DURATION", help="End it after this time")] = None,
    namespace: Namespace = None,
    backend: Host = None,
    no_tls_verify: NoTls = False,
    journal: Journal = None,
) -> None:  # fmt: skip
    """Run a builder, and send the build with its log, however it ends.

    The exit code is the builder's. What cannot be sent at once stays in the journal for `servo builds watch`.
    """
    from servo.connectors.builds import running
    from servo.types.core import Duration

    given = {
        "backend.url": backend,
        "backend.verify_tls": False if no_tls_verify else None,
        "namespace": namespace,
        "journal": journal,
    }
    config = _configuration(context, given)
    try:
        seconds = Duration(timeout).total_seconds() if timeout else None
    except ValueError as error:
        fail(str(error), USAGE)
    raise typer.Exit(run_async(running.run(config, command, name=name, timeout=seconds)))


@cli.command("list", examples=("servo builds list", "servo builds list --state tombstone --output json"))
def list_(
    context: Context,
    *,
    state: Annotated[str | None, typer.Option("--state", help="Only those", **choice("running", "waiting", "submitted", "tombstone"))] = None,
    limit: Annotated[int, typer.Option("--limit", metavar="INTEGER", min=1, max=100_000, help="At most so many")] = 50,
    journal: Journal = None,
    output: OutputForm = "table",
) -> None:  # fmt: skip
    """List the builds of the journal, the newest first."""
    from servo.connectors.builds.journal import State, records

    found = _asked(context, journal, records.newest, State(state) if state else None, limit)
    rows = [_row(each) for each in found]
    headers = ("identity", "name", "phase", "state", "seen", "attempts", "reason")
    if output == Output.json:
        print_json([dict(zip(headers, row, strict=True)) for row in rows])
    else:
        print_table(
            [(*row[:6], (row[6] or "")[:60]) for row in rows], [each.upper() for each in headers], end=""
        )


@cli.command(examples=("servo builds show run-0123456789abcdef",))
def show(
    context: Context,
    identity: Annotated[str, typer.Argument(metavar="IDENTITY", help="The build's identity, as listed")],
    *,
    journal: Journal = None,
) -> None:
    """Show what the journal says of a build, as JSON."""
    import json

    from servo.connectors.builds.journal import records

    record = _asked(context, journal, records.one, identity)
    if record is None:
        fail(f"there is no build {_plain(identity)} in the journal: see `servo builds list`")
    print_json(
        {
            "state": str(record.state),
            "seen_at": record.seen_at,
            "changed_at": record.changed_at,
            "due_at": record.due_at,
            "attempts": record.attempts,
            "reason": record.reason,
            "answer": record.answer,
            "build": json.loads(record.build.to_json()),
        }
    )


@cli.command(examples=("servo builds retry run-0123456789abcdef", "servo builds retry --all"))
def retry(
    context: Context,
    identities: Annotated[
        list[str] | None, typer.Argument(metavar="IDENTITIES", help="Tombstones, as listed")
    ] = None,
    *,
    all_: Annotated[bool, typer.Option("--all", help="All tombstones")] = False,
    journal: Journal = None,
) -> None:
    """Have builds that were given up tried again by the agent."""
    import time

    from servo.connectors.builds.journal import records

    if bool(identities) == all_:
        fail("name builds, or give --all", USAGE)
    count = _asked(context, journal, records.revived, None if all_ else identities, time.time(), change=True)
    typer.echo(f"{count} will be tried again")
    raise typer.Exit(0 if count or all_ else FAILED)


@cli.command(examples=("servo builds recover",))
def recover(context: Context, *, journal: Journal = None) -> None:
    """Save what can be read of a damaged journal; the damaged file is kept beside it."""
    from servo.connectors.builds import journal as journals

    path = _journal(context, journal)
    try:
        saved, kept = journals.recover(path)
    except RuntimeError as error:
        fail(str(error))
    typer.echo(f"{saved} builds saved; the damaged file is {kept}")


@cli.command(
    examples=("servo builds release", "servo builds release -n team", "servo builds release --all-namespaces")
)
def release(
    *,
    namespace: Namespace = None,
    all_namespaces: Annotated[bool, typer.Option("--all-namespaces", "-A", help="In all namespaces")] = False,
    kubeconfig: Annotated[
        Path | None, typer.Option(metavar="FILE", help="How the cluster is reached")
    ] = None,
    cluster: Annotated[
        str | None, typer.Option("--context", metavar="TEXT", help="Context of the kubeconfig")
    ] = None,
) -> None:
    """Take the agent's finalizers off all builds in a cluster, for when it will not come back."""
    from servo.connectors.builds.cluster.releasing import release_all
    from servo.kubernetes import ALL, Client, KubernetesError

    async def work() -> list[str]:
        async with Client.open(kubeconfig, cluster) as client:
            return await release_all(client, ALL if all_namespaces else namespace)

    try:
        released = run_async(work())
    except KubernetesError as error:
        fail(str(error))
    for each in released:
        typer.echo(_plain(each))
    typer.echo(f"{len(released)} builds released")


def _configuration(context: Context, given: dict[str, Any]) -> BuildsConfiguration:
    from servo.connectors.builds import options

    try:
        return options.configuration(context.state.config_file, given)
    except ValueError as error:  # of which ConfigurationError is one
        fail(str(error), USAGE)


def _journal(context: Context, given: Path | None) -> Path:
    from servo.connectors.builds import options

    try:
        return given or options.journal(context.state.config_file)
    except ValueError as error:
        fail(str(error), USAGE)


def _asked(context: Context, given: Path | None, question: Any, *args: Any, change: bool = False) -> Any:
    from servo.connectors.builds.journal import Journal

    path = _journal(context, given)
    if not path.exists():
        fail(f"there is no journal {path}: name it with --journal", USAGE)

    async def ask() -> Any:
        journal = Journal(path)
        try:
            return await (journal.write if change else journal.read)(question, *args)
        finally:
            await journal.aclose()

    try:
        return run_async(ask())
    except RuntimeError as error:
        fail(str(error))


def _row(record: Record) -> tuple[Any, ...]:
    from datetime import UTC, datetime

    build = record.build
    seen = datetime.fromtimestamp(record.seen_at, UTC).isoformat(timespec="seconds")
    reason = _plain(record.reason) if record.reason else None
    return (
        build.identity,
        _plain(build.name),
        str(build.phase),
        str(record.state),
        seen,
        record.attempts,
        reason,
    )


def _plain(text: str) -> str:
    """What moves no terminal."""
    return "".join(each if each.isprintable() else " " for each in text)
