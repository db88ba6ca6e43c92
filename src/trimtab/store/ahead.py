"""Objects that are wanted one after another, asked for before it is their turn: of a server, each takes its time to come."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

__all__ = ["ahead"]

K = TypeVar("K")
V = TypeVar("V")


def ahead(read: Callable[[K], V], wanted: Iterable[K], at_once: int) -> Iterator[tuple[K, V]]:
    """What is read for each that is wanted, in their order.

    Args:
        read: Reads one; it is called in threads.
        wanted: Which.
        at_once: How many are read, or wait to be taken, at the same time; 1: each when it is its turn, in this thread.

    Raises:
        Exception: What `read` raises, when it is the turn of what could not be read.
    """
    if at_once <= 1:
        yield from ((each, read(each)) for each in wanted)
        return
    coming: deque[tuple[K, Future[V]]] = deque()
    with ThreadPoolExecutor(at_once, thread_name_prefix="store") as threads:
        try:
            for each in wanted:
                coming.append((each, threads.submit(read, each)))
                if len(coming) >= at_once:
                    key, found = coming.popleft()
                    yield key, found.result()
            while coming:
                key, found = coming.popleft()
                yield key, found.result()
        finally:
            for _, left in coming:
                left.cancel()
