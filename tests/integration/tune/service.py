"""A service that is quick to start: how long it takes to answer depends on KNOB, best at 6.

MODE: "" for that; "flat": KNOB is without effect; "broken": each answer is an error; "dead": it does not start;
"picky": it does not start with a KNOB above 7.
"""

import asyncio
import os
import sys

KNOB = float(os.environ.get("KNOB", "1"))
MODE = os.environ.get("MODE", "")


async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer requests of one connection."""
    try:
        while head := await reader.readuntil(b"\r\n\r\n"):
            broken = MODE == "broken" and b" /healthz " not in head
            await asyncio.sleep(0.01 if MODE == "flat" else 0.004 + 0.006 * abs(KNOB - 6))
            status = b"500 Broken" if broken else b"200 OK"
            writer.write(b"HTTP/1.1 " + status + b"\r\nContent-Length: 2\r\n\r\nok")
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


async def main() -> None:
    """Serve until told to stop."""
    server = await asyncio.start_server(answer, "127.0.0.1", int(os.environ["PORT"]))
    await server.serve_forever()


if MODE == "dead" or (MODE == "picky" and KNOB > 7):
    sys.exit(f"the knob {KNOB} does not fit")
asyncio.run(main())
