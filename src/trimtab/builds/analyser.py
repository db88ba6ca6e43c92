"""The process that analyses: `python -m trimtab.builds.analyser`, started by a worker.

What it reads is a stranger's. Here it can neither hold up the server nor take its memory, and it can be ended at any moment.
Requests and answers are JSON objects, each behind its length in eight bytes, on standard input and output.
"""

import json
import os
import queue
import resource
import struct
import sys
import threading
from collections.abc import Mapping
from contextlib import suppress
from typing import IO, Any

__all__ = ["LENGTH", "main"]

LENGTH = struct.Struct(">Q")
MEMORY = 4 << 30  # bytes of address space


def main() -> None:
    """Answer requests, until the other end is closed."""
    hard = resource.getrlimit(resource.RLIMIT_AS)[1]
    with suppress(ValueError, OSError):  # it is less already
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, hard))
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # what a library prints is no answer
    requests: queue.SimpleQueue[bytes] = queue.SimpleQueue()
    threading.Thread(target=_listen, args=(sys.stdin.buffer, requests), daemon=True).start()
    while True:
        answer = json.dumps(_answer(json.loads(requests.get()))).encode("ascii")
        answers.write(LENGTH.pack(len(answer)) + answer)
        answers.flush()


def _listen(stream: IO[bytes], requests: "queue.SimpleQueue[bytes]") -> None:
    """Take requests. When the worker ends, however that comes about, so does this process, in the middle of anything."""
    while len(head := stream.read(LENGTH.size)) == LENGTH.size:
        requests.put(stream.read(LENGTH.unpack(head)[0]))
    os._exit(0)


def _answer(request: Mapping[str, Any]) -> dict[str, Any]:
    from trimtab.builds.analysing import analyse
    from trimtab.images import ImageError, RateLimitError

    try:
        return analyse(request)
    except ImageError as error:
        after = error.after if isinstance(error, RateLimitError) else None
        return {
            "error": str(error),
            "class": type(error).__name__,
            "transient": error.transient,
            "after": after,
        }
    except MemoryError:
        return {"error": "it takes more memory than an analysis may have", "class": "MemoryError"}
    except Exception as error:  # noqa: BLE001 # a defect of ours ends one analysis, and tells nothing of its request
        return {"error": f"a defect of Trimtab: {type(error).__name__}", "class": "defect"}


if __name__ == "__main__":
    main()
