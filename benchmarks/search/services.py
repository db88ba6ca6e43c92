"""Simulated services whose optimum is known by enumeration: what a tuner meets, without waiting for it.

Each instance is seeded. A service maps settings (arrays of equal shape, so that the whole lattice is one call) to the
true means of its metrics; `broken` marks what would not come up (out of memory). A trial reads the means with relative
Gaussian noise.
"""

import itertools
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from trimtab.optimizer import Goal, Outcome, Parameter, Point, Space

Array = npt.NDArray[np.float64]
Settings = Mapping[str, npt.NDArray[np.generic]]
Truth = Callable[[Settings], dict[str, Array]]
BROKEN = "broken"


@dataclass(frozen=True)
class Service:
    """One instance.

    Args:
        name: Of the family.
        space: Its settings.
        goal: What is wanted of it.
        baseline: The settings it comes with: they keep the SLOs, and are mediocre.
        truth: See the module.
    """

    name: str
    space: Space
    goal: Goal
    baseline: Point
    truth: Truth

    def metrics(self, point: Point) -> dict[str, float]:
        """True means at a point."""
        return {
            name: float(v[0]) for name, v in self.truth({k: np.array([v]) for k, v in point.items()}).items()
        }

    def measure(self, point: Point, noise: float, random: np.random.Generator) -> Outcome:
        """A trial."""
        metrics = self.metrics(point)
        if metrics.pop(BROKEN, 0.0):
            return Outcome("rejected", reason="start-failed", message="out of memory")
        return Outcome(
            "ok", {name: v * (1 + noise * random.standard_normal()) for name, v in metrics.items()}
        )

    def keeps(self, point: Point) -> bool:
        """Whether a point truly comes up and keeps the SLOs."""
        metrics = self.metrics(point)
        return not metrics.pop(BROKEN, 0.0) and self.goal.evaluate(metrics, point).feasible

    def loss(self, point: Point) -> float:
        """True loss of a point that comes up."""
        return self.goal.evaluate(self.metrics(point), point).loss

    def regret(self, point: Point) -> float:
        """0 at the optimum, 1 at the baseline; a point that breaks an SLO or does not come up is worth the baseline."""
        if not self.keeps(point):
            return 1.0
        worst, best = self.loss(self.baseline), self.optimum
        return (self.loss(point) - best) / (worst - best)

    @cached_property
    def optimum(self) -> float:
        """The least loss over the lattice among points that keep the SLOs."""
        names = [each.name for each in self.space.free]
        levels = [_levels(each) for each in self.space.free]
        lattice = [np.array(column) for column in zip(*itertools.product(*levels), strict=True)]
        metrics = self.truth(dict(zip(names, lattice, strict=True)))
        ok = metrics.pop(BROKEN, np.zeros(len(lattice[0]))) == 0
        for slo in self.goal.slos:
            values = metrics[slo.metric]
            ok &= values <= slo.threshold if "<" in slo.relation else values >= slo.threshold
        candidates = np.flatnonzero(ok)
        rough = self._losses(names, lattice, metrics)
        return float(rough[candidates].min())

    def _losses(self, names: Sequence[str], lattice: Sequence[Array], metrics: Mapping[str, Array]) -> Array:
        """Losses of the whole lattice; the objectives here are written for arrays as well as for numbers."""
        settings = dict(zip(names, lattice, strict=True))
        cost = sum((price * settings[name].astype(float) for name, price in self.goal.prices.items()), 0.0)
        variables = {**metrics, "cost": cost}
        expression = str(self.goal.objective.expression)
        parts = expression.split(" ")
        left = variables[parts[0]]
        value = left if len(parts) == 1 else _joined(left, parts[1], variables[parts[2]])
        return np.asarray(self.goal.objective.sign * value, dtype=float)


def _joined(left: Array, operator: str, right: Array) -> Array:
    return left / right if operator == "/" else left + right


def _levels(parameter: Parameter) -> list[object]:
    if parameter.kind == "enum":
        return list(parameter.values)
    assert parameter.levels is not None
    assert parameter.step is not None
    return [parameter.snap(parameter.minimum + i * parameter.step) for i in range(parameter.levels)]


def _integers(name: str, low: int, high: int, step: int = 1) -> Parameter:
    return Parameter(name, "range", low, high, step, integer=True)


def _numbers(name: str, low: float, high: float, step: float) -> Parameter:
    return Parameter(name, "range", low, high, step)


def _waiting(load: Array, servers: Array) -> Array:
    """Probability to wait in M/M/k (Erlang C), by the recursion of Erlang B; 1 from saturation on."""
    blocked = np.ones_like(load)
    for k in range(1, int(servers.max()) + 1):
        blocked = np.where(k <= servers, load * blocked / (k + load * blocked), blocked)
    use = np.minimum(load / servers, 0.9999)
    return np.where(load < servers, blocked / (1 - use * (1 - blocked)), 1.0)


def _tail(service: Array, load: Array, servers: Array, quantile: float = 0.99) -> Array:
    """Latency quantile of M/M/k in the unit of `service`; past saturation it grows with the overload."""
    wait = _waiting(load, servers)
    spare = np.maximum(servers - load, 0.02 * servers)
    queue = np.maximum(np.log(wait / (1 - quantile)), 0.0) * service / spare
    overload = np.maximum(load / servers - 0.98, 0.0) * 40 * service
    return service * -np.log(1 - quantile) + queue + overload


def queueing(seed: int) -> Service:
    """Workers and threads on a few cores: too few wait, too many thrash; every core and worker costs."""
    draw = np.random.default_rng([1, seed])
    rate, work, parallel = draw.uniform(60, 160), draw.uniform(10, 25), draw.uniform(0.3, 0.7)
    heft = draw.uniform(0.03, 0.08)

    def truth(s: Settings) -> dict[str, Array]:
        workers, threads, cores = (s[f"web.{name}"].astype(float) for name in ("workers", "threads", "cores"))
        slots = workers * threads
        useful = np.minimum(slots, cores / parallel)
        thrash = 1 + heft * np.maximum(slots / cores - 2, 0) ** 1.3 + 0.02 * threads
        service = work * thrash
        load = rate * service / 1000
        p99 = _tail(service, load, np.maximum(np.floor(useful), 1))
        return {
            "latency_p99": p99,
            "throughput": np.minimum(rate, 1000 * useful / service),
            "resources": 10 * cores + 1.5 * workers + 0.1 * slots,
        }

    parameters = (
        _integers("web.workers", 1, 16),
        _integers("web.threads", 1, 16),
        _numbers("web.cores", 0.5, 8, 0.25),
    )
    return _service("queueing", parameters, "minimize resources", truth, ["latency_p99"], draw, slack=1.6)


def memory_cliff(seed: int) -> Service:
    """Heap and cache in a container: more of them is faster until it does not come up; memory is paid for."""
    draw = np.random.default_rng([2, seed])
    need, curve, price = draw.uniform(300, 700), draw.uniform(200, 500), draw.uniform(0.015, 0.03)
    overhead = draw.uniform(100, 250)

    def truth(s: Settings) -> dict[str, Array]:
        heap, cache, limit = (s[f"app.{name}"].astype(float) for name in ("heap", "cache", "limit"))
        used = heap + cache + overhead
        pressure = np.exp(np.clip((need - heap) / (need / 5), -5, 6))
        latency = 20 + 8 * pressure + 60 * np.exp(-cache / curve) + 15 * np.maximum(used / limit - 0.9, 0)
        return {"latency": latency + price * limit, "latency_p99": 3 * latency, BROKEN: (used > limit) * 1.0}

    parameters = (
        _integers("app.heap", 128, 2048, 64),
        _integers("app.cache", 0, 2048, 64),
        _integers("app.limit", 512, 4096, 128),
    )
    return _service("memory cliff", parameters, "minimize latency", truth, ["latency_p99"], draw, slack=1.5)


def garbage(seed: int) -> Service:
    """A collected heap: small ones stop often, large ones long; the young part has an optimum in between."""
    draw = np.random.default_rng([3, seed])
    live, churn, best = draw.uniform(0.4, 1.0), draw.uniform(0.5, 1.5), draw.uniform(0.25, 0.5)

    def truth(s: Settings) -> dict[str, Array]:
        heap, young, threads = (s[f"jvm.{name}"].astype(float) for name in ("heap", "young", "threads"))
        room = np.maximum(heap - live, 0.05)
        skew = 1 + 6 * (young / 100 - best) ** 2
        share = np.clip(0.08 * churn * skew / room * (1 + 1.5 / threads), 0, 0.9)
        pause = 15 * skew * (live + 0.3 * heap) / np.sqrt(threads) + 4 * threads
        throughput = 1000 * (1 - share) / (1 + 0.01 * threads)
        return {"throughput": throughput, "pause": pause, BROKEN: (heap < 1.05 * live) * 1.0}

    parameters = (
        _numbers("jvm.heap", 0.5, 8, 0.25),
        _integers("jvm.young", 5, 90, 5),
        _integers("jvm.threads", 1, 16),
    )
    prices = {"jvm.heap": 10.0, "jvm.threads": 1.0}
    return _service("garbage", parameters, "maximize throughput / cost", truth, ["pause"], draw, 1.5, prices)


def caching(seed: int) -> Service:
    """A cache with a Zipf-like hit curve: size against memory, time to live against staleness."""
    draw = np.random.default_rng([4, seed])
    items, skew, change = draw.uniform(300, 2000), draw.uniform(0.3, 0.6), draw.uniform(200, 1500)
    price = draw.uniform(0.004, 0.012)

    def truth(s: Settings) -> dict[str, Array]:
        size, ttl, shards = (s[f"cache.{name}"].astype(float) for name in ("size", "ttl", "shards"))
        fresh = ttl / (ttl + 60)
        hit = np.minimum(size / items, 1.0) ** skew * fresh
        contention = 6 / shards + 0.5 * shards + 2e-3 * size / shards
        stale = 100 * (1 - np.exp(-ttl / change))
        return {"latency": 5 + 90 * (1 - hit) + contention + price * size, "stale": stale}

    parameters = (
        _integers("cache.size", 10, 4010, 80),
        _integers("cache.ttl", 5, 1205, 30),
        _integers("cache.shards", 1, 16),
    )
    return _service("caching", parameters, "minimize latency", truth, ["stale"], draw, slack=1.3)


def replicas(seed: int) -> Service:
    """How many replicas of which size: the cheapest that keeps the tail and does not run out of memory."""
    draw = np.random.default_rng([5, seed])
    rate, work, footprint = draw.uniform(80, 250), draw.uniform(15, 40), draw.uniform(0.4, 0.9)

    def truth(s: Settings) -> dict[str, Array]:
        count, cpu, memory = (s[f"web.{name}"].astype(float) for name in ("replicas", "cpu", "memory"))
        service = work / np.minimum(cpu, 2) ** 0.9
        p99 = _tail(service, rate * service / 1000, count * np.maximum(1, np.floor(cpu)))
        starved = np.exp(np.clip(8 * (footprint + 0.25 * cpu - memory), -10, 3))
        return {"latency_p99": p99 * (1 + starved), BROKEN: (memory < 0.8 * footprint) * 1.0}

    parameters = (
        _integers("web.replicas", 1, 20),
        _numbers("web.cpu", 0.25, 4, 0.25),
        _numbers("web.memory", 0.25, 4, 0.25),
    )
    prices = {"web.replicas": 4.0, "web.cpu": 6.0, "web.memory": 2.0}
    return _service("replicas", parameters, "minimize cost", truth, ["latency_p99"], draw, 1.8, prices)


def compression(seed: int) -> Service:
    """Which codec at which level, in batches: bytes against processor time, throughput against latency."""
    draw = np.random.default_rng([6, seed])
    bandwidth, body = draw.uniform(30, 90), draw.uniform(40, 120)
    best = dict(zip(("none", "gzip", "brotli", "zstd"), (0.0, *draw.uniform(0.55, 0.8, 3)), strict=True))
    slow = dict(zip(("none", "gzip", "brotli", "zstd"), (0.0, *draw.uniform(0.05, 0.5, 3)), strict=True))

    def truth(s: Settings) -> dict[str, Array]:
        codec, level, batch, workers = (
            s["api.codec"],
            *(s[f"api.{n}"].astype(float) for n in ("level", "batch", "workers")),
        )
        ratio = np.vectorize(best.__getitem__, otypes=[float])(codec)
        cost = np.vectorize(slow.__getitem__, otypes=[float])(codec)
        sent = body * (1 - ratio * (1 - np.exp(-level / 3)))
        cpu = (1 + cost * 1.35**level + 6 / batch) * (1 + 0.05 * np.maximum(workers - 6, 0) ** 1.5)
        throughput = 1000 / np.maximum(cpu / workers * 4, sent / bandwidth)
        latency = 4 * cpu + 1.2 * batch + sent / bandwidth * 4
        return {"throughput": throughput, "latency_p99": latency}

    parameters = (
        Parameter("api.codec", "enum", values=("none", "gzip", "brotli", "zstd")),
        _integers("api.level", 1, 11),
        _integers("api.batch", 1, 64, 3),
        _integers("api.workers", 1, 12),
    )
    return _service("compression", parameters, "maximize throughput", truth, ["latency_p99"], draw, slack=1.3)


def pooling(seed: int) -> Service:
    """Connections to a database that locks: a pool too small queues, one too large contends; isolation and batches."""
    draw = np.random.default_rng([7, seed])
    base, knee, rate = draw.uniform(4, 9), draw.uniform(8, 24), draw.uniform(120, 260)
    factor = dict(
        zip(("read-committed", "snapshot", "serializable"), (1.0, *draw.uniform(0.75, 1.5, 2)), strict=True)
    )

    def truth(s: Settings) -> dict[str, Array]:
        pool, batch, prefetch = (s[f"db.{name}"].astype(float) for name in ("pool", "batch", "prefetch"))
        locks = np.vectorize(factor.__getitem__, otypes=[float])(s["db.isolation"])
        contention = 1 + (pool / knee) ** 2 * locks * 0.4
        query = (base * locks + 12 / batch + 0.25 * batch) * contention / (1 + 0.15 * np.log1p(prefetch))
        latency = _tail(query, rate * query / 1000, pool)
        return {"latency_mean": query + 0.2 * latency, "memory": 2 * pool + 0.5 * prefetch * batch + 40}

    parameters = (
        Parameter("db.isolation", "enum", values=("read-committed", "snapshot", "serializable")),
        _integers("db.pool", 1, 64),
        _integers("db.batch", 1, 31, 2),
        _integers("db.prefetch", 0, 16, 2),
    )
    return _service("pooling", parameters, "minimize latency_mean", truth, ["memory"], draw, slack=1.3)


FAMILIES = (queueing, memory_cliff, garbage, caching, replicas, compression, pooling)


def _service(
    name: str,
    parameters: tuple[Parameter, ...],
    objective: str,
    truth: Truth,
    bounded: Sequence[str],
    draw: np.random.Generator,
    slack: float = 1.5,
    prices: Mapping[str, float] | None = None,
) -> Service:
    """Choose a mediocre baseline, and SLOs that it keeps by `slack` and that bind at what would be the optimum."""
    space = Space(parameters)
    free = Service(name, space, Goal.parse(objective, [], prices), {}, truth)
    sample = [space.from_unit(each) for each in draw.random((400, space.dimensions))]
    alive = [point for point in sample if not free.metrics(point).get(BROKEN)]
    alive.sort(key=free.loss)
    middle = alive[len(alive) // 4 : len(alive) * 3 // 4]
    usual = {metric: np.median([free.metrics(point)[metric] for point in middle]) for metric in bounded}
    modest = [each for each in middle if all(free.metrics(each)[m] <= usual[m] for m in bounded)]
    baseline = modest[len(modest) // 2]
    slos = [f"{metric} <= {free.metrics(baseline)[metric] * slack:.4g}" for metric in bounded]
    return Service(name, space, Goal.parse(objective, slos, prices), baseline, truth)
