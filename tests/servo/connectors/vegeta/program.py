"""Speaks as vegeta does, for machines without it: `attack` requests, `report` sums up. Its targets are on this machine."""

# ruff: noqa: T201 - it prints

import json
import os
import select
import sys
import time
import urllib.parse
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

CLEAR = "\x1b[H\x1b[2J"


def span(text):
    return float(text.removesuffix("s"))


def read_targets(form):
    """Method, URL and headers of each."""
    if form == "json":
        documents = [json.loads(line) for line in sys.stdin if line.strip()]
        return [
            (it["method"], it["url"], {k: v[0] for k, v in it.get("header", {}).items()}) for it in documents
        ]
    targets = []
    for line in filter(None, map(str.strip, sys.stdin)):
        if "://" in line.split(" ")[-1]:
            targets.append((*line.split(), {}))
        elif ":" in line:
            name, _, value = line.partition(":")
            targets[-1][2][name] = value.strip()
    return targets


def request(target):
    method, url, headers = target
    assert urllib.parse.urlsplit(url).hostname in {"127.0.0.1", "localhost"}
    began = time.time()
    try:
        with urllib.request.urlopen(
            urllib.request.Request(url, method=method, headers=headers), timeout=5
        ) as it:
            code, error = it.status, ""
            it.read()
    except urllib.error.HTTPError as failure:
        code, error = failure.code, str(failure)
    except OSError as failure:
        code, error = 0, str(failure)
    result = {"began": began, "latency": time.time() - began, "code": code, "error": error}
    os.write(1, (json.dumps(result) + "\n").encode())  # in one piece: several threads write


def attack(flags):
    if flags["insecure"] == "true":
        sys.exit("insecure attacks are not what this program is for")
    hits, _, interval = flags["rate"].partition("/")
    gap = span(interval) / int(hits)
    targets = read_targets(flags["format"])
    began = time.monotonic()
    with ThreadPoolExecutor(int(flags["workers"])) as pool:
        for number in range(round(span(flags["duration"]) / gap)):
            time.sleep(max(began + number * gap - time.monotonic(), 0))
            pool.submit(request, targets[number % len(targets)])


def moment(seconds):
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%S.%f") + "123Z"


def summary(results):
    if not results:
        return {"latencies": {"total": 0}, "requests": 0, "end": "0001-01-01T00:00:00Z", "errors": []}
    latencies = sorted(it["latency"] * 1e9 for it in results)
    at = lambda share: round(latencies[min(int(share * len(latencies)), len(latencies) - 1)])
    good = sum(200 <= it["code"] < 400 for it in results)
    first, last = results[0]["began"], max(it["began"] + it["latency"] for it in results)
    codes = {}
    for it in results:
        codes[str(it["code"])] = codes.get(str(it["code"]), 0) + 1
    return {
        "latencies": {
            "total": round(sum(latencies)), "mean": round(sum(latencies) / len(latencies)),
            "50th": at(0.5), "90th": at(0.9), "95th": at(0.95), "99th": at(0.99),
            "max": round(latencies[-1]), "min": round(latencies[0]),
        },
        "bytes_in": {"total": 0, "mean": 0}, "bytes_out": {"total": 0, "mean": 0},
        "earliest": moment(first), "latest": moment(results[-1]["began"]), "end": moment(last),
        "duration": round((results[-1]["began"] - first) * 1e9), "wait": 0, "requests": len(results),
        "rate": len(results) / max(last - first, 1e-9), "throughput": good / max(last - first, 1e-9),
        "success": good / len(results), "status_codes": codes,
        "errors": sorted({it["error"] for it in results} - {""}),
    }  # fmt: skip


def report(flags):
    results, pending, every = [], b"", span(flags["every"])
    due = time.monotonic() + every
    while True:
        ready, _, _ = select.select([0], [], [], max(due - time.monotonic(), 0))
        if ready:
            piece = os.read(0, 65536)
            *lines, pending = (pending + piece).split(b"\n")
            results += map(json.loads, lines)
            if not piece:
                break
        if time.monotonic() >= due:
            print(CLEAR + json.dumps(summary(results)), flush=True)
            due += every
    print(CLEAR + json.dumps(summary(results)), flush=True)


if __name__ == "__main__":
    given = dict(each.removeprefix("-").split("=", 1) for each in sys.argv[2:])
    {"attack": attack, "report": report}[sys.argv[1]](given)
