"""What a Prometheus knows: the last five minutes of a query, each series with its mean.

python examples/prometheus/query.py http://127.0.0.1:9090 'rate(prometheus_http_requests_total[1m])'
"""

import asyncio
import sys
from datetime import UTC, datetime, timedelta

from servo.connectors.prometheus import Client


async def main(url: str, query: str) -> None:
    """Print each series and its mean."""
    now = datetime.now(UTC)
    async with Client(url) as client:
        answer = await client.query_range(query, now - timedelta(minutes=5), now, "15s")
    for series in answer.results():
        print(f"{series.id}  {sum(point.value for point in series) / len(series):g}")


if __name__ == "__main__":
    asyncio.run(main(*sys.argv[1:]))
