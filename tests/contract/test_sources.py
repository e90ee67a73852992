"""Ray reads weights from a store with S3's API, with the key of the environment, and has what it needs for Azure."""

from .test_serve_config import image, run

__all__ = ["image"]

# A store with two files, and Ray's own download from it: one process, so that it needs no port of this machine.
S3 = """
import http.server, os, threading
from urllib.parse import parse_qs, urlsplit
FILES = {"qwen/config.json": b"{}", "qwen/model.safetensors": b"w" * 70000}
LISTED = "<Contents><Key>%s</Key><Size>%d</Size><LastModified>2026-01-01T00:00:00.000Z</LastModified></Contents>"
seen = set()

class Store(http.server.BaseHTTPRequestHandler):
    def log_message(self, *_):
        pass

    def do_HEAD(self):
        seen.add(self.headers["authorization"].split("/")[0])
        url = urlsplit(self.path)
        status, body = 200, FILES.get(url.path.removeprefix("/weights/"))
        if "prefix" in parse_qs(url.query):
            found = "".join(LISTED % (name, len(file)) for name, file in FILES.items())
            body = f"<ListBucketResult><Name>weights</Name><KeyCount>2</KeyCount>{found}</ListBucketResult>".encode()
        elif body is None:
            status, body = 404, b""
        elif ranged := self.headers["range"]:
            first, last = (int(each) for each in ranged.removeprefix("bytes=").split("-"))
            status, body = 206, body[first : last + 1]
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.send_header("last-modified", "Thu, 01 Jan 2026 00:00:00 GMT")
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    do_GET = do_HEAD

store = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Store)
threading.Thread(target=store.serve_forever, daemon=True).start()
os.environ.update(AWS_ENDPOINT_URL_S3=f"http://127.0.0.1:{store.server_port}", AWS_REGION="eu-west-1")
os.environ.update(AWS_ACCESS_KEY_ID="id", AWS_SECRET_ACCESS_KEY="secret", AWS_EC2_METADATA_DISABLED="true")
from ray.llm._internal.common.utils.cloud_utils import CloudFileSystem
from serve_app.models.source import location
CloudFileSystem.download_files("/tmp/weights", location("s3://weights/qwen"))
assert {name: os.path.getsize(f"/tmp/weights/{name}") for name in os.listdir("/tmp/weights")} == {
    "config.json": 2, "model.safetensors": 70000
}
assert seen == {"AWS4-HMAC-SHA256 Credential=id"}, seen
"""


def test_s3(image: str) -> None:
    done = run(image, "python", "-c", S3)
    assert done.returncode == 0, done.stderr


def test_azure(image: str) -> None:
    done = run(image, "python", "-c", "import adlfs, azure.identity")
    assert done.returncode == 0, done.stderr
