#!/usr/bin/env python3
"""Writes a one-layer image archive (docker-archive form, for `ctr images import`) from plain files; no builder needed.

The same input gives the same digest: times and owners are fixed. Words after `--` are the entrypoint, or with --cmd
the command of an image without an entrypoint.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import os
import stat
import tarfile
from pathlib import Path

EPOCH = "1970-01-01T00:00:00Z"
PATH = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
PASSWD = "root:x:0:0:root:/root:/sbin/nologin\nnobody:x:65534:65534:nobody:/nonexistent:/sbin/nologin\n"


class Layer:
    """A tar file whose directories are made as they are needed."""

    def __init__(self, file: Path) -> None:
        self.tar = tarfile.open(file, "w", format=tarfile.GNU_FORMAT)  # noqa: SIM115 (closed by main)
        self.seen: set[str] = set()

    def directory(self, path: str, mode: int = 0o755) -> None:
        path = path.strip("/")
        if not path or path in self.seen:
            return
        self.directory(str(Path(path).parent) if "/" in path else "")
        self.seen.add(path)
        info = tarfile.TarInfo(path + "/")
        info.type, info.mode = tarfile.DIRTYPE, mode
        self.tar.addfile(info)

    def link(self, path: str, target: str) -> None:
        self.directory(str(Path(path.strip("/")).parent))
        info = tarfile.TarInfo(path.strip("/"))
        info.type, info.linkname, info.mode = tarfile.SYMTYPE, target, 0o777
        self.tar.addfile(info)

    def data(self, path: str, content: bytes) -> None:
        self.directory(str(Path(path.strip("/")).parent))
        info = tarfile.TarInfo(path.strip("/"))
        info.size, info.mode = len(content), 0o644
        self.tar.addfile(info, io.BytesIO(content))

    def file(self, source: Path, path: str) -> None:
        self.directory(str(Path(path.strip("/")).parent))
        info = tarfile.TarInfo(path.strip("/"))
        info.size, info.mode = source.stat().st_size, 0o755 if os.access(source, os.X_OK) else 0o644
        with source.open("rb") as f:
            self.tar.addfile(info, f)

    def tree(self, source: Path) -> None:
        for path in sorted(source.rglob("*")):
            name = str(path.relative_to(source))
            if path.is_symlink():
                self.link(name, str(path.readlink()))
            elif path.is_dir():
                self.directory(name, stat.S_IMODE(path.stat().st_mode))
            elif path.is_file():
                self.file(path, name)


def arguments() -> argparse.Namespace:
    p = argparse.ArgumentParser(description=__doc__)
    p.add_argument("-o", "--out", required=True, type=Path)
    p.add_argument("-t", "--tag", required=True, help="NAME:TAG")
    p.add_argument("--tree", type=Path, help="a directory that becomes the image's root")
    p.add_argument("--add", action="append", default=[], metavar="SOURCE:/PATH")
    p.add_argument("--link", action="append", default=[], metavar="/PATH:TARGET")
    p.add_argument("--dir", action="append", default=[], metavar="/PATH[:MODE]")
    p.add_argument("--user", default="65532:65532")
    p.add_argument("--workdir", default="/")
    p.add_argument("--cmd", action="store_true")
    p.add_argument("entrypoint", nargs="*")
    return p.parse_args()


def write_layer(a: argparse.Namespace, file: Path) -> None:
    layer = Layer(file)
    for spec in a.dir:
        path, _, mode = spec.partition(":")
        layer.directory(path, int(mode or "755", 8))
    if a.tree:
        layer.tree(a.tree)
    for spec in a.add:
        source, path = spec.rsplit(":", 1)
        layer.file(Path(source), path)
    for spec in a.link:
        path, target = spec.split(":", 1)
        layer.link(path, target)
    uid, _, gid = a.user.partition(":")
    user = "" if uid in {"0", "65534"} else f"app:x:{uid}:{gid}:app:/tmp:/sbin/nologin\n"
    layer.data("/etc/passwd", (PASSWD + user).encode())
    layer.tar.close()


def main() -> None:
    a = arguments()
    layer_file = a.out.with_suffix(".layer")
    write_layer(a, layer_file)
    with layer_file.open("rb") as f:
        layer_digest = hashlib.file_digest(f, "sha256").hexdigest()
    config = json.dumps(
        {
            "architecture": "amd64",
            "os": "linux",
            "created": EPOCH,
            "config": {
                "Cmd" if a.cmd else "Entrypoint": a.entrypoint,
                "User": a.user,
                "WorkingDir": a.workdir,
                "Env": [PATH],
            },
            "rootfs": {"type": "layers", "diff_ids": ["sha256:" + layer_digest]},
            "history": [{"created": EPOCH, "created_by": "mkimage.py"}],
        },
        sort_keys=True,
    ).encode()
    config_name, layer_name = hashlib.sha256(config).hexdigest() + ".json", layer_digest + "/layer.tar"
    manifest = json.dumps([{"Config": config_name, "RepoTags": [a.tag], "Layers": [layer_name]}]).encode()
    archive = Layer(a.out)
    archive.data(config_name, config)
    archive.data("manifest.json", manifest)
    archive.file(layer_file, layer_name)
    archive.tar.close()
    layer_file.unlink()


if __name__ == "__main__":
    main()
