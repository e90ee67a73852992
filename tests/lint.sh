#!/usr/bin/env bash
# Level 0: every checker runs and is named; the exit status is 1 if any of them failed.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit
cache=${RAY_VLLM_STACK_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/ray-vllm-stack}
failed=()
check() { # NAME COMMAND...
  local name=$1 start=$SECONDS out; shift
  if out=$("$@" 2>&1); then printf 'lint: %-22s ok      %3d s\n' "$name" $((SECONDS - start))
  else printf '%s\nlint: %-22s FAILED  %3d s\n' "$out" "$name" $((SECONDS - start)); failed+=("$name"); fi
}
# Files that are in git or would be.
files() { git ls-files --cached --others --exclude-standard -- "$@" | while read -r f; do [ -f "$f" ] && echo "$f"; done; }
mapfile -t scripts < <({ files '*.sh'; files | xargs grep -lE '^#!.*\bbash' 2> /dev/null; } | grep -v /recipe.sh$ | sort -u)
mapfile -t recipes < <(files 'tests/tools/*/recipe.sh')   # sourced by build.sh, which sets $out
mapfile -t yaml < <(files '*.yaml' '*.yml' | grep -vE '(^|/)templates/|^tests/golden/.*\.yaml$')
mapfile -t dockerfiles < <(files '*Dockerfile')
ct_etc=$cache/tools/ct/etc
# shellcheck disable=SC2016 # the $ are awk's
too_long() { # modules over 250 lines, template defines over 40
  local bad
  bad=$(files '*.py' | xargs wc -l | awk '$2 != "total" && $1 > 250 {print $2 ": " $1 " lines, at most 250"}'
    files '*.tpl' | xargs awk 'FNR == 1 {d = 0} /\{\{-? *define / {d = FNR; n = $0} /^\{\{-? *end *-?\}\}/ && d {if (FNR - d > 40) print FILENAME ":" d ": " FNR - d " lines in a define, at most 40"; d = 0}')
  [ -z "$bad" ] || { echo "$bad"; return 1; }
}
check ruff ruff check --no-cache .
check "ruff format" ruff format --no-cache --check .
check mypy mypy --cache-dir "$cache/mypy"
check import-linter lint-imports --no-cache
check shellcheck shellcheck -x "${scripts[@]}"
check "shellcheck recipes" shellcheck -s bash -e SC2154 "${recipes[@]}"
check yamllint yamllint -s "${yaml[@]}"
check actionlint actionlint
check zizmor zizmor --offline --quiet .github/workflows
check hadolint hadolint "${dockerfiles[@]}"
check sizes too_long
check "helm lint" helm lint --strict --quiet charts/ray-vllm-stack -f values/cpu-demo.yaml
check "ct lint" ct lint --config tests/ct.yaml --chart-yaml-schema "$ct_etc/chart_schema.yaml" --lint-conf "$ct_etc/lintconf.yaml"
[ ${#failed[@]} = 0 ] || { echo "lint: failed: ${failed[*]}" >&2; exit 1; }
