#!/usr/bin/env bash
# Shows wunderproxy at work on this machine: deploys an application, replaces it under load, and leaves it serving.
#
#   ./quickstart.sh         may be repeated
#   ./quickstart.sh stop    ends and removes everything that it started
#
# Debian or Ubuntu, the .NET SDK 10, root or sudo. Missing packages (docker.io, docker-registry, jq, ...) are installed. No image is pulled.
# A Docker Engine that answers on /var/run/docker.sock is used; else the machine's service is started; else, where no service manager
# runs, a private engine. Everything is kept under .quickstart/, its sockets under /run.
#
#   QUICKSTART_DIR=FOLDER        instead of .quickstart/
#   QUICKSTART_ENGINE=private    always a private engine
#   NETNS=NAME                   runs all of it in that network namespace (made if absent), with a private engine
set -euo pipefail
shopt -s inherit_errexit nullglob
root=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cd "$root"
dir=${QUICKSTART_DIR:-$root/.quickstart}
shown=${dir#"$root/"}
name=wunderproxy-quickstart-$(printf '%s' "$dir" | sha256sum | cut -c 1-8)
volatile=/run/$name
cgroup=$name
# A later run and the stop find the namespace of the first one.
NETNS=${NETNS:-$(cat "$dir/namespace" 2>/dev/null || true)}
netns=${NETNS:+/run/netns/$NETNS}
netns=${netns:-/proc/$$/ns/net}
control=$volatile/proxy.sock
sample=$root/IntegrationTests/SampleApplication
load_limit=60
running=

# shellcheck source=IntegrationTests/Lab/processes.sh
source IntegrationTests/Lab/processes.sh
# shellcheck source=IntegrationTests/Lab/packages.sh
source IntegrationTests/Lab/packages.sh
# shellcheck source=IntegrationTests/Lab/engine.sh
source IntegrationTests/Lab/engine.sh

# --- before anything is started ----------------------------------------------------------------------------------------------

require_dotnet() {
  command -v dotnet >/dev/null && dotnet --version >/dev/null 2>&1 && return
  echo "The .NET SDK 10 is missing. Get it from https://dotnet.microsoft.com/download/dotnet/10.0 or with"
  echo "  curl -fsSL https://dot.net/v1/dotnet-install.sh | bash -s -- --channel 10.0 && export PATH=\"\$HOME/.dotnet:\$PATH\""
  exit 1
}

# Containers, control groups and packages need root; the build is done as the user who called.
become_root() {
  [ "$(id -u)" -ne 0 ] || return 0
  command -v sudo >/dev/null || fail "root is needed, and there is no sudo: run it as root"
  exec sudo env "PATH=$PATH" "DOTNET_ROOT=${DOTNET_ROOT:-}" "NETNS=$NETNS" "QUICKSTART_ENGINE=${QUICKSTART_ENGINE:-}" "QUICKSTART_DIR=$dir" \
    bash "$root/quickstart.sh" "$@"
}

as_caller() {
  if [ -n "${SUDO_USER:-}" ] && [ "$SUDO_USER" != root ]; then
    sudo -H -u "$SUDO_USER" env "PATH=$PATH" "DOTNET_ROOT=$DOTNET_ROOT" "$@"
  else
    "$@"
  fi
}

# phase TEXT COMMAND...: shows what is being done and how long it took; the end of its output if it fails.
# In the background, because the shell would not stop at a failing command inside an "if".
phase() {
  local text=$1 began code=0
  shift
  began=$(date +%s%N)
  printf '%-58s' "$text"
  "$@" >"$dir/log/quickstart.log" 2>&1 &
  running=$!
  wait "$running" || code=$?
  running=
  if [ "$code" -ne 0 ]; then
    echo failed
    tail -n 40 "$dir/log/quickstart.log"
    give_advice
    exit 1
  fi
  awk -v ns=$(($(date +%s%N) - began)) 'BEGIN {printf "%6.1f s\n", ns / 1e9}'
}

give_advice() {
  echo "What was started still runs. Look into $shown/log, then: ./quickstart.sh stop"
}

interrupt() {
  if [ -n "$running" ]; then kill "$running" 2>/dev/null || true; fi
  echo
  give_advice
  exit 130
}

install_missing() {
  install_packages dockerd:docker.io docker-registry:docker-registry jq:jq curl:curl ip:iproute2 iptables:iptables nsenter:util-linux
}

build() {
  local project
  for project in Controller Proxy; do
    as_caller dotnet build "$project" -c Release -v quiet --nologo
  done
  as_caller "$sample/build-image.sh" --prepare
}

# --- engine and registry -----------------------------------------------------------------------------------------------------

raise_namespace() {
  echo "$NETNS" >"$dir/namespace"
  [ -n "$NETNS" ] || return 0
  if [ ! -e "$netns" ]; then
    ip netns add "$NETNS"
    touch "$dir/made-namespace"
  fi
  inside ip link set lo up
}

engine_answers() {
  curl -fsS --max-time 5 --unix-socket "$1" http://engine/_ping >/dev/null 2>&1
}

wants_own_engine() {
  [ "${QUICKSTART_ENGINE:-}" = private ] || [ -n "$NETNS" ]
}

# Writes the path of the engine's socket into .quickstart/engine.
find_engine() {
  local machines=/var/run/docker.sock
  if ! wants_own_engine && ! engine_answers "$machines" && [ -d /run/systemd/system ]; then
    systemctl start docker && touch "$dir/started-service"
  fi
  if ! wants_own_engine && engine_answers "$machines"; then
    echo "$machines" >"$dir/engine"
  else
    # Containers are reached at their bridge addresses, so this engine leaves the machine's packet filter alone.
    start_engine --iptables=false --ip-masq=false
    echo "$volatile/docker.sock" >"$dir/engine"
  fi
}

engine_runs() {
  [ -s "$dir/engine" ] && engine_answers "$(cat "$dir/engine")"
}

engine() {
  local method=$1 path=$2
  shift 2
  curl -fsS --max-time 60 --unix-socket "$(cat "$dir/engine")" -X "$method" "$@" "http://engine$path"
}

# free_port FIRST: the first port from there on that nobody listens on.
free_port() {
  local port=$1
  while [ -n "$(inside ss -Hltn "sport = :$port")" ]; do port=$((port + 1)); done
  echo "$port"
}

# The ports of the last run are kept while its registry runs.
choose_ports() {
  local proxy api
  if [ -e "$dir/ports" ] && alive registry; then return; fi
  proxy=$(free_port 8000)
  api=$(free_port $((proxy + 1)))
  echo "$proxy $api $(free_port $((api + 1)))" >"$dir/ports"
}

read_ports() {
  read -r proxy_port api_port registry_port <"$dir/ports"
  registry=localhost:$registry_port
  public=http://127.0.0.1:$proxy_port
  api=http://127.0.0.1:$api_port
}

build_images() {
  local version
  for version in v1 v2; do
    DOCKER_HOST=unix://$(cat "$dir/engine") "$sample/build-image.sh" --push "$registry/sample:$version" "$version"
  done
}

# --- Controller, Proxy and deployments ---------------------------------------------------------------------------------------

start_controller() {
  [ -n "$(own_networks)" ] || touch "$dir/made-network"
  background controller env "DOTNET_ROOT=$DOTNET_ROOT" Controller/bin/Release/net10.0/wunderproxy run "$dir/store" quickstart sample \
    --proxy "127.0.0.1:$proxy_port" --api "127.0.0.1:$api_port" --registry-port "$registry_port" \
    --state-dir "$dir/state" --docker "unix://$(cat "$dir/engine")" --proxy-control "$control"
  await controller 30 inside curl -fsS --max-time 5 "$api/healthz"
  inside curl -fsS --max-time 5 "$api/status" | jq -r .Installation >"$dir/installation"
}

configuration() {
  jq -n --arg revision "$1" --arg image "$registry/sample:$1" '{
    Revision: $revision,
    ContainerConfig: {Image: $image, ExposedPorts: {"9292/tcp": {}}},
    HealthCheckPath: "status",
    MaintenancePath: "maintenance.html"
  }'
}

# publish VERSION: as container.{sha256}.json, which is never changed again, and as current.json, which every host follows.
publish() {
  local documents=$dir/store/quickstart hash
  mkdir -p "$documents"
  configuration "$1" >"$documents/.new"
  hash=$(sha256sum "$documents/.new" | cut -d ' ' -f 1)
  cp "$documents/.new" "$documents/.copy"
  mv "$documents/.copy" "$documents/container.$hash.json"
  mv "$documents/.new" "$documents/current.json"
  echo "$hash" >"$dir/$1.hash"
}

# Whether the latest deployment of this hash has ended; fails at once when it ended badly.
deployment_ended() {
  local end
  end=$(inside curl -fsS --max-time 5 "$api/status" | jq -r --arg hash "$1" 'first(.Deployments[] | select(.Hash == $hash)) | .End // ""')
  case $end in
    '') return 1 ;;
    Succeeded) return 0 ;;
    *) inside curl -fsS --max-time 5 "$api/status" | jq '.Deployments[0]' && fail "the deployment ended: $end" ;;
  esac
}

serves() {
  [ "$(inside curl -fsS --max-time 5 -o /dev/null -D - "$public/" 2>/dev/null | tr -d '\r' | awk 'tolower($1) == "x-version:" {print $2}')" = "$1" ]
}

# deploy VERSION: returns when it serves.
deploy() {
  local deadline=$((SECONDS + 60))
  publish "$1"
  until serves "$1" && deployment_ended "$(cat "$dir/$1.hash")"; do
    alive controller || give_up "the Controller ended" controller
    if [ "$SECONDS" -ge "$deadline" ]; then
      inside curl -sS --max-time 5 "$api/status" | jq . || true
      give_up "$1 did not serve within 60 s" controller
    fi
    sleep 0.1
  done
}

start_load() {
  rm -f "$dir/log/load.log"
  background load dotnet "$sample/out/app/sample.dll" load "$public/" "$load_limit" 8
  sleep 2
  alive load || give_up "the load ended" load
}

# Three seconds of load on the new version, then the report.
end_load() {
  sleep 3
  end load TERM 15
  jq -e . "$dir/log/load.log"
}

# --- the report --------------------------------------------------------------------------------------------------------------

# How long it was in each phase until it served; a phase that was entered twice is shown twice.
print_phases() {
  inside curl -fsS --max-time 5 "$api/status" | jq -r --arg hash "$(cat "$dir/$1.hash")" '
    def seconds: capture("^(?<whole>[0-9T:-]+)(\\.(?<part>[0-9]+))?") | (.whole + "Z" | fromdateiso8601) + ("0." + (.part // "0") | tonumber);
    first(.Deployments[] | select(.Hash == $hash)) | [.Phases[] | {Phase, At: (.At | seconds)}]
    | . as $entries
    | (range(length - 1) | "\($entries[.].Phase) \(($entries[. + 1].At - $entries[.].At) * 1000)"),
      "total \((last.At - first.At) * 1000)"' |
    awk '{printf "    %-12s %6.0f ms\n", $1, $2}'
}

# hint COMMAND TEXT
hint() {
  printf '  %-78s %s\n' "$1" "$2"
}

print_report() {
  local version cli=Controller/bin/Release/net10.0/wunderproxy
  echo
  echo "v2 replaced v1 under load:"
  jq -r '"  requests: \(.Requests) in \(.Seconds) s, slowest \(.SlowestMs) ms",
         "  failed: \(.Failed)",
         "  versions seen: \(.Versions | to_entries | map("\(.key) \(.value) times") | join(", "))"' "$dir/log/load.log"
  for version in v1 v2; do
    echo "  time of each phase of $version:"
    print_phases "$version"
  done
  echo
  echo "v2 is left serving at $public/ and the status page is at $api/. Try next:"
  echo
  hint "curl -i $public/" "the application"
  hint "$cli status --host ${api#http://}" "what serves, what is wanted, what is done"
  hint "$cli rollback --host ${api#http://}" "back to v1"
  hint "less $shown/log/controller.log" "what the Controller did"
  hint "ls $shown/store/quickstart" "the documents that it follows"
  hint "$cli --help" "everything else"
  hint "./quickstart.sh" "once more"
  hint "./quickstart.sh stop" "end and remove all of this"
  if [ -n "$NETNS" ]; then echo "All of it is inside the network namespace $NETNS: ip netns exec $NETNS COMMAND ..."; fi
}

# --- stopping ----------------------------------------------------------------------------------------------------------------

# The Proxy was started by the Controller and outlives it: it is the process that was given our control socket.
proxy_processes() {
  local folder
  for folder in /proc/[0-9]*; do
    if tr '\0' '\n' 2>/dev/null <"$folder/cmdline" | grep -qxF -- "$control" && grep -qs '^wunderproxy-pro' "$folder/comm"; then
      echo "${folder##*/}"
    fi
  done
}

stop_wunderproxy() {
  local pid
  end load KILL 5
  end controller TERM 30
  for pid in $(proxy_processes); do
    remember proxy "$pid"
    end proxy TERM 30
  done
}

own_containers() {
  engine GET /containers/json -G --data-urlencode all=true \
    --data-urlencode "filters={\"label\":[\"wunderproxy.installation=$(cat "$dir/installation")\"]}" | jq -r '.[].Id'
}

# Every installation on an engine shares one network.
own_networks() {
  engine GET /networks -G --data-urlencode 'filters={"label":["wunderproxy.network"]}' | jq -r '.[].Id'
}

remove_releases() {
  local id
  if ! [ -s "$dir/installation" ] || ! engine_runs; then return; fi
  for id in $(own_containers); do engine DELETE "/containers/$id?force=true" >/dev/null; done
}

remove_network() {
  local id
  if ! [ -e "$dir/made-network" ] || ! engine_runs; then return; fi
  for id in $(own_networks); do
    engine DELETE "/networks/$id" >/dev/null || echo "The network $id is in use by others and stays."
  done
}

remove_images() {
  local reference
  if ! [ -s "$dir/ports" ] || ! engine_runs; then return; fi
  read_ports
  for reference in "$registry/sample:v1" "$registry/sample:v2" "wunderproxy-sample-base:$(cat "$sample/out/digest" 2>/dev/null)"; do
    engine DELETE "/images/$reference" >/dev/null 2>&1 || true
  done
}

bridges() {
  engine GET /networks | jq -r '.[] | select(.Driver == "bridge") | .Options["com.docker.network.bridge.name"] // "br-" + .Id[0:12]'
}

# The bridges of a private engine would outlive it.
stop_engine() {
  local bridge
  local -a left=()
  if [ -e "$dir/started-service" ]; then systemctl stop docker docker.socket || true; fi
  if ! alive dockerd; then return; fi
  mapfile -t left < <(bridges)
  end dockerd TERM 30
  end containerd TERM 10
  for bridge in "${left[@]}"; do inside ip link del "$bridge" 2>/dev/null || true; done
}

stop() {
  [ -d "$dir" ] || { echo "Nothing to stop."; return; }
  stop_wunderproxy
  remove_releases
  remove_network
  remove_images
  end registry TERM 10
  stop_engine
  release_mounts "$dir"
  release_mounts "$volatile"
  remove_cgroups
  if [ -e "$dir/made-namespace" ]; then ip netns del "$NETNS"; fi
  rm -rf "$dir" "$volatile"
  echo "Stopped, and removed $shown."
}

# What an earlier run left: the engine and the registry may stay, the application begins anew.
begin_anew() {
  stop_wunderproxy
  remove_releases
  rm -rf "$dir/state" "$dir/store" "$control"
}

main() {
  case ${1:-} in
    '') ;;
    stop) become_root stop; stop; return ;;
    *) sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "${BASH_SOURCE[0]}"; exit 2 ;;
  esac
  require_dotnet
  become_root
  PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
  DOTNET_ROOT=${DOTNET_ROOT:-$(dirname "$(readlink -f "$(command -v dotnet)")")}
  export DOTNET_ROOT DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1
  mkdir -p "$dir"/{run,log} "$volatile"
  trap interrupt INT TERM
  phase '[1/8] Installing what is missing' install_missing
  phase '[2/8] Building Controller, Proxy and sample application' build
  phase '[3/8] Clearing what an earlier run left' begin_anew
  phase '[4/8] Starting the Docker Engine' prepare_engine
  phase '[5/8] Starting the registry and building two images' prepare_images
  read_ports
  phase '[6/8] Starting Controller and Proxy' start_controller
  phase '[7/8] Deploying v1' deploy v1
  phase '[8/8] Deploying v2 under load' deploy_under_load
  print_report
}

prepare_engine() {
  raise_namespace
  find_engine
}

prepare_images() {
  choose_ports
  read_ports
  start_registry
  build_images
}

deploy_under_load() {
  start_load
  deploy v2
  end_load
}

main "$@"
