"""The ASGI application: four routes of customers, a cache before the two that are read most; and one of Prometheus."""

import asyncio
import gzip
import json
from collections.abc import Callable

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from .cache import Cache
from .catalog import Catalog
from .database import CATEGORIES, connect, prepare
from .metrics import PATH, Counting, Metrics
from .pages import Pages
from .settings import Settings

SHOWN = 120


class Shop:
    """What one worker holds: its connection to the database, its cache, its templates."""

    def __init__(self, settings: Settings) -> None:
        connection = connect(prepare(settings.data), settings.database_cache_mb)
        self._catalog = Catalog(connection, ranking=settings.ranking, batch=settings.batch)
        self._cache = Cache(round(settings.cache_mb * 2**20))
        self._pages = Pages(CATEGORIES)
        self._level = settings.compression
        self._line_mbit = settings.line_mbit

    async def product(self, request: Request) -> Response:
        """One product's page."""
        number = request.path_params["number"]
        return await self._cached(request, "text/html; charset=utf-8", lambda: self._product_page(number))

    async def search(self, request: Request) -> Response:
        """What sells a category, as JSON."""
        category, count = request.path_params["category"], request.path_params["count"]
        return await self._cached(
            request, "application/json", lambda: self._results(category, min(count, 500))
        )

    async def restock(self, request: Request) -> Response:
        """Set the stock of many products: `[[product, place, amount], …]`."""
        lines = await request.json()
        return JSONResponse({"written": await self._catalog.restock(lines)})

    async def export(self, request: Request) -> Response:
        """Every stock line as CSV, for the bookkeeper: long work that no setting shortens."""
        text = self._catalog.export(min(request.path_params["count"], 100_000))
        return await self._answer(self._compressed(text.encode()), "text/csv")

    def _product_page(self, number: int) -> bytes | None:
        product = self._catalog.product(number)
        if product is None:
            return None
        reviews = self._catalog.best_reviews(number, SHOWN)
        return self._pages.product(title=product["name"], product=product, reviews=reviews)

    def _results(self, category: str, count: int) -> bytes | None:
        found = self._catalog.search(category, count)
        return json.dumps({"category": category, "results": found}).encode() if found else None

    async def _cached(self, request: Request, media_type: str, make: Callable[[], bytes | None]) -> Response:
        key = request.url.path
        body = self._cache.get(key)
        if body is None:
            made = make()
            if made is None:
                return PlainTextResponse("not found", 404)
            body = self._compressed(made)
            self._cache.put(key, body)
        return await self._answer(body, media_type)

    def _compressed(self, body: bytes) -> bytes:
        return gzip.compress(body, self._level) if self._level else body

    async def _answer(self, body: bytes, media_type: str) -> Response:
        """Take the time the customer's line takes: on loopback, where this is measured, bytes are free."""
        if self._line_mbit:
            await asyncio.sleep(len(body) * 8 / (self._line_mbit * 1e6))
        return Response(
            body, media_type=media_type, headers={"content-encoding": "gzip"} if self._level else None
        )


async def health(_: Request) -> Response:
    """Whether the worker answers."""
    return PlainTextResponse("ok")


def create_app(settings: Settings) -> Starlette:
    """The application of one worker."""
    shop, metrics = Shop(settings), Metrics()
    return Starlette(
        middleware=[Middleware(Counting, metrics=metrics)],
        routes=[
            Route("/healthz", health),
            Route(PATH, metrics.show),
            Route("/products/{number:int}", shop.product),
            Route("/search/{category}/{count:int}", shop.search),
            Route("/export/{count:int}", shop.export),
            Route("/stock", shop.restock, methods=["POST"]),
        ],
    )
