#!/usr/bin/env bash
# Deploys, breaks and checks for as long as it is told, and watches memory, descriptors, containers, images, logs and disk.
#
#   run.sh [--minutes M] [--seed N]
#
#   --minutes  length of the whole run (2); growth is judged from 20 minutes on
#   --seed     of what is left to chance (1)
#
# Root or sudo. Installs the Debian packages that are missing, and runs in a laboratory host of its own (../Lab/lab.sh), which it takes
# down again. Prints a summary as Markdown; exit code 1 if a request failed that must not, or if anything grew. TestResults/ has
# soak.csv with every sample, soak.log with what was done and when, and soak-test.log with the words of a failure.
set -euo pipefail
shopt -s inherit_errexit
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
root=$(cd "$here/../.." && pwd)
lab=$here/../Lab/lab.sh
results=$root/TestResults
minutes=2 seed=1
export LAB_NAME=${LAB_NAME:-soak-$(printf '%s' "$here" | sha256sum | cut -c 1-6)}
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin

fail() {
  echo "run.sh: $*" >&2
  exit 1
}

usage() {
  sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "${BASH_SOURCE[0]}"
}

arguments=("$@")
while [ $# -gt 0 ]; do
  case $1 in
    --minutes) minutes=${2:-} ;;
    --seed) seed=${2:-} ;;
    -h | --help) usage; exit ;;
    *) usage >&2; exit 2 ;;
  esac
  shift 2 || { usage >&2; exit 2; }
done
[[ $minutes =~ ^[1-9][0-9]{0,4}$ ]] || fail "--minutes takes a whole number of minutes"
[[ $seed =~ ^[0-9]{1,9}$ ]] || fail "--seed takes a whole number"
command -v dotnet >/dev/null || fail "the .NET SDK 10 is missing: https://dotnet.microsoft.com/download/dotnet/10.0"
if [ "$(id -u)" -ne 0 ]; then
  command -v sudo >/dev/null || fail "root is needed, and there is no sudo"
  exec sudo env "PATH=$PATH" "DOTNET_ROOT=${DOTNET_ROOT:-}" "LAB_NAME=$LAB_NAME" "${BASH_SOURCE[0]}" "${arguments[@]}"
fi
DOTNET_ROOT=${DOTNET_ROOT:-$(dirname "$(readlink -f "$(command -v dotnet)")")}
export DOTNET_ROOT

mkdir -p "$results"
rm -f "$results"/soak*
{
  "$lab" install
  dotnet build "$here/../IntegrationTests.csproj" -c Release -p:RunAnalyzers=false -v quiet --nologo
  trap '"$lab" down' EXIT
  trap 'exit 130' INT TERM
  "$lab" up
} >&2
code=0
WUNDERPROXY_SOAK_MINUTES=$minutes WUNDERPROXY_SOAK_SEED=$seed WUNDERPROXY_SOAK_RESULTS=$results \
  "$lab" exec timeout --kill-after=10 "$((minutes + 15))m" dotnet "$here/../bin/Release/net10.0/Wunderproxy.IntegrationTests.dll" \
  -explicit only -class '*SoakTests' -noColor >"$results/soak-test.log" 2>&1 || code=1
cat "$results/soak.md" 2>/dev/null || true
if [ "$code" -ne 0 ]; then
  tail -n 60 "$results/soak-test.log" >&2
  echo "The soak failed (all of it: TestResults/soak-test.log, soak.log, soak.csv)." >&2
fi
exit "$code"
