#!/usr/bin/env bash
# Puts built images into the local cluster's containerd, taking over only the layers that it lacks.
# usage: load.sh REF...
# buildah and containerd keep a layer in the same form, a directory for overlayfs. A layer that containerd lacks becomes
# a snapshot of hard links to buildah's files (copies where the two are on different file systems), and the image itself
# is then imported as a manifest and a configuration without layers. Nothing is packed, unpacked or stored twice.
# Images of docker take the ordinary way, docker save into ctr images import, which moves all of the image each time.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
[ $# -gt 0 ] || die "usage: load.sh REF..."
socket=${CONTAINERD_ADDRESS:-$cache/cluster/run/containerd.sock}
[ -S "$socket" ] || die "the local cluster's containerd does not run ($socket); start the cluster first"
ctr() { command ctr --address "$socket" --namespace k8s.io "$@"; }

describe() { # REF FOLDER: writes the image without layers as an OCI layout; prints each layer's directory and snapshot
  bah inspect --type image "$1" | python3 -c '
import hashlib, json, pathlib, sys
ref, folder, storage = sys.argv[1], pathlib.Path(sys.argv[2]), pathlib.Path(sys.argv[3])
image = json.load(sys.stdin)
blobs = folder / "blobs" / "sha256"
blobs.mkdir(parents=True)
for blob in (image["Manifest"], image["Config"]):
    (blobs / hashlib.sha256(blob.encode()).hexdigest()).write_bytes(blob.encode())
manifest = {"mediaType": json.loads(image["Manifest"])["mediaType"], "digest": image["FromImageDigest"],
            "size": len(image["Manifest"].encode()), "annotations": {"io.containerd.image.name": ref}}
(folder / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [manifest]}))
(folder / "oci-layout").write_text(json.dumps({"imageLayoutVersion": "1.0.0"}))
layers = json.loads((storage / "overlay-layers" / "layers.json").read_text())
directory = {layer.get("diff-digest"): storage / "overlay" / layer["id"] / "diff" for layer in layers}
chain = ""
for diff in image["OCIv1"]["rootfs"]["diff_ids"]:
    chain = "sha256:" + hashlib.sha256(f"{chain} {diff}".encode()).hexdigest() if chain else diff
    print(directory[diff], chain)' "$1" "$2" "$storage"
}
there() { ctr snapshots info "$1" >/dev/null 2>&1; }
take_over() { # DIRECTORY NAME PARENT: makes the snapshot NAME on top of PARENT from a layer's directory
  local target
  key=load-$BASHPID-$RANDOM
  ctr snapshots prepare "$key" ${3:+"$3"} >/dev/null
  # The snapshot's own directory: the upper one of an overlay, or the bound one where there is no parent.
  target=$(ctr snapshots mounts /mnt "$key" | sed -nE 's/.*upperdir=([^, ]+).*/\1/p; s/^mount -t bind ([^ ]+) .*/\1/p')
  [ -d "$target" ] || die "this containerd keeps snapshots in another form: $(ctr snapshots mounts /mnt "$key")"
  if ! cp -al "$1/." "$target/" 2>/dev/null; then
    find "$target" -mindepth 1 -delete
    nice cp -a --reflink=auto "$1/." "$target/"
  fi
  ctr snapshots commit "$2" "$key"
  key=
}

forget_old() { # PREFIX: images so named that buildah has forgotten too, and that no container uses, lose their layers here
  local used old
  used=$(ctr containers ls | awk 'NR > 1 {print $2}')
  ctr images ls -q | grep -F -- "$1" | while read -r old; do
    grep -qxF -- "$old" <<<"$used" || have_image buildah "$old" || ctr images rm "$old" >/dev/null
  done
  # Kubernetes' part of containerd keeps a second name for each image, made of its digest.
  ctr images ls | awk 'NR > 1 {if ($1 ~ /^sha256:/) second[$1] = $3; else named[$3] = 1}
    END {for (name in second) if (!(second[name] in named)) print name}' |
    while read -r old; do grep -qxF -- "$old" <<<"$used" || ctr images rm "$old" >/dev/null; done
}

work='' key=''
# shellcheck disable=SC2317
leave() {
  [ -z "$key" ] || ctr snapshots rm "$key" || true
  [ -z "$work" ] || rm -rf "$work"
}
trap leave EXIT
for ref; do
  start=$SECONDS
  if ! { command -v buildah >/dev/null && have_image buildah "$ref"; }; then
    have_image docker "$ref" || die "$ref is not built; build it first: images/build.sh"
    docker save "$ref" | ctr images import --snapshotter overlayfs - >/dev/null
    say "load: $ref from docker in $((SECONDS - start)) s"
    continue
  fi
  work=$(mktemp -d "$cache/buildah/tmp/load.XXXXXX")
  layers=$(describe "$ref" "$work")
  parent='' new=()
  while read -r directory chain; do
    there "$chain" || { take_over "$directory" "$chain" "$parent"; new+=("$chain"); }
    parent=$chain
  done <<<"$layers"
  # Also where no layer was new: the name may have moved, and a containerd that was restarted may have to be told again.
  tar -C "$work" -cf - . | ctr images import --snapshotter overlayfs - >/dev/null
  # From here on the image keeps its snapshots; the marks that kept them until now would keep them for ever.
  for chain in ${new[@]+"${new[@]}"}; do ctr snapshots label "$chain" containerd.io/gc.root= >/dev/null; done
  rm -rf "$work"
  if [ ${#new[@]} -gt 0 ]; then forget_old "${ref%-*}-"; fi
  say "load: $ref, ${#new[@]} of $(wc -l <<<"$layers") layers were new, $((SECONDS - start)) s"
done
