#!/usr/bin/env python3
"""Runs a command in a built image, as a pod would run it: uid 1000, no capability, read-only root file system.

usage: run.py [--engine auto|buildah|docker] [--bind SOURCE:TARGET[:rw]]... [--env KEY=VALUE]... [--tmpfs PATH]... REF COMMAND...

/tmp, /home/ray and /dev/shm are writable and vanish with the container; the network is the host's. Without docker the
image's root file system is mounted by buildah and the command run by runc. The exit code is the command's.
"""

import argparse
import json
import os
import pathlib
import resource
import shutil
import subprocess
import sys
import tempfile
import uuid

LIB = pathlib.Path(__file__).resolve().parent / "lib.sh"
WRITABLE = ("/tmp", "/home/ray", "/dev/shm")  # noqa: S108


def shell(command: str, *arguments: str) -> str:
    """Runs a line of bash that may use the functions of lib.sh, and returns what it printed."""
    line = f'. "$0"; {command}'
    return subprocess.run(["bash", "-c", line, LIB, *arguments], check=True, stdout=subprocess.PIPE, text=True).stdout.strip()


def runc_config(rootfs: str, image: dict[str, object], options: argparse.Namespace) -> dict[str, object]:
    """Makes the OCI runtime configuration: runc's own default, made narrower and without namespaces for the network."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["runc", "spec"], cwd=folder, check=True)
        config = json.loads((pathlib.Path(folder) / "config.json").read_text())
    files = min(65536, resource.getrlimit(resource.RLIMIT_NOFILE)[1])
    config["process"] |= {
        "terminal": False,
        "user": {"uid": 1000, "gid": 1000},
        "args": options.command,
        "cwd": image.get("WorkingDir") or "/",
        "env": [*image.get("Env", []), *options.env],
        "rlimits": [{"type": "RLIMIT_NOFILE", "hard": files, "soft": files}],
        "capabilities": {kind: [] for kind in config["process"]["capabilities"]},
    }
    config["root"] = {"path": rootfs, "readonly": True}
    config["linux"]["namespaces"] = [n for n in config["linux"]["namespaces"] if n["type"] != "network"]
    mounts = [m for m in config["mounts"] if m["destination"] != "/dev/shm"]  # noqa: S108
    for target in (*WRITABLE, *options.tmpfs):
        mode = "mode=755,uid=1000,gid=1000" if target.startswith("/home") else "mode=1777"
        mounts.append({"destination": target, "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "nodev", *mode.split(",")]})
    binds = ["/etc/hosts:/etc/hosts", "/etc/resolv.conf:/etc/resolv.conf", *options.bind]
    for source, target, *access in (bind.split(":") for bind in binds):
        access = access or ["ro"]
        mounts.append({"destination": target, "type": "bind", "source": os.path.realpath(source), "options": ["rbind", *access]})
    config["mounts"] = mounts
    return config


def run_buildah(options: argparse.Namespace) -> int:
    """Runs the command with runc over a working container of buildah."""
    container = shell('bah from --pull=never "$1"', options.ref)
    bundle = pathlib.Path(tempfile.mkdtemp(prefix="run-"))
    try:
        image = json.loads(shell('bah inspect --type image "$1"', options.ref))["OCIv1"].get("config", {})
        config = runc_config(shell('bah mount "$1"', container), image, options)
        (bundle / "config.json").write_text(json.dumps(config))
        return subprocess.run(["runc", "run", "-b", bundle, f"run-{uuid.uuid4().hex[:12]}"], check=False).returncode
    finally:
        shell('bah rm "$1"', container)
        shutil.rmtree(bundle, ignore_errors=True)


def run_docker(options: argparse.Namespace) -> int:
    """Runs the command with docker, under the same restrictions."""
    command = ["docker", "run", "--rm", "--read-only", "--user=1000:1000", "--cap-drop=ALL", "--network=host"]
    command.append("--security-opt=no-new-privileges")
    for target in (*WRITABLE, *options.tmpfs):
        mode = "mode=755,uid=1000,gid=1000" if target.startswith("/home") else "mode=1777"
        command.append(f"--tmpfs={target}:exec,{mode}")
    for source, target, *access in (bind.split(":") for bind in options.bind):
        command.append(f"--volume={os.path.realpath(source)}:{target}:{':'.join(access) or 'ro'}")
    command += [f"--env={pair}" for pair in options.env]
    return subprocess.run([*command, options.ref, *options.command], check=False).returncode


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
