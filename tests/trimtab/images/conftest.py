"""Images made by tests, as tools make them: layers of the standard library's tarfile, in an OCI layout."""

import gzip
import hashlib
import http.server
import io
import json
import tarfile
import threading

import pytest

from trimtab.images import contents, opened

TYPE = "application/vnd.oci.image."


class Layers:
    """Layers of one image, each from a mapping of path to content."""

    @staticmethod
    def layer(files, form=tarfile.PAX_FORMAT):
        """A tar archive: bytes are files, text a symlink's target, None a directory, a TarInfo itself."""
        out = io.BytesIO()
        with tarfile.open(fileobj=out, mode="w", format=form) as archive:
            for path, content in files.items():
                if isinstance(content, tuple):
                    archive.addfile(content[0], io.BytesIO(content[1]))
                    continue
                member = tarfile.TarInfo(path)
                if content is None:
                    member.type = tarfile.DIRTYPE
                elif isinstance(content, str):
                    member.type, member.linkname = tarfile.SYMTYPE, content
                else:
                    member.size = len(content)
                archive.addfile(member, io.BytesIO(content) if isinstance(content, bytes) else None)
        return out.getvalue()


def blob(directory, data, kind):
    digest = hashlib.sha256(data).hexdigest()
    (directory / "blobs" / "sha256").mkdir(parents=True, exist_ok=True)
    (directory / "blobs" / "sha256" / digest).write_bytes(data)
    return {"mediaType": TYPE + kind, "digest": f"sha256:{digest}", "size": len(data)}


def write_layout(directory, layers, config=None, compress=gzip.compress):
    """An OCI layout of layers that are archives."""
    described = [blob(directory, compress(each), "layer.v1.tar+gzip") for each in layers]
    digests = [f"sha256:{hashlib.sha256(each).hexdigest()}" for each in layers]
    rootfs = {"type": "layers", "diff_ids": digests}
    config = {"architecture": "amd64", "os": "linux", "rootfs": rootfs, "config": {}} | (config or {})
    manifest = {
        "schemaVersion": 2,
        "mediaType": TYPE + "manifest.v1+json",
        "config": blob(directory, json.dumps(config).encode(), "config.v1+json"),
        "layers": described,
    }
    entry = blob(directory, json.dumps(manifest).encode(), "manifest.v1+json")
    (directory / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [entry]}))
    (directory / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
    return directory


@pytest.fixture
def read(tmp_path):
    """Reads what is in an image of these layers, each a mapping of path to content or an archive."""

    def reading(*layers, config=None, limits=None, compress=gzip.compress):
        archives = [each if isinstance(each, bytes) else Layers.layer(each) for each in layers]
        write_layout(tmp_path / "layout", archives, config, compress)
        with opened(f"oci:{tmp_path / 'layout'}") as image:
            return contents(image, limits)

    return reading


@pytest.fixture
def server():
    """A server whose answers are set by path: status, headers, body; what was asked is kept."""
    answers, asked = {}, []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append((self.path, dict(self.headers)))
            answer = answers.get(self.path.partition("?")[0], (404, {}, b""))
            status, headers, body = answer(self) if callable(answer) else answer
            self.send_response(status)
            for name, value in {"Content-Length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(body)

        def do_HEAD(self):
            self.do_GET()

        def log_message(self, *_):
            pass

    class Server(http.server.ThreadingHTTPServer):
        def handle_error(self, *_):
            """A client that goes away in the middle is what some tests are about."""

    served = Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=served.serve_forever, args=(0.01,))
    thread.start()
    yield f"127.0.0.1:{served.server_port}", answers, asked
    served.shutdown()
    served.server_close()
    thread.join()
