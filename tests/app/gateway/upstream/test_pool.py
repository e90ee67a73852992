import asyncio
import datetime
import ipaddress
import socket
import ssl
import time
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from yarl import URL

from serve_app.gateway.upstream.pool import Origin, opening, origin_of

from .raw_server import OK, Server


async def test_tls_with_a_certificate_that_is_trusted_and_with_one_that_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = Server(OK)
    async with server.running(_context(tmp_path)) as pool:
        with pytest.raises(OSError, match="CERTIFICATE_VERIFY_FAILED"):
            await server.ask(pool)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "cert.pem"))
    async with server.running(_context(tmp_path)) as pool:
        assert [(await server.ask(pool))[1] for _ in range(2)] == [b"ok", b"ok"]
        assert server.connections == 1


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> dict[str, list[str]]:
    """Host -> its addresses, in place of the machine's look-up; `asked` has all hosts that were asked for."""
    known: dict[str, list[str]] = {"asked": []}
    real = socket.getaddrinfo

    def getaddrinfo(host: str, port: int, *more: Any, **named: Any) -> list[Any]:
        if host not in known:
            return real(host, port, *more, **named)
        known["asked"].append(host)
        time.sleep(0.05)  # in a thread
        if not known[host]:
            raise socket.gaierror(socket.EAI_NONAME, "not known")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in known[host]]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return known


async def test_a_burst_looks_a_name_up_once(names: dict[str, list[str]]) -> None:
    names["model.test"] = ["127.0.0.1"]
    server = Server(OK)
    async with server.running() as pool:
        server.origin = server.origin._replace(host="model.test")
        answers = await asyncio.gather(*(server.ask(pool) for _ in range(20)))
        assert [body for _, body in answers] == [b"ok"] * 20
        assert server.connections == 20
        assert names["asked"] == ["model.test"]
        await server.ask(pool)
        assert names["asked"] == ["model.test"], "connections are there"
        await server.ask(pool, fresh=True)
        assert names["asked"] == ["model.test"] * 2


async def test_of_several_addresses_the_first_that_answers(names: dict[str, list[str]]) -> None:
    names["model.test"] = ["127.0.0.2", "127.0.0.1"]
    server = Server(OK)
    async with server.running() as pool:
        server.origin = server.origin._replace(host="model.test")
        assert (await server.ask(pool))[1] == b"ok"


async def test_a_name_that_is_not_known_yet(names: dict[str, list[str]]) -> None:
    names["model.test"] = []
    server = Server(OK)
    async with server.running() as pool:
        server.origin = server.origin._replace(host="model.test")
        failures = await asyncio.gather(*(server.ask(pool) for _ in range(3)), return_exceptions=True)
        assert [type(failure) for failure in failures] == [socket.gaierror] * 3
        names["model.test"] = ["127.0.0.1"]
        assert (await server.ask(pool))[1] == b"ok"


async def test_one_that_leaves_leaves_the_others_their_look_up(names: dict[str, list[str]]) -> None:
    names["model.test"] = ["127.0.0.1"]
    server = Server(OK)
    async with server.running() as pool:
        server.origin = server.origin._replace(host="model.test")
        leaves, stays = asyncio.create_task(server.ask(pool)), asyncio.create_task(server.ask(pool))
        await asyncio.sleep(0.01)
        leaves.cancel()
        assert (await stays)[1] == b"ok"
        assert names["asked"] == ["model.test"]


def _context(folder: Path) -> ssl.SSLContext:
    cert, key = folder / "cert.pem", folder / "key.pem"
    if not cert.exists():
        private = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "a model")])
        now = datetime.datetime.now(datetime.UTC)
        made = (
            x509.CertificateBuilder(name, name, private.public_key(), x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(days=1))
            .not_valid_after(now + datetime.timedelta(days=1))
            .add_extension(
                x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False
            )
            .sign(private, hashes.SHA256())
        )
        cert.write_bytes(made.public_bytes(serialization.Encoding.PEM))
        key.write_bytes(
            private.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(cert, key)
    return context


@pytest.mark.parametrize(
    ("url", "origin", "lines"),
    [
        ("http://h/v1/x?a=b%2F", Origin("h", 80, False), b"GET /v1/x?a=b%2F HTTP/1.1\r\nhost: h\r\n"),
        ("https://h/x", Origin("h", 443, True), b"GET /x HTTP/1.1\r\nhost: h\r\n"),
        ("http://h:8000", Origin("h", 8000, False), b"GET / HTTP/1.1\r\nhost: h:8000\r\n"),
        ("http://[::1]:8000/x", Origin("::1", 8000, False), b"GET /x HTTP/1.1\r\nhost: [::1]:8000\r\n"),
    ],
)
def test_where_a_url_leads(url: str, origin: Origin, lines: bytes) -> None:
    assert origin_of(URL(url, encoded=True)) == origin
    assert opening("GET", URL(url, encoded=True)) == lines + b"content-length: "
