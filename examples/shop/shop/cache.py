"""Finished responses, kept while there is room."""

from collections import OrderedDict


class Cache:
    """Bodies by key, at most `capacity` bytes of them; the one not used for longest goes first."""

    def __init__(self, capacity: int) -> None:
        self._capacity = capacity
        self._size = 0
        self._bodies: OrderedDict[str, bytes] = OrderedDict()

    def get(self, key: str) -> bytes | None:
        """The body stored under `key`, if it still is."""
        body = self._bodies.get(key)
        if body is not None:
            self._bodies.move_to_end(key)
        return body

    def put(self, key: str, body: bytes) -> None:
        """Keep `body`, unless it alone would not fit."""
        if len(body) > self._capacity:
            return
        self._size += len(body) - len(self._bodies.pop(key, b""))
        self._bodies[key] = body
        while self._size > self._capacity:
            self._size -= len(self._bodies.popitem(last=False)[1])
