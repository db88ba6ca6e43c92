"""A package index of small real packages: wheels that install and import, on disk and over HTTP."""

from __future__ import annotations

import base64
import hashlib
import html
import io
import json
import tarfile
import threading
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterable

DAY = "2024-01-01T00:00:00Z"
JSON = "application/vnd.pypi.simple.v1+json"
_STAMP = (2024, 1, 1, 0, 0, 0)


class LocalIndex:
    """Packages, and the pages of an index that has them.

    Args:
        root: Directory; `root/simple` is an index of static pages.
    """

    def __init__(self, root: Path) -> None:
        self.root = root
        self.files: dict[str, list[dict[str, Any]]] = {}
        self.asked: list[str] = []
        (root / "files").mkdir(parents=True)

    def wheel(
        self,
        name: str,
        version: str,
        requires: Iterable[str] = (),
        *,
        tag: str = "py3-none-any",
        python: str = ">=3.8",
        uploaded: str | None = DAY,
        yanked: str | bool = False,
        licence: str | None = None,
        headers: Iterable[str] = (),
        code: str = "",
        metadata: bool = True,
    ) -> Path:
        """Make a wheel of a package with one module."""
        lines = [
            "Metadata-Version: 2.4",
            f"Name: {name}",
            f"Version: {version}",
            f"Requires-Python: {python}",
        ]
        lines += [f"Requires-Dist: {each}" for each in requires]
        lines += [f"License-Expression: {licence}"] if licence else []
        described = "\n".join([*lines, *headers]) + "\n"
        content = _zipped(name, version, tag, described, code)
        filename = f"{name}-{version}-{tag}.whl"
        entry = self._add(name, filename, content, python, uploaded, yanked)
        if metadata:
            (self.root / "files" / f"{filename}.metadata").write_text(described)
            entry["core-metadata"] = {"sha256": hashlib.sha256(described.encode()).hexdigest()}
        return self.root / "files" / filename

    def sdist(self, name: str, version: str, setup: str, *, uploaded: str | None = DAY) -> None:
        """Make a source distribution, whose metadata only its setup.py knows."""
        packed = io.BytesIO()
        with tarfile.open(fileobj=packed, mode="w:gz") as archive:
            for path, text in (
                ("setup.py", setup),
                ("PKG-INFO", f"Metadata-Version: 1.0\nName: {name}\nVersion: {version}\n"),
            ):
                member = tarfile.TarInfo(f"{name}-{version}/{path}")
                member.size = len(text.encode())
                archive.addfile(member, io.BytesIO(text.encode()))
        self._add(name, f"{name}-{version}.tar.gz", packed.getvalue(), "", uploaded, yanked=False)

    def write(self) -> str:
        """Write the static pages; the URL of the index."""
        for name, files in self.files.items():
            page = self.root / "simple" / name / "index.html"
            page.parent.mkdir(parents=True, exist_ok=True)
            page.write_text(self._html(files))
        return (self.root / "simple").as_uri()

    def page(self, name: str) -> dict[str, Any]:
        """A page as JSON."""
        files = [{**each, "url": f"../../files/{each['filename']}"} for each in self.files[name]]
        versions = sorted({each["filename"].split("-")[1] for each in files})
        return {"meta": {"api-version": "1.1"}, "name": name, "files": files, "versions": versions}

    def _add(
        self, name: str, filename: str, content: bytes, python: str, uploaded: str | None, yanked: str | bool
    ) -> dict[str, Any]:
        (self.root / "files" / filename).write_bytes(content)
        entry: dict[str, Any] = {
            "filename": filename,
            "hashes": {"sha256": hashlib.sha256(content).hexdigest()},
            "size": len(content),
            "yanked": yanked,
        }
        entry |= {"requires-python": python} if python else {}
        entry |= {"upload-time": uploaded} if uploaded else {}
        self.files.setdefault(name, []).append(entry)
        return entry

    def _html(self, files: list[dict[str, Any]]) -> str:
        links = []
        for each in files:
            url = f"../../files/{each['filename']}#sha256={each['hashes']['sha256']}"
            python = html.escape(each.get("requires-python", ""))
            attributes = f' data-requires-python="{python}"' if python else ""
            if each["yanked"] is not False:
                attributes += f' data-yanked="{html.escape(str(each["yanked"]))}"'
            links.append(f'<a href="{url}"{attributes}>{each["filename"]}</a><br>')
        return "<!DOCTYPE html><html><body>\n" + "\n".join(links) + "\n</body></html>\n"


class _Quiet(ThreadingHTTPServer):
    """Says nothing of clients that were ended in the middle."""

    def handle_error(self, request: object, client_address: object) -> None:
        pass


class Server:
    """Serves an index over HTTP, on a port that the kernel chooses.

    Args:
        index: The index.
        status: Answer everything with this, if it is not 200.
    """

    def __init__(self, index: LocalIndex, status: int = 200) -> None:
        served = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                index.asked.append(self.path)
                found = served.answer(self.path, self.headers.get("Accept", ""))
                code, kind, content = found or (404, "text/plain", b"not found")
                self.send_response(code)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def do_HEAD(self) -> None:
                self.send_response(405)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *args: object) -> None:
                pass

        self.index = index
        self.status = status
        self._server = _Quiet(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        self.url = f"http://127.0.0.1:{self._server.server_port}/simple"

    def answer(self, path: str, accept: str) -> tuple[int, str, bytes] | None:
        """Code, content type and content of an answer; None: there is none."""
        if self.status != 200:
            return self.status, "text/plain", b"no"
        parts = path.strip("/").split("/")
        if parts[0] == "simple" and len(parts) == 2 and parts[1] in self.index.files:
            if JSON in accept:
                return 200, JSON, json.dumps(self.index.page(parts[1])).encode()
            return 200, "text/html", self.index._html(self.index.files[parts[1]]).encode()
        file = self.index.root / "files" / parts[-1]
        if parts[0] == "files" and file.is_file():
            return 200, "application/octet-stream", file.read_bytes()
        return None

    def close(self) -> None:
        """Stop."""
        self._server.shutdown()
        self._server.server_close()


def shop(root: Path) -> LocalIndex:
    """An index for tests: 51 200 combinations of five packages, of which a fourth has no stack.

    `web` from 1.5 on needs `core` 2, `api` before 1.5 needs `core` 1; `db`, `log` and `ui` go with everything.
    """
    index = LocalIndex(root)
    for minor in range(10):
        uploaded = f"2024-{minor + 1:02}-01T00:00:00Z"
        web = "core>=2" if minor >= 5 else "core>=1"
        index.wheel("web", f"1.{minor}", [web], uploaded=uploaded)
        api = "core>=1" if minor >= 5 else "core<2"
        index.wheel("api", f"1.{minor}", [api], uploaded=uploaded)
    for name in ("db", "log", "ui"):
        for minor in range(8):
            index.wheel(name, f"0.{minor}", uploaded=f"2024-{minor + 1:02}-01T00:00:00Z")
    for major in (1, 2):
        for minor in range(5):
            index.wheel("core", f"{major}.{minor}")
    index.write()
    return index


def _zipped(name: str, version: str, tag: str, metadata: str, code: str) -> bytes:
    info = f"{name}-{version}.dist-info"
    files = {
        f"{name}.py": f"__version__ = {version!r}\n{code}",
        f"{info}/METADATA": metadata,
        f"{info}/WHEEL": f"Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: {tag}\n",
    }
    record = [_recorded(path, text.encode()) for path, text in files.items()] + [f"{info}/RECORD,,"]
    files[f"{info}/RECORD"] = "\n".join(record) + "\n"
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for path, text in files.items():
            archive.writestr(zipfile.ZipInfo(path, _STAMP), text)
    return packed.getvalue()


def _recorded(path: str, content: bytes) -> str:
    digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
    return f"{path},sha256={digest},{len(content)}"
