# shellcheck shell=bash disable=SC2034,SC2154
ref=$dns_image binaries=(coredns)
arguments=(--add "$bin/coredns:/coredns" --user 0:0 -- /coredns)
