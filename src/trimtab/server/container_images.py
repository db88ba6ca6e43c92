"""`GET /container-images` of the original: images that were analysed, with its filters, its keys, and its pages in headers."""

from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field
from starlette.datastructures import URL

from trimtab.catalog import Database
from trimtab.catalog.observations import HeldImage, ImagesWanted, images_holding
from trimtab.server.answer import answer

__all__ = ["add_container_images"]

Text = Annotated[str | None, Field(max_length=500)]
HEADERS = {
    name: {"schema": {"type": "string"}, "description": description}
    for name, description in (
        ("page", "This page, from 0"),
        ("per_page", "How many are on one"),
        ("page_count", "How many pages there are"),
        ("entries_count", "How many images there are"),
        ("next", "Where the next page is, if there is one"),
        ("prev", "Where the page before is, if there is one"),
    )
}


class Filters(BaseModel):
    """Which images are asked for; what is not given says nothing."""

    page: Annotated[int, Field(ge=0, le=1 << 40, description="From 0")] = 0
    per_page: Annotated[int, Field(ge=1, le=100)] = 25
    os_name: Text = None
    os_version: Text = None
    python_version: Text = None
    cuda_version: Text = None
    image_name: Text = None
    library_name: Text = None
    symbol: Text = None
    package_name: Text = None
    rpm_package_name: Text = None

    def wanted(self) -> ImagesWanted:
        """As the catalog is asked."""
        return ImagesWanted(
            package=self.package_name,
            kind="pypi",
            rpm=self.rpm_package_name,
            exact=True,
            library=self.library_name,
            symbol=self.symbol,
            os_name=self.os_name,
            os_version=self.os_version,
            python_version=self.python_version,
            cuda_version=self.cuda_version,
            image=self.image_name,
        )


class ContainerImage(BaseModel):
    """An image, under the original's keys."""

    environment_name: str
    environment_type: str | None
    image_sha: str
    os_name: str | None
    os_version: str | None
    python_version: str | None
    cuda_version: str | None
    thoth_image_name: str | None
    thoth_image_version: str | None
    package_extract_document_id: str
    image_analysis_url: str
    datetime: str
    digest: str | None
    image_size: int | None


class ContainerImages(BaseModel):
    """A page of images, and what was asked for."""

    container_images: list[ContainerImage]
    parameters: dict[str, Any]


def add_container_images(router: APIRouter, database: Database) -> None:
    """Add the route.

    Args:
        router: Of `/api/v1`.
        database: The catalog.
    """

    @router.get("/container-images", response_model=ContainerImages, responses={200: {"headers": HEADERS}})
    def list_container_images(request: Request, asked: Annotated[Filters, Query()]) -> Response:
        """List container images that were analysed."""
        page, per_page = asked.page, asked.per_page
        with database.read() as connection:
            found = images_holding(connection, asked.wanted(), offset=page * per_page, limit=per_page)
        body = {"container_images": [_entry(each) for each in found.items], "parameters": asked.model_dump()}
        return answer(body, headers=_headers(request.url, page, per_page, found.total))


def _entry(image: HeldImage) -> dict[str, Any]:
    return {
        "environment_name": image.reference,
        "environment_type": image.environment_type.upper() or None,
        "image_sha": image.last_layer,
        "os_name": image.os_name or None,
        "os_version": image.os_version or None,
        "python_version": image.python_version or None,
        "cuda_version": image.cuda_version or None,
        "thoth_image_name": image.image_name or None,
        "thoth_image_version": image.image_tag or None,
        "package_extract_document_id": image.document_id,
        "image_analysis_url": f"/api/v1/analyze/{image.document_id}",
        "datetime": _moment(image.at),
        "digest": image.identity if image.identity.startswith("sha256:") else None,
        "image_size": image.size,
    }


def _moment(seconds: float) -> str:
    try:
        return datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None).isoformat()
    except (ValueError, OverflowError, OSError):
        return ""


def _headers(url: URL, page: int, per_page: int, total: int) -> dict[str, str]:
    pages = -(-total // per_page)
    counts = {"page": page, "per_page": per_page, "page_count": pages, "entries_count": total}
    found = {name: str(value) for name, value in counts.items()}
    if page + 1 < pages:
        found["next"] = _link(url, page + 1)
    if 0 < page <= pages:
        found["prev"] = _link(url, page - 1)
    return found


def _link(url: URL, page: int) -> str:
    """The same request for another page; relative to the server, for a proxy may be in front of it."""
    other = url.include_query_params(page=page)
    return f"{other.path}?{other.query}"
