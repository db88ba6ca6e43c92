"""Measures the shop one setting at a time around good ones: what the table in README.md is made of.

    python examples/shop/sweep.py 3                     # rounds; a round takes two to three minutes
    python examples/shop/sweep.py 1 "workers = 3"       # only the points named

The rounds go through all points in turn, so that what else the machine does meets all of them alike.
"""

import asyncio
import os
import statistics
import sys
import tempfile
from collections import defaultdict
from pathlib import Path

import uvloop
import yaml
from demo import HERE, OBJECTIVE, PRICES, configuration

import servo.logging
from servo.api.messages import MeasureParams
from servo.assembly import Assembly
from servo.runner import operations
from servo.servo import Servo
from servo.types.api import Adjustment, Control
from trimtab.optimizer import Goal

Point = dict[str, float | str]

GOOD: Point = {
    "workers": 2,
    "cache": 2.0,
    "compression": 3,
    "database_cache": 12,
    "batch": 16,
    "ranking": "sql",
}
DEFAULTS: Point = {
    "workers": 1,
    "cache": 0.5,
    "compression": 9,
    "database_cache": 1,
    "batch": 1,
    "ranking": "sort",
}
ELSE: dict[str, tuple[float | str, ...]] = {
    "workers": (1, 3, 4, 6),
    "cache": (0.5, 4.0, 16.0),
    "compression": (0, 6, 9),
    "database_cache": (1, 64),
    "batch": (1, 128),
    "ranking": ("sort", "heap"),
}


def points() -> dict[str, Point]:
    """What is measured, by name."""
    around = {f"{name} = {value}": {**GOOD, name: value} for name, values in ELSE.items() for value in values}
    return {"the defaults": DEFAULTS, "good settings": GOOD, **around}


async def measure(shop: Servo, goal: Goal, point: Point) -> dict[str, float]:
    """The objective and what it is made of, once."""
    wanted = [
        Adjustment(component_name="web", setting_name=name, value=value) for name, value in point.items()
    ]
    await operations.adjust(shop, wanted, Control())
    control = Control(duration="3.125s", warmup="1.25s")
    found = await operations.measure(shop, MeasureParams(metrics=sorted(goal.metrics), control=control))
    metrics = {reading.metric.name: float(reading.value) for reading in found.readings}
    evaluation = goal.evaluate(metrics, {f"web.{name}": value for name, value in point.items()})
    return {"objective": evaluation.value, **metrics}


async def main(rounds: int, names: list[str]) -> None:
    """Measure points `rounds` times, those named or all, and print the medians."""
    chosen = {label: point for label, point in points().items() if not names or label in names}
    prices = {name: float(price) for name, _, price in (each.partition("=") for each in PRICES)}
    goal = Goal.parse(OBJECTIVE, (), prices)
    found: dict[str, list[dict[str, float]]] = defaultdict(list)
    with tempfile.TemporaryDirectory(prefix="shop-sweep-") as name:
        os.environ["SHOP_DATA"] = f"{name}/data"
        document = yaml.safe_load(configuration(Path(name)).read_text(encoding="utf-8"))
        optimizer = {"id": "example.com/sweep", "token": "unused"}
        assembly = await Assembly.assemble(configs=[{**document, "optimizer": optimizer}])
        shop = assembly.servos[0]
        try:
            with shop.current():
                for _ in range(rounds):
                    for label, point in chosen.items():
                        found[label].append(await measure(shop, goal, point))
        finally:
            await assembly.remove_servo(shop)
    show(found)


def show(found: dict[str, list[dict[str, float]]]) -> None:
    """A table in Markdown: medians, and the range of the objective."""
    print("| settings | objective | range | cores | latency, mean |\n| --- | ---: | ---: | ---: | ---: |")
    for label, readings in found.items():
        middle = {key: statistics.median(each[key] for each in readings) for key in readings[0]}
        values = [each["objective"] for each in readings]
        print(
            f"| {label} | {middle['objective']:.2f} | {min(values):.2f} to {max(values):.2f} "
            f"| {middle['cpu_cores']:.3f} | {middle['latency_mean']:.1f} ms |"
        )


if __name__ == "__main__":
    os.chdir(HERE)
    os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    servo.logging.configure(level="WARNING")
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 3, sys.argv[2:]))
