#!/usr/bin/env python3
"""Runs a command in a built image, as a pod would run it: the image's user, no capability, read-only root file system.

usage: run.py [--engine auto|buildah|docker] [--bind SOURCE:TARGET[:rw]]... [--env KEY=VALUE]... [--tmpfs PATH]...
              REF COMMAND...

/tmp, /home/ray and /dev/shm are writable and vanish with the container; the network is the host's. Without docker the
image's root file system is mounted by buildah and the command run by runc. The exit code is the command's, and
SIGTERM is passed on to it.
"""

import argparse
import json
import os
import pathlib
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
from typing import Any

LIB = pathlib.Path(__file__).resolve().parent / "lib.sh"
WRITABLE = ("/tmp", "/home/ray", "/dev/shm")  # noqa: S108 - tmpfs in the container


def shell(command: str, *arguments: str) -> str:
    """Runs a line of bash that may use the functions of lib.sh, and returns what it printed."""
    line = ["bash", "-c", f'. "$0"; {command}', str(LIB), *arguments]
    return subprocess.run(line, check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


def mounts(default: list[dict[str, Any]], options: argparse.Namespace) -> list[dict[str, Any]]:
    """Returns runc's own mounts, the writable places and the binds."""
    result = [mount for mount in default if mount["destination"] not in WRITABLE]
    for target in (*WRITABLE, *options.tmpfs):
        access = ["mode=755", "uid=1000", "gid=1000"] if target.startswith("/home") else ["mode=1777"]
        access = ["nosuid", "nodev", *access]
        result.append({"destination": target, "type": "tmpfs", "source": "tmpfs", "options": access})
    for bind in ["/etc/hosts:/etc/hosts", "/etc/resolv.conf:/etc/resolv.conf", *options.bind]:
        source, target, *access = bind.split(":")
        access = ["rbind", *(access or ["ro"])]
        source = str(pathlib.Path(source).resolve())
        result.append({"destination": target, "type": "bind", "source": source, "options": access})
    return result


def runc_config(rootfs: str, image: dict[str, Any], options: argparse.Namespace) -> dict[str, Any]:
    """Makes the OCI runtime configuration: runc's own default, made narrower, in the host's network."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["runc", "spec"], cwd=folder, check=True)
        config: dict[str, Any] = json.loads((pathlib.Path(folder) / "config.json").read_text())
    files = min(65536, resource.getrlimit(resource.RLIMIT_NOFILE)[1])
    user = [int(part) for part in f"{image.get('User') or '0'}:0".split(":")[:2]]
    config["process"] |= {
        "terminal": False,
        "user": {"uid": user[0], "gid": user[1]},
        "args": options.command,
        "cwd": image.get("WorkingDir") or "/",
        "env": [*image.get("Env", []), *options.env],
        "rlimits": [{"type": "RLIMIT_NOFILE", "hard": files, "soft": files}],
        "capabilities": {kind: [] for kind in config["process"]["capabilities"]},
    }
    config["root"] = {"path": rootfs, "readonly": True}
    config["linux"]["namespaces"] = [n for n in config["linux"]["namespaces"] if n["type"] != "network"]
    config["mounts"] = mounts(config["mounts"], options)
    return config


def run_to_end(command: list[str]) -> int:
    """Runs runc or docker and returns its exit code. SIGTERM is passed on, to be cleaned up after as after any end."""
    with subprocess.Popen(command) as process:
        signal.signal(signal.SIGTERM, lambda *_: process.terminate())
        return process.wait()


def run_buildah(options: argparse.Namespace) -> int:
    """Runs the command with runc over a working container of buildah."""
    name = f"run-{os.getpid()}"  # build.sh removes what a killed run leaves behind, told by the process that is gone
    container = shell('bah from --pull=never --name "$1" "$2"', name, options.ref)
    bundle = pathlib.Path(tempfile.mkdtemp(prefix="run-"))
    try:
        image = json.loads(shell('bah inspect --type image "$1"', options.ref))["OCIv1"].get("config", {})
        config = runc_config(shell('bah mount "$1"', container), image, options)
        (bundle / "config.json").write_text(json.dumps(config))
        return run_to_end(["runc", "run", "-b", str(bundle), name])
    finally:
        shell('bah rm "$1"', container)
        shutil.rmtree(bundle, ignore_errors=True)


def run_docker(options: argparse.Namespace) -> int:
    """Runs the command with docker, under the same restrictions."""
    command = ["docker", "run", "--rm", "--read-only", "--cap-drop=ALL", "--network=host"]
    command.append("--security-opt=no-new-privileges")
    for target in (*WRITABLE, *options.tmpfs):
        mode = "mode=755,uid=1000,gid=1000" if target.startswith("/home") else "mode=1777"
        command.append(f"--tmpfs={target}:exec,{mode}")
    for source, target, *access in (bind.split(":") for bind in options.bind):
        command.append(f"--volume={pathlib.Path(source).resolve()}:{target}:{':'.join(access) or 'ro'}")
    command += [f"--env={pair}" for pair in options.env]
    return run_to_end([*command, options.ref, *options.command])


def main() -> int:
    """Reads the arguments and runs the command."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--engine", default="auto")
    parser.add_argument("--bind", action="append", default=[], metavar="SOURCE:TARGET[:rw]")
    parser.add_argument("--env", action="append", default=[], metavar="KEY=VALUE")
    parser.add_argument("--tmpfs", action="append", default=[], metavar="PATH")
    parser.add_argument("ref")
    parser.add_argument("command", nargs=argparse.REMAINDER)
    options = parser.parse_args()
    options.command = options.command or ["bash"]
    engine = shell('pick_engine "$1"', options.engine)
    return run_docker(options) if engine == "docker" else run_buildah(options)


if __name__ == "__main__":
    sys.exit(main())
