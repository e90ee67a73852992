"""A release whose documents are in a Postgres with pgvector, which runs beside the local cluster."""

import contextlib
import json
import os
import socket
import subprocess
from collections.abc import Iterator
from urllib.parse import urlsplit

from tests.cluster.kube import kubectl
from tests.cluster.stack import ROOT, Stack

SECRET = "documents-postgres"


@contextlib.contextmanager
def documents_in_postgres(stack: Stack) -> Iterator[None]:
    """What is known of files and stores is in it, and the vectors too; afterwards both are on the claim again."""
    with postgres(node_address()) as url:
        stack.kubectl("create", "secret", "generic", SECRET, f"--from-literal=url={url}")
        database = f"data.database.existingSecret={SECRET},data.database.port={urlsplit(url).port}"
        try:
            stack.edit("--set", f"{database},data.vectors.kind=pgvector")
            yield
        finally:
            stack.remove("data.database", "data.vectors")
            stack.kubectl("delete", "secret", SECRET)


def node_address() -> str:
    """The address of the one node, which is one of this machine's that pods reach."""
    (node,) = json.loads(kubectl("get", "nodes", "-o", "json"))["items"]
    return next(each["address"] for each in node["status"]["addresses"] if each["type"] == "InternalIP")


@contextlib.contextmanager
def postgres(address: str) -> Iterator[str]:
    """A Postgres at this address; its URL."""
    with socket.create_server((address, 0)) as free:
        port = free.getsockname()[1]
    python = f"{os.environ['RAY_VLLM_STACK_CACHE']}/data-venv/bin/python"
    command = [python, "-m", "tests.campaign.postgres", address, str(port)]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stdin
        try:
            assert process.stdout.readline() == "ready\n"
            yield f"postgresql://postgres@{address}:{port}/postgres"
        finally:
            process.stdin.close()  # at which it stops
            process.wait(60)
