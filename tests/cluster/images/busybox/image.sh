# shellcheck shell=bash disable=SC2034,SC2154
# A shell, wget, nc and the like for the tests' own pods: Debian's static busybox alone.
ref=localhost/ray-vllm-stack/busybox:local
arguments=(--add /bin/busybox:/bin/busybox --dir /tmp:1777 --user 0:0 --cmd)
for applet in $(/bin/busybox --list); do [ "$applet" = busybox ] || arguments+=(--link "/bin/$applet:busybox"); done
arguments+=(-- sh)
