# shellcheck shell=bash disable=SC2034,SC2154
# Debian's Redis 7 with redis-cli and a shell, from its packages' files. Runs as any user, on a read-only root; data in /data.
ref=localhost/ray-vllm-stack/redis:7
packages=(base-files libc6 libgcc-s1 libatomic1 libjemalloc2 liblua5.1-0 liblzf1 libssl3 libstdc++6 libsystemd0 libcap2
  libgcrypt20 libgpg-error0 liblz4-1 liblzma5 libzstd1 libhiredis0.14 lua-bitop lua-cjson redis-tools redis-server
  bash libtinfo6 busybox-static ca-certificates)
arguments=(--tree "$tmp/root" --dir /tmp:1777 --dir /data:1777 --user 999:1000 --workdir /data --cmd
  --link /usr/local/bin/valkey-server:/usr/bin/redis-server --link /usr/local/bin/valkey-cli:/usr/bin/redis-cli)
for applet in sh ls cat sleep grep sed hostname id mkdir rm cp env date timeout head tail; do
  arguments+=(--link "/usr/local/bin/$applet:/bin/busybox")
done
arguments+=(--link /bin/sh:bash -- redis-server --protected-mode no --dir /data)
prepare() {
  unpack_debs "$tmp/root" "${packages[@]}"
  chroot "$tmp/root" /usr/bin/redis-server --version >&2 # a library that is missing shows here
}
