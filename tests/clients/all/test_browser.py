"""A web page in a real browser, on another origin than the gateway's."""

import json
import subprocess
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from queue import Queue
from typing import Any
from urllib.parse import urlsplit

import pytest

from tests.clients.all.conftest import HERE, install
from tests.clients.all.report import RAY
from tests.clients.conftest import KEY, ORIGIN, TASKS
from tests.clients.test_openai import ASK

FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--disable-background-networking"),
    *("--disable-sync", "--disable-component-update", "--disable-default-apps", "--no-first-run"),
)
# Nobody but this machine is asked, whatever the browser would like to know.
OFFLINE = "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1"
Visit = Callable[[int], dict[str, Any]]


@pytest.fixture
def visit(gateway: str, tmp_path: Path) -> Visit:
    """Opens the page, served at a port of localhost, and returns what it found out."""
    install("debian", "chromium:chromium")
    place = json.dumps({"gateway": gateway, "key": KEY, "body": ASK}).encode()
    page = (HERE / "page.html").read_bytes()
    told: Queue[dict[str, Any]] = Queue()

    class Server(BaseHTTPRequestHandler):
        def do_GET(self) -> None:  # the library's name
            self.reply(place if self.path == "/place" else page)

        def do_POST(self) -> None:
            told.put(json.loads(self.rfile.read(int(self.headers["content-length"]))))
            self.reply(b"{}")

        def reply(self, body: bytes) -> None:
            self.send_response(200)
            self.send_header("content-type", "text/html; charset=utf-8")
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Says nothing."""

    def open_page(port: int) -> dict[str, Any]:
        with ThreadingHTTPServer(("127.0.0.1", port), Server) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            url = f"http://localhost:{server.server_port}/"
            command = ["chromium", *FLAGS, OFFLINE, f"--user-data-dir={tmp_path}", "--remote-debugging-port=0", url]
            browser = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            try:
                return told.get(timeout=60)
            finally:
                browser.terminate()
                browser.wait(10)
                server.shutdown()

    return open_page


def test_a_page_of_an_origin_in_the_values(visit: Visit) -> None:
    found = visit(urlsplit(ORIGIN).port or 0)
    assert found["plain"] == RAY
    events = [json.loads(line[6:]) for line in found["stream"].splitlines() if line.startswith("data: {")]
    assert "".join(event["choices"][0]["delta"].get("content") or "" for event in events) == RAY
    assert found["refused"] == "401 invalid_api_key"
    assert found["models"] == sorted(TASKS)


def test_a_page_of_another_origin(visit: Visit) -> None:
    """The browser keeps everything from it."""
    found = visit(0)
    assert set(map(str, found.values())) == {"TypeError: Failed to fetch"}
