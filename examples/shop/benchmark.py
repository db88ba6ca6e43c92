#!/usr/bin/env python3
"""What an inspection of the shop's stack runs: the shop's pages, made again and again without a network.

The shop lies beside this file. It prints one JSON object, in the form of the original service's performance indicators.
"""

import asyncio
import json
import os
import sys
import time
from http import HTTPStatus
from importlib.metadata import version
from typing import Any

from shop.app import create_app
from shop.settings import read_settings

PATHS = ("/products/7", "/products/3", "/search/boats/30", "/search/lamps/10")
REPS = int(os.environ.get("SHOP_BENCHMARK_REPS", "40"))


async def answer(app: Any, path: str) -> tuple[int, int]:
    """One answer of an ASGI application: its status, and the bytes of its body."""
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "GET",
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [(b"host", b"shop"), (b"accept-encoding", b"gzip")],
        "client": ("127.0.0.1", 1),
        "server": ("shop", 80),
    }
    await app(scope, receive, send)
    return sent[0]["status"], sum(len(each.get("body", b"")) for each in sent)


async def main() -> dict[str, Any]:
    """Ask for each page as often as is wanted, after once to warm up."""
    app = create_app(read_settings())
    for path in PATHS:
        status, _ = await answer(app, path)
        if status != HTTPStatus.OK:
            sys.exit(f"{path} is answered with {status}")
    began, size = time.perf_counter(), 0
    for _ in range(REPS):
        for path in PATHS:
            size += (await answer(app, path))[1]
    elapsed = time.perf_counter() - began
    return {
        "name": "Shop",
        "component": "starlette",
        "version": version("starlette"),
        "@parameters": {"reps": REPS, "paths": len(PATHS)},
        "@result": {"elapsed": elapsed, "rate": REPS * len(PATHS) / elapsed, "bytes": size},
    }


print(json.dumps(asyncio.run(main())))
