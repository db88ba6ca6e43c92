"""OpenShift's image streams: names for images that only the cluster understands."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from typing import Any

from servo.connectors.builds.cluster.kind import Kind
from servo.connectors.builds.cluster.objects import maps, text
from servo.connectors.builds.cluster.openshift import OpenShiftBuild, stream_of_base
from servo.kubernetes import Client, ForbiddenError, NotFoundError

__all__ = ["base", "images"]

_GROUP, _PLURAL = "image.openshift.io", "imagestreams"
_PAGE = 200


async def base(client: Client, kind: Kind, obj: Mapping[str, Any]) -> str | None:
    """Return the image behind the image stream that a build names as its base; None: it names none, or it is gone."""
    found = stream_of_base(obj) if isinstance(kind, OpenShiftBuild) else None
    resource = await client.find(_GROUP, _PLURAL) if found is not None else None
    if found is None or resource is None:
        return None
    namespace, name = found
    stream, sign, rest = name.partition("@")
    tag = "" if sign else name.partition(":")[2] or "latest"
    try:
        known = await client.get(
            resource, stream.partition(":")[0], namespace or text(obj, "metadata", "namespace")
        )
    except (NotFoundError, ForbiddenError):
        return None
    if sign:
        repository = text(known, "status", "dockerImageRepository")
        return f"{repository}@{rest}" if repository else None
    return _image(known, tag)


async def images(client: Client, namespace: str | None) -> AsyncGenerator[list[tuple[str, str, str]], None]:
    """Yield namespace, name and image of each tag of the image streams."""
    resource = await client.find(_GROUP, _PLURAL)
    if resource is None:
        return
    async for page in client.pages(resource, namespace, limit=_PAGE):
        found = []
        for stream in page.items:
            where, name = text(stream, "metadata", "namespace") or "", text(stream, "metadata", "name") or ""
            for tag in maps(stream, "status", "tags"):
                label = text(tag, "tag") or ""
                image = _image(stream, label)
                if image is not None:
                    found.append((where, f"{name}:{label}", image))
        if found:
            yield found


def _image(stream: Mapping[str, Any], tag: str) -> str | None:
    """Return what a tag of a stream points to now: by digest if that is known, else as the original named it."""
    for each in maps(stream, "status", "tags"):
        if text(each, "tag") == tag:
            for item in maps(each, "items")[:1]:
                if name := text(item, "dockerImageReference"):
                    return name
            repository = text(stream, "status", "dockerImageRepository")
            return f"{repository}:{tag}" if repository else None
    return None
