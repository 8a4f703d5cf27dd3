#!/usr/bin/env bash
# Builds everything and runs the tests.
#
#   ./test.sh [FILTER...]       every test, with a real Docker Engine, registry and S3 server in a network namespace of their own;
#                               installs the Debian packages that are missing; needs root or sudo
#   ./test.sh fast [FILTER...]  only what needs none of that; no root, no format check
#   ./test.sh faults [FILTER...]  faults played on the binaries that are installed: a quarter of an hour, not part of the others
#   ./test.sh edge [FILTER...]  the Proxy before scanners and crowds of slow clients, beside nginx: ten minutes, not part of the others
#   ./test.sh model [MINUTES]   the model of the plan for longer: as many states as it reaches in that time (10)
#   ./test.sh simulate --seed N      runs one seed of the simulation again, and tells its story; no root
#   ./test.sh simulate --minutes M   tries fresh seeds for M minutes, or until one fails
#
# FILTER is handed to the test runner, and there is no format check then:
#   -class '*DurableFileTests', -method '*power_cut*', -namespace 'Wunderproxy.IntegrationTests.Docker'
# Each step writes to TestResults/; the last line says "N passed, N failed, N skipped", and the exit code is 0 if nothing failed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"
results=$PWD/TestResults
lab=$PWD/IntegrationTests/Lab/lab.sh
runner=$PWD/IntegrationTests/bin/Debug/net10.0/Wunderproxy.IntegrationTests.dll
test_deadline=2400
passed=0 failed=0 skipped=0
running=
lab_is_up=no

finish() {
  local code=$?
  trap - EXIT INT TERM
  if [ -n "$running" ]; then kill "$running" 2>/dev/null || true; fi
  if [ "$lab_is_up" = yes ]; then "$lab" down 9>&- || failed=$((failed + 1)); fi
  if [ "$code" -ne 0 ] && [ "$failed" -eq 0 ]; then failed=1; fi
  echo "$passed passed, $failed failed, $skipped skipped"
  [ "$failed" -eq 0 ] || exit 1
}

# step NAME COMMAND...: output goes to TestResults/NAME.log; shown, and the end of the run, if it fails.
step() {
  local name=$1 began=$SECONDS
  shift
  if "$@" >"$results/$name.log" 2>&1 9>&-; then
    echo "$name: $((SECONDS - began)) s"
  else
    tail -n 60 "$results/$name.log"
    echo "$name failed after $((SECONDS - began)) s: $* (all of it: TestResults/$name.log)"
    exit 1
  fi
}

require_dotnet() {
  command -v dotnet >/dev/null && dotnet --version >/dev/null 2>&1 && return
  echo "The .NET SDK 10 is missing. Get it from https://dotnet.microsoft.com/download/dotnet/10.0 or with"
  echo "  curl -fsSL https://dot.net/v1/dotnet-install.sh | bash -s -- --channel 10.0 && export PATH=\"\$HOME/.dotnet:\$PATH\""
  exit 1
}

# One run at a time: a second one in the same folder would take the lab away.
enter() {
  mkdir -p "$results"
  exec 9>"$results/.lock"
  flock -n 9 || { echo "Another ./test.sh runs in this folder."; exit 1; }
  rm -f "$results"/*.log "$results"/*.xml
}

restore() {
  dotnet restore wunderproxy.sln --locked-mode && return
  echo "The lock files don't fit; restoring without them."
  dotnet restore wunderproxy.sln
}

# Programs of the tests that are built when they are needed, and here, lest nobody notices that one can't be built any more.
further_projects=(IntegrationTests/SampleApplication/SampleApplication.csproj IntegrationTests/Benchmarks/Benchmarks.csproj IntegrationTests/Mutants/Mutants.csproj)

check_format() {
  local project
  dotnet format wunderproxy.sln --verify-no-changes --no-restore || return
  for project in "${further_projects[@]}"; do
    dotnet restore "$project" --locked-mode && dotnet build "$project" --no-restore -p:RunAnalyzers=false && dotnet format "$project" --verify-no-changes --no-restore || return
  done
}

check_scripts() {
  command -v shellcheck >/dev/null || { echo "shellcheck is not installed; skipped"; return; }
  git ls-files -z '*.sh' .ci/run | xargs -0 shellcheck -x
}

raise_lab() {
  lab_is_up=yes
  step lab "$lab" up
}

# What is shipped.
publish() {
  step publish deploy/install.sh --prefix "$results/installed"
  export WUNDERPROXY_BINARIES=$results/installed/usr/local/bin
}

# run_tests COMMAND...: shows the runner's output while it runs, and counts.
run_tests() {
  local log=$results/tests.log code=0
  : >"$log"
  timeout --kill-after=20 "$test_deadline" "$@" -noColor -result-xml "$results/tests.xml" >"$log" 2>&1 9>&- &
  running=$!
  tail -n +1 -f --pid="$running" "$log" 9>&- &
  wait "$running" || code=$?
  running=
  wait $!
  [ "$code" -ne 124 ] || echo "The tests did not end within $test_deadline s."
  count "$log" "$code"
}

# The runner's summary: "Total: 12, Errors: 0, Failed: 1, Skipped: 0, Not Run: 0, Time: 1.2s"
count() {
  local total errors not_run
  read -r total errors failed skipped not_run < <(
    sed -n 's/.*Total: \([0-9]*\), Errors: \([0-9]*\), Failed: \([0-9]*\), Skipped: \([0-9]*\), Not Run: \([0-9]*\).*/\1 \2 \3 \4 \5/p' "$1" | tail -n 1
    echo "0 1 0 0 0"
  ) || true
  passed=$((total - failed - skipped - not_run))
  failed=$((failed + errors))
  if [ "$2" -ne 0 ] && [ "$failed" -eq 0 ]; then failed=1; fi
}

# simulate --seed N | --minutes M
simulate() {
  case "${1:-} ${2:-}" in
    "--seed "[0-9]*) export WUNDERPROXY_SIMULATION_SEED=$2; set -- Replay ;;
    "--minutes "[0-9]*) export WUNDERPROXY_SIMULATION_MINUTES=$2; test_deadline=$((60 * $2 + 300)); set -- Search ;;
    *) echo "usage: ./test.sh simulate --seed N | --minutes M"; exit 64 ;;
  esac
  run_tests dotnet "$runner" -explicit only -method "*SimulationTests.$1"
}

main() {
  require_dotnet
  DOTNET_ROOT=${DOTNET_ROOT:-$(dirname "$(readlink -f "$(command -v dotnet)")")}
  export DOTNET_ROOT DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1
  export WUNDERPROXY_MACHINE_NETWORK=/proc/$$/ns/net
  enter
  trap finish EXIT
  trap 'exit 130' INT TERM
  step restore restore
  # Compiling for the compiler's own profile costs a fifth of the build, and each compiler lives too short to gain from it.
  step build env DOTNET_TieredPGO=0 dotnet build wunderproxy.sln --no-restore
  if [ "${1:-}" = simulate ]; then
    simulate "${@:2}"
    return
  fi
  if [ "${1:-}" = fast ]; then
    export WUNDERPROXY_SIMULATION_SEEDS=${WUNDERPROXY_SIMULATION_SEEDS:-200}
    run_tests dotnet "$runner" -trait- Needs=Lab -trait- Suite=Edge "${@:2}"
    return
  fi
  if [ "${1:-}" = model ]; then
    WUNDERPROXY_MODEL_MINUTES=${2:-10} run_tests dotnet "$runner" -explicit only -class '*ModelTests' -showLiveOutput
    return
  fi
  if [ "${1:-}" = edge ]; then
    step install "$lab" install nginx:nginx testssl:testssl.sh
    publish
    run_tests dotnet "$runner" -trait Suite=Edge "${@:2}"
    return
  fi
  if [ $# -eq 0 ]; then
    step format check_format
    step scripts check_scripts
  fi
  step image IntegrationTests/SampleApplication/build-image.sh --prepare
  step install "$lab" install
  # All tests use what is shipped; to try a few, what was built does.
  [ $# -gt 0 ] || publish
  if [ "${1:-}" = faults ]; then
    publish
    raise_lab
    run_tests "$lab" exec dotnet "$runner" -trait Suite=Faults "${@:2}"
    return
  fi
  raise_lab
  run_tests "$lab" exec dotnet "$runner" -trait- Suite=Faults -trait- Suite=Edge "$@"
}

main "$@"
