"""The key ring: which entries are taken, and that a bad one stays alone."""

import json
import logging
from pathlib import Path

import pytest

from serve_app.gateway.access.keys import KeyRing, Mounted, parse, watched_keys
from serve_app.gateway.access.metrics import AccessMetrics
from serve_app.gateway.observe.metrics import Metrics

from ..support import key_entry

HEX = "ab" * 32


def ring_of(**files: str | bytes) -> tuple[KeyRing, Metrics]:
    metrics = Metrics()
    content = {name: text if isinstance(text, bytes) else text.encode() for name, text in files.items()}
    return KeyRing(content, AccessMetrics(metrics.registry)), metrics


def states(metrics: Metrics) -> tuple[float | None, float | None]:
    value = metrics.registry.get_sample_value
    return tuple(value("ray_vllm_gateway_api_keys", {"state": state}) for state in ("accepted", "refused"))  # type: ignore[return-value]


def name_of(ring: KeyRing, text: bytes) -> str | None:
    return ring.places.get(ring.place(text))


def test_a_ring_knows_names_and_keeps_no_key() -> None:
    ring, metrics = ring_of(a=key_entry("sk-1"), b=key_entry("sk-2", team="red") + "\n")
    assert [name_of(ring, text) for text in (b"sk-1", b"sk-2", b"sk-3", b"")] == ["a", "b", None, None]
    assert b"sk-1" not in repr(vars(ring)).encode()
    assert states(metrics) == (2, 0)


def test_two_rings_put_a_key_into_different_places() -> None:
    (one, _), (other, _) = ring_of(a=key_entry("sk-1")), ring_of(a=key_entry("sk-1"))
    assert one.place(b"sk-1") != other.place(b"sk-1")


@pytest.mark.parametrize(
    ("entry", "says"),
    [
        ("sk-plaintext-0123456789", "it is not JSON (the text of a key is not accepted), make the entry with"),
        ("", "it is not JSON"),
        (b"\xff\xfe", "it is not JSON"),
        ('"sk-plaintext-0123456789"', "it has no hash, make the entry with python -m serve_app.keys"),
        ('{"sk-plaintext-0123456789": "red"}', "it has no hash"),
        ('{"hash": "sk-plaintext-0123456789"}', "hash is no sha256:<64 hexadecimal digits>"),
        (json.dumps({"hash": f"sha256:{HEX}"[:-1]}), "hash is no sha256:<64 hexadecimal digits>"),
        (json.dumps({"hash": f"sha256:{HEX.upper()}"}), "hash is no sha256:<64 hexadecimal digits>"),
        (json.dumps({"hash": f"sha256:{HEX}", "previousHash": "sk-plaintext"}), "previousHash is no sha256:<64 hexa"),
        (json.dumps({"hash": f"sha256:{HEX}", "expires": "soon"}), "expires is 'soon', write a time as 2027-01-31T12"),
        (json.dumps({"hash": f"sha256:{HEX}", "expires": "2027-02-30"}), "expires is '2027-02-30', write a time as"),
        (json.dumps({"hash": f"sha256:{HEX}", "expires": "2027-01-31T12:00:00"}), "expires is '2027-01-31T12:00:00'"),
        (json.dumps({"hash": f"sha256:{HEX}", "expires": 1800000000}), "expires is '1800000000', write a time as"),
        (json.dumps({"hash": f"sha256:{HEX}", "monthlyCost": -1}), "monthlyCost is -1"),
        (json.dumps({"hash": f"sha256:{HEX}", "rpm": 1}), "has the unknown key 'rpm', use one of: models,"),
        (json.dumps({"hash": f"sha256:{HEX}", "tokensPerMinute": 0}), "tokensPerMinute is 0: input should be greater"),
        (json.dumps({"hash": f"sha256:{HEX}", "priority": "max"}), "priority is 'max'"),
    ],
)
def test_a_bad_entry_is_refused_alone(entry: str | bytes, says: str, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR):
        ring, metrics = ring_of(bad=entry, good=key_entry("sk-1"))
    assert name_of(ring, b"sk-1") == "good"
    assert name_of(ring, b"sk-plaintext-0123456789") is None
    assert states(metrics) == (1, 1)
    (record,) = caplog.records
    assert record.getMessage().startswith(f"API key bad is refused: {says}")
    assert "plaintext-0" not in record.getMessage()


def test_a_made_hash_is_beside_its_entry(caplog: pytest.LogCaptureFixture) -> None:
    own, made = json.loads(key_entry("sk-own"))["hash"], json.loads(key_entry("sk-made"))["hash"]
    files = {"a": '{"team": "red"}', "_a": made, "b": key_entry("sk-own"), "_b": made, "late": "{}", "_gone": own}
    with caplog.at_level(logging.ERROR):
        ring, metrics = ring_of(**files)
    assert [name_of(ring, text) for text in (b"sk-made", b"sk-own")] == ["a", "b"]
    assert ring.keys["a"].team == "red"
    assert states(metrics) == (2, 1)
    (record,) = caplog.records
    assert record.getMessage().startswith("API key late is refused: it has no hash")


@pytest.mark.parametrize("made", ["sk-plaintext", b"\xff"])
def test_a_made_hash_is_checked_too(made: str | bytes) -> None:
    ring, metrics = ring_of(a="{}", _a=made)
    assert (ring.keys, states(metrics)) == ({}, (0, 1))


def test_one_key_under_two_names_is_refused_under_both(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.ERROR):
        ring, metrics = ring_of(a=key_entry("sk-1"), b=key_entry("sk-2"), c=key_entry("sk-1", team="red"))
    assert [name_of(ring, text) for text in (b"sk-1", b"sk-2")] == [None, "b"]
    assert states(metrics) == (1, 2)
    assert [record.getMessage() for record in caplog.records] == [
        "API keys a, c are refused: they share a hash, give each key its own text"
    ]


def hash_of(text: str) -> str:
    return str(json.loads(key_entry(text))["hash"])


def test_a_key_that_is_rotated_has_two_texts() -> None:
    ring, metrics = ring_of(a=key_entry("sk-new", previousHash=hash_of("sk-old")), b=key_entry("sk-2"))
    assert [name_of(ring, text) for text in (b"sk-new", b"sk-old", b"sk-2")] == ["a", "a", "b"]
    assert states(metrics) == (2, 0), "two entries, whatever they accept"
    same, _ = ring_of(a=key_entry("sk-1", previousHash=hash_of("sk-1")))
    assert name_of(same, b"sk-1") == "a"


def test_a_hash_before_that_is_another_keys_is_refused_under_both(caplog: pytest.LogCaptureFixture) -> None:
    ring, metrics = ring_of(a=key_entry("sk-1", previousHash=hash_of("sk-2")), b=key_entry("sk-2"), c=key_entry("sk-3"))
    assert [name_of(ring, text) for text in (b"sk-1", b"sk-2", b"sk-3")] == [None, None, "c"]
    assert states(metrics) == (1, 2)
    assert "API keys a, b are refused: they share a hash" in caplog.text
    both, _ = ring_of(
        a=key_entry("sk-1", previousHash=hash_of("sk-0")), b=key_entry("sk-2", previousHash=hash_of("sk-0"))
    )
    assert [name_of(both, text) for text in (b"sk-0", b"sk-1", b"sk-2")] == [None, None, None]


@pytest.mark.parametrize(
    ("expires", "at"),
    [
        ("2027-01-31", 1801353600),
        ("2027-01-31T00:00:00Z", 1801353600),
        ("2027-01-31t02:00:00+02:00", 1801353600),
        ("2027-01-31 00:00:01.5Z", 1801353601.5),
    ],
)
def test_when_a_key_expires(expires: str, at: float) -> None:
    key = parse("a", key_entry("sk-1", expires=expires).encode())
    assert key.expires
    assert key.expires.timestamp() == at
    assert parse("a", key_entry("sk-1").encode()).expires is None


def test_no_key_has_the_name_of_tokens(caplog: pytest.LogCaptureFixture) -> None:
    ring, metrics = ring_of(oidc=key_entry("sk-1"))
    assert (name_of(ring, b"sk-1"), states(metrics)) == (None, (0, 1))
    assert "oidc is the name that callers with tokens have, rename the key" in caplog.text


def mounted(folder: Path, version: str, **files: str) -> None:
    """Writes files as Kubernetes mounts them: into a folder of their own, which then takes the place of the last."""
    (folder / version).mkdir()
    for name, content in files.items():
        (folder / version / name).write_text(content)
        if not (folder / name).is_symlink():
            (folder / name).symlink_to(f"..data/{name}")
    (folder / "..data_tmp").symlink_to(version)
    (folder / "..data_tmp").rename(folder / "..data")


def test_a_mounted_secret_is_read_without_its_dot_names(tmp_path: Path) -> None:
    mounted(tmp_path, "..1", default="{}")
    (tmp_path / "folder").mkdir()
    assert Mounted(tmp_path).read() == {"default": b"{}"}


def test_a_mounted_secret_is_read_again_when_it_is_swapped(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    secret = Mounted(tmp_path)
    mounted(tmp_path, "..1", a="1")
    first = secret.read()
    with monkeypatch.context() as patched:
        patched.setattr(Path, "read_bytes", lambda path: pytest.fail(f"{path} was read again"))
        assert secret.read() is first
    mounted(tmp_path, "..2", a="2", b="3")
    assert secret.read() == {"a": b"2", "b": b"3"}


def test_a_directory_made_by_hand_is_read_each_time(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("1")
    secret = Mounted(tmp_path)
    assert secret.read() == {"a": b"1"}
    (tmp_path / "a").write_text("2")
    assert secret.read() == {"a": b"2"}


def test_a_directory_that_is_not_there(tmp_path: Path) -> None:
    metrics = Metrics()
    with pytest.raises(FileNotFoundError):
        watched_keys(tmp_path / "none", metrics, AccessMetrics(metrics.registry))


def test_keys_follow_their_directory(tmp_path: Path) -> None:
    metrics = Metrics()
    (tmp_path / "a").write_text(key_entry("sk-1"))
    keys = watched_keys(tmp_path, metrics, AccessMetrics(metrics.registry))
    before = keys.current
    (tmp_path / "b").write_text("sk-plaintext")
    (tmp_path / "c").write_text(key_entry("sk-3"))
    keys.poll()
    assert keys.current is not before
    assert [name_of(keys.current, text) for text in (b"sk-1", b"sk-plaintext", b"sk-3")] == ["a", None, "c"]
    assert states(metrics) == (2, 1)
    (tmp_path / "b").unlink()
    (tmp_path / "a").unlink()
    keys.poll()
    assert [name_of(keys.current, text) for text in (b"sk-1", b"sk-3")] == [None, "c"]
    assert states(metrics) == (1, 0)
