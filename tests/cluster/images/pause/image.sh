# shellcheck shell=bash disable=SC2034,SC2154
# The process of every pod's sandbox.
ref=$pause_image binaries=(pause)
arguments=(--add "$bin/pause:/pause" --user 65535:65535 -- /pause)
