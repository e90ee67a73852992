"""The API of the cluster that a pod runs in, with the pod's ServiceAccount."""

import os
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp

SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")


@asynccontextmanager
async def session(account: Path = SERVICE_ACCOUNT) -> AsyncIterator[tuple[aiohttp.ClientSession, str]]:
    """A session whose paths are the API server's, and the pod's namespace. A request may take 30 s."""
    host, port = os.environ["KUBERNETES_SERVICE_HOST"], os.environ.get("KUBERNETES_SERVICE_PORT", "443")
    base = f"https://[{host}]:{port}" if ":" in host else f"https://{host}:{port}"
    trust = ssl.create_default_context(cafile=str(account / "ca.crt"))
    headers = {"authorization": f"Bearer {(account / 'token').read_text().strip()}"}
    connector = aiohttp.TCPConnector(ssl=trust)
    limit = aiohttp.ClientTimeout(total=30)
    async with aiohttp.ClientSession(base, headers=headers, connector=connector, timeout=limit) as found:
        yield found, (account / "namespace").read_text().strip()
