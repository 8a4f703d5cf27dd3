#!/usr/bin/env bash
# Measures deployments, switches under load, forwarding, unused features, slow clients, idle cost and commands, and prints Markdown tables.
#
#   run.sh [deployments|switch|storm|forwarding|features|slow|idle|commands|all] [--rounds N] [--seconds S] [--only TEXT] [--access-log]
#
#   --rounds      repetitions (deployments 20, switches 10, of a storm 1000, forwarding 5, features 15, commands 20)
#   --seconds     length of one measurement (forwarding 4, features 2, slow 220, idle 60)
#   --only        forwarding: the kinds of traffic whose title has this text, such as "WebSockets"
#   --access-log  all that forward write a line for each request
#
# Root or sudo. Installs the Debian packages that are missing, and runs everything in a laboratory host of its own (../Lab/lab.sh), in a
# network namespace, which it takes down again. What is measured is what ../../deploy/install.sh installs. Everything takes about
# an hour and ends after 90 minutes at the latest.
set -euo pipefail
shopt -s inherit_errexit
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
lab=$here/../Lab/lab.sh
export LAB_NAME=${LAB_NAME:-bench-$(printf '%s' "$here" | sha256sum | cut -c 1-6)}
export DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin

# shellcheck source=IntegrationTests/Lab/processes.sh
source "$here/../Lab/processes.sh"
# shellcheck source=IntegrationTests/Lab/packages.sh
source "$here/../Lab/packages.sh"

case ${1:-} in
  -h | --help) sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "${BASH_SOURCE[0]}"; exit ;;
esac
command -v dotnet >/dev/null || fail "the .NET SDK 10 is missing: https://dotnet.microsoft.com/download/dotnet/10.0"
if [ "$(id -u)" -ne 0 ]; then
  command -v sudo >/dev/null || fail "root is needed, and there is no sudo"
  exec sudo env "PATH=$PATH" "DOTNET_ROOT=${DOTNET_ROOT:-}" "LAB_NAME=$LAB_NAME" "${BASH_SOURCE[0]}" "$@"
fi
DOTNET_ROOT=${DOTNET_ROOT:-$(dirname "$(readlink -f "$(command -v dotnet)")")}
export DOTNET_ROOT

{
  "$lab" install
  install_packages nginx:nginx haproxy:haproxy caddy:caddy wrk:wrk h2load:nghttp2-client go:golang-go
  dotnet build "$here/Benchmarks.csproj" -c Release -p:RunAnalyzers=false -v quiet --nologo
  installed=$(mktemp -d)
  trap '"$lab" down; rm -rf "$installed"' EXIT
  trap 'exit 130' INT TERM
  "$here/../../deploy/install.sh" --prefix "$installed"
  export WUNDERPROXY_BINARIES=$installed/usr/local/bin
  (cd "$here/GoProxy" && GOCACHE=$installed/go-cache go build -o "$installed/go-proxy" .)
  export GO_PROXY=$installed/go-proxy
  dotnet publish "$here/Hello" -c Release --use-current-runtime --self-contained -o "$installed/hello" -v quiet --nologo \
    -p:DebugType=none -p:RunAnalyzers=false
  export HELLO=$installed/hello/hello
  "$lab" up
  # Only the store in a directory is used here.
  "$lab" s3 stop
} >&2
"$lab" exec timeout --kill-after=10 95m dotnet "$here/bin/Release/net10.0/Wunderproxy.Benchmarks.dll" "$@"
