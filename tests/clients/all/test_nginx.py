"""nginx in front of the gateway with proxy_pass and no other setting: HTTP/1.0, buffered, a connection for each."""

import subprocess
import time
from collections.abc import Iterator
from typing import Any

import httpx
import openai
import pytest

from tests.clients import engines
from tests.clients.all.conftest import install
from tests.clients.all.report import RAY
from tests.clients.conftest import KEY, Made
from tests.clients.test_openai import ASK

CONFIG = """
daemon off; pid {folder}/pid; error_log stderr; worker_processes 1;
events {{}}
http {{
  access_log off;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/f;
  uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  server {{ listen 127.0.0.1:{port}; location / {{ proxy_pass {gateway}; }} }}
}}
"""


@pytest.fixture(scope="module")
def through_nginx(gateway: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[openai.OpenAI]:
    """The openai package, which knows nginx's address alone."""
    install("debian", "nginx-light:nginx,/usr/sbin/nginx")
    folder, port = tmp_path_factory.mktemp("nginx"), engines.free_port()
    (folder / "nginx.conf").write_text(CONFIG.format(folder=folder, port=port, gateway=gateway))
    command = ["/usr/sbin/nginx", "-e", "stderr", "-p", str(folder), "-c", str(folder / "nginx.conf")]
    process = subprocess.Popen(command)
    try:
        wait_for(f"http://127.0.0.1:{port}/healthz")
        with openai.OpenAI(base_url=f"http://127.0.0.1:{port}/v1", api_key=KEY, max_retries=0, timeout=60) as client:
            yield client
    finally:
        process.terminate()
        process.wait(10)


def wait_for(url: str) -> None:
    for _ in range(100):
        try:
            httpx.get(url).raise_for_status()
        except httpx.HTTPError:
            time.sleep(0.1)
        else:
            return
    raise AssertionError(f"{url} does not answer")


def test_answers_and_errors(through_nginx: openai.OpenAI) -> None:
    assert through_nginx.chat.completions.create(**ASK).choices[0].message.content == RAY
    chunks = list(through_nginx.chat.completions.create(**ASK, stream=True))
    assert "".join(chunk.choices[0].delta.content or "" for chunk in chunks) == RAY
    with pytest.raises(openai.NotFoundError) as unknown:
        through_nginx.chat.completions.create(**ASK | {"model": "swan"})
    assert unknown.value.code == "model_not_found"


def test_a_stream_is_not_held_back_and_can_be_left(through_nginx: openai.OpenAI, made: Made) -> None:
    endless: dict[str, Any] = ASK | {"max_completion_tokens": 2000, "extra_body": {"ignore_eos": True}}
    with through_nginx.chat.completions.create(**endless, stream=True) as stream:
        read = sum(1 for _, chunk in zip(range(20), stream, strict=False) if chunk.choices[0].delta.content)
    assert read > 10
    assert made() < 1900
