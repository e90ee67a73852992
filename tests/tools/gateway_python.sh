#!/usr/bin/env bash
# Prints the Python that the gateway's image has: that of the system if it is the same version, else one taken out of the
# image's base into the cache. That one runs by its own loader with its own libraries and without a container, so that
# tests and the bench start and measure it as any other process.
set -euo pipefail
# shellcheck source-path=SCRIPTDIR source=../../images/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../../images/lib.sh"
wanted=python$(version gatewayPython)
PATH=/usr/bin command -v "$wanted" && exit
root=$cache/$wanted
[ ! -f "$root/.python" ] || { cat "$root/.python"; exit; }

mkdir -p "$cache"
exec 9> "$cache/.$wanted-lock"; flock 9
[ ! -f "$root/.python" ] || { cat "$root/.python"; exit; }
engine=$(pick_engine auto) base=$(base_image gateway) container=
say "python: taking $wanted out of $base"
trap '[ -z "$container" ] || if [ "$engine" = docker ]; then docker rm "$container"; else bah rm "$container"; fi >/dev/null' EXIT
rm -rf "$root"; mkdir -p "$root"
if [ "$engine" = docker ]; then
  container=$(docker create "$base"); docker export "$container" | tar -x -C "$root"
else
  "$images/base.sh" "$base"
  container=$(bah from --pull=never "$base"); cp -a "$(bah mount "$container")/." "$root"
fi
for bin in "$root"/usr/local/bin "$root"/usr/bin; do [ -x "$bin/$wanted" ] && break; done
mv "$bin/$wanted" "$bin/$wanted.real"
# The name it was called by tells Python its environment, as a link to it does.
cat > "$bin/$wanted" <<END
#!/bin/sh
exec "$root/lib64/ld-linux-x86-64.so.2" --library-path "$root/usr/local/lib:$root/usr/lib/x86_64-linux-gnu" \\
  --argv0 "\$0" "$bin/$wanted.real" "\$@"
END
chmod +x "$bin/$wanted"
echo "$bin/$wanted" | tee "$root/.python"
