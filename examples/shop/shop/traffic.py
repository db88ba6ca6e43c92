"""The shop's customers: writes `targets.http` and the bodies it names, the same each time.

Popular products are asked for more often than others (Zipf), and each stretch of 50 requests has the same mix, so
that two measurements of the same length ask for the same work.
"""

import json
import random
from collections.abc import Iterator, Sequence
from itertools import accumulate
from pathlib import Path

from .database import CATEGORIES, PLACES, PRODUCTS

MIX = {"product": 30, "search": 4, "stock": 7, "export": 1, "healthz": 8}
REQUESTS = 900
DELIVERIES = 6
LINES = 500
EXPORTED = 25_000


def requests() -> Iterator[str]:
    """Targets, in the order in which they are sent."""
    chance = random.Random(7)  # noqa: S311  customers, not secrets
    products = chance.sample(range(PRODUCTS), PRODUCTS)
    searches = [f"{category}/{count}" for count in range(20, 120, 10) for category in CATEGORIES]
    kinds = [kind for kind, share in MIX.items() for _ in range(share)]
    makers = {
        "product": lambda: f"GET /products/{_zipf(chance, products, 1.0)}",
        "search": lambda: f"GET /search/{_zipf(chance, searches, 0.8)}",
        "stock": lambda: f"POST /stock\n@delivery-{chance.randrange(DELIVERIES)}.json",
        "export": lambda: f"GET /export/{EXPORTED}",
        "healthz": lambda: "GET /healthz",
    }
    for _ in range(REQUESTS // len(kinds)):
        for kind in chance.sample(kinds, len(kinds)):
            yield makers[kind]()


def delivery(number: int) -> list[list[int]]:
    """What a lorry brings: lines of product, place, amount."""
    chance = random.Random(number)  # noqa: S311  the same
    return [
        [chance.randrange(PRODUCTS), chance.randrange(PLACES), chance.randrange(200)] for _ in range(LINES)
    ]


def write(folder: Path) -> None:
    """Write the targets and the bodies they name."""
    folder.mkdir(parents=True, exist_ok=True)
    text = "# Written by `python -m shop.traffic`.\n" + "\n".join(requests()) + "\n"
    (folder / "targets.http").write_text(text)
    for number in range(DELIVERIES):
        (folder / f"delivery-{number}.json").write_text(json.dumps(delivery(number), separators=(",", ":")))


def _zipf(chance: random.Random, things: Sequence[object], exponent: float) -> object:
    weights = list(accumulate((rank + 1) ** -exponent for rank in range(len(things))))
    return chance.choices(things, cum_weights=weights)[0]


if __name__ == "__main__":
    write(Path(__file__).parent.parent / "traffic")
