#!/usr/bin/env bash
# A laboratory host of its own: a Docker Engine, a plain-HTTP registry and a real S3 server (Ceph RADOS Gateway), without systemd,
# all in one network namespace. No port of the machine is touched, so several labs can run side by side.
#
#   lab.sh install [COMMAND:PACKAGE...]
#                                     installs the Debian packages that are missing: the lab's own, and those of further commands
#   lab.sh up | down                  starts everything | stops everything and removes every trace; both may be repeated
#   lab.sh exec COMMAND...            runs a command inside the namespace, with the lab's addresses in its environment
#   lab.sh env                        prints those addresses
#   lab.sh status                     prints what runs
#   lab.sh dockerd start [OPTION...]  starts the engine, with further options of dockerd such as --live-restore
#   lab.sh dockerd stop | kill        SIGTERM (containers end, too) | SIGKILL (containers stay)
#   lab.sh dockerd pause | resume     SIGSTOP: calls are taken and not answered | SIGCONT
#   lab.sh registry start | stop
#   lab.sh s3 start | stop            stop: connections are refused; the objects stay
#   lab.sh s3 fault NAME [KEY] | unfault NAME
#                                     hang, stall, slow, suspend, quota, slowdown, put500; get500 KEY lasts until KEY is written anew
#   lab.sh power-cut                  kills engine, containers, registry, S3 gateway, Controllers and Proxies, all at once, and removes
#                                     what no reboot survives; the namespace stays, for a test that runs in it
#   lab.sh busybox REFERENCE          imports the machine's static busybox as a tiny image (its entry point is none, PATH is /bin)
#
# LAB_NAME (default: made from the path of this checkout) tells labs apart. Root is needed; sudo is used where it is there.
set -euo pipefail
shopt -s inherit_errexit nullglob
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
lab=${LAB_NAME:-$(printf '%s' "$here" | sha256sum | cut -c 1-8)}
cgroup=wunderproxy-$lab
dir=${WUNDERPROXY_LAB_DIR:-/tmp/wunderproxy-lab-$lab}
volatile=$dir/volatile
netns=/run/netns/wunderproxy-$lab
registry=localhost:8080
s3_port=7480
access_key='labaccess'
secret_key='labsecret0123456789'

# shellcheck source=IntegrationTests/Lab/processes.sh
source "$here/processes.sh"
# shellcheck source=IntegrationTests/Lab/packages.sh
source "$here/packages.sh"
# shellcheck source=IntegrationTests/Lab/engine.sh
source "$here/engine.sh"
# shellcheck source=IntegrationTests/Lab/s3.sh
source "$here/s3.sh"

usage() {
  sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "${BASH_SOURCE[0]}" >&2
  exit 2
}

# command:package
packages=(
  dockerd:docker.io containerd:containerd docker-registry:docker-registry ip:iproute2 iptables:iptables busybox:busybox-static
  pebble:pebble promtool:prometheus cc:gcc gencat:libc6-dev radosgw:radosgw ceph-mon:ceph-mon ceph-osd:ceph-osd ceph:ceph-common curl:curl jq:jq nsenter:util-linux setsid:util-linux chromium:chromium certutil:libnss3-tools slowhttptest:slowhttptest zsh:zsh fish:fish
)

# --- what runs ----------------------------------------------------------------------------------------------------------------

# Processes of the lab's containers: their control groups have a parent that is the lab's own.
container_processes() {
  local file
  for file in /sys/fs/cgroup/"$cgroup" /sys/fs/cgroup/*/"$cgroup"; do
    find "$file" -name cgroup.procs -exec cat {} + 2>/dev/null || true
  done
}

# What loses power with the host: engine, shims, containers, registry, S3 gateway, every Controller and Proxy. Ceph's daemons keep the
# objects of the remote S3 service, which a power cut of this host does not reach.
host_processes() {
  local pid
  for pid in $(ip netns pids "${netns##*/}"); do
    case "$(cat "/proc/$pid/comm" 2>/dev/null)" in
      dockerd | containerd | containerd-shim* | docker-proxy | docker-registry | runc* | radosgw | wunderproxy*) echo "$pid" ;;
    esac
  done
  container_processes
}

namespace_processes() {
  ip netns pids "${netns##*/}"
}

# --- the namespace -----------------------------------------------------------------------------------------------------------

raise_namespace() {
  [ -e "$netns" ] || ip netns add "${netns##*/}"
  inside ip link set lo up
}

# Bridges and packet filter rules: gone after a reboot, so gone after a power cut.
reset_namespace() {
  local link tool table
  for link in $(inside ip -o link show | awk -F': ' '{sub(/@.*/, "", $2); if ($2 != "lo") print $2}'); do
    inside ip link del "$link" 2>/dev/null || true
  done
  for tool in iptables ip6tables; do
    for table in filter nat mangle raw; do
      inside "$tool" -w 10 -t "$table" -F
      inside "$tool" -w 10 -t "$table" -X
    done
    inside "$tool" -w 10 -P FORWARD ACCEPT
  done
}

print_environment() {
  cat <<EOF
LAB_NAME=$lab
DOCKER_HOST=unix://$volatile/docker.sock
WUNDERPROXY_LAB_DIR=$dir
WUNDERPROXY_LAB_CONTROL=$here/lab.sh
WUNDERPROXY_LAB_DOCKER=unix://$volatile/docker.sock
WUNDERPROXY_LAB_REGISTRY=$registry
WUNDERPROXY_LAB_S3=http://127.0.0.1:$s3_port
WUNDERPROXY_LAB_S3_ACCESS_KEY=$access_key
WUNDERPROXY_LAB_S3_SECRET_KEY=$secret_key
EOF
}

run_inside() {
  local -a environment
  [ -e "$netns" ] || fail "the lab '$lab' is not up: lab.sh up"
  mapfile -t environment < <(print_environment)
  exec nsenter --net="$netns" env "${environment[@]}" "$@"
}

# --- the whole ---------------------------------------------------------------------------------------------------------------

up() {
  local missing
  missing=$(missing_packages "${packages[@]}")
  [ -z "$missing" ] || fail "missing packages: ${missing//$'\n'/ }. Run lab.sh install"
  [ ! -e "$dir" ] || [ -e "$dir/lab" ] || fail "$dir is there and is not a lab's: remove it or set WUNDERPROXY_LAB_DIR"
  mkdir -p "$dir"/{run,log} "$volatile"
  [ -O "$dir" ] || fail "$dir belongs to somebody else: set WUNDERPROXY_LAB_DIR"
  echo "$lab" >"$dir/lab"
  raise_namespace
  start_s3 &
  local s3=$!
  start_engine
  start_registry
  wait "$s3"
}

down() {
  if [ -e "$netns" ]; then
    kill_until_gone host_processes KILL
    kill_until_gone namespace_processes KILL
  fi
  release_mounts "$dir"
  remove_cgroups
  [ ! -e "$netns" ] || ip netns del "${netns##*/}"
  [ ! -e "$dir/lab" ] || rm -rf "$dir"
}

power_cut() {
  kill_until_gone host_processes KILL
  release_mounts "$dir"
  remove_cgroups
  rm -rf "$volatile" "$dir"/run/{dockerd,containerd,registry,radosgw,docker}.pid
  reset_namespace
}

status() {
  local name
  for name in containerd dockerd registry ceph-mon ceph-osd radosgw; do
    if alive "$name"; then echo "$name runs as $(pid_of "$name")"; else echo "$name is stopped"; fi
  done
}

as_root() {
  [ "$(id -u)" -ne 0 ] || return 0
  command -v sudo >/dev/null || fail "root is needed, and there is no sudo"
  exec sudo env "PATH=$PATH" "LAB_NAME=$lab" "WUNDERPROXY_LAB_DIR=$dir" "DOTNET_ROOT=${DOTNET_ROOT:-}" \
    "WUNDERPROXY_BINARIES=${WUNDERPROXY_BINARIES:-}" "UPDATE_DOCUMENTATION=${UPDATE_DOCUMENTATION:-}" "${BASH_SOURCE[0]}" "$@"
}

# Debian keeps daemons in folders that are not on every user's path.
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
case "${1:-}" in
  install | up | down | exec | status | dockerd | registry | s3 | power-cut | busybox) as_root "$@" ;;
esac
case "${1:-} ${2:-}" in
  'install '*) install_packages "${packages[@]}" "${@:2}" ;;
  'up ') up ;;
  'down ') down ;;
  exec\ ?*) run_inside "${@:2}" ;;
  'env ') print_environment ;;
  'status ') status ;;
  'dockerd start') start_engine "${@:3}" ;;
  'dockerd stop') end dockerd TERM 30 ;;
  'dockerd kill') end dockerd KILL 5 ;;
  'dockerd pause') pause "$(pid_of dockerd)" ;;
  'dockerd resume') kill -CONT "$(pid_of dockerd)" ;;
  'registry start') start_registry ;;
  'registry stop') end registry KILL 5 ;;
  's3 start') start_gateway ;;
  's3 stop') end radosgw KILL 5 ;;
  's3 fault') fault "${@:3}" ;;
  's3 unfault') unfault "${@:3}" ;;
  'power-cut ') power_cut ;;
  busybox\ ?*) import_busybox "$2" ;;
  *) usage ;;
esac
