#!/usr/bin/env bash
# A laboratory host of its own: a Docker Engine, a plain-HTTP registry and a real S3 server (Ceph RADOS Gateway), without systemd,
# all in one network namespace. No port of the machine is touched, so several labs can run side by side.
#
#   lab.sh install                    installs the Debian packages that are missing
#   lab.sh up | down                  starts everything | stops everything and removes every trace; both may be repeated
#   lab.sh exec COMMAND...            runs a command inside the namespace, with the lab's addresses in its environment
#   lab.sh env                        prints those addresses
#   lab.sh status                     prints what runs
#   lab.sh dockerd start [OPTION...]  starts the engine, with further options of dockerd such as --live-restore
#   lab.sh dockerd stop | kill        SIGTERM (containers end, too) | SIGKILL (containers stay)
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
# shellcheck disable=SC2034  # Used by the sourced files.
cgroup=wunderproxy-$lab
dir=${WUNDERPROXY_LAB_DIR:-/tmp/wunderproxy-lab-$lab}
netns=wunderproxy-$lab
docker_socket=$dir/docker.sock
registry=localhost:8080
s3_port=7480
access_key='labaccess'
secret_key='labsecret0123456789'

# shellcheck source=IntegrationTests/Lab/processes.sh
source "$here/processes.sh"
# shellcheck source=IntegrationTests/Lab/engine.sh
source "$here/engine.sh"
# shellcheck source=IntegrationTests/Lab/s3.sh
source "$here/s3.sh"

usage() {
  sed -n '2,/^set /{/^set /d;s/^# \{0,1\}//;p}' "${BASH_SOURCE[0]}" >&2
  exit 2
}

# --- packages ----------------------------------------------------------------------------------------------------------------

# command:package, and what else the lab and the test run need.
packages=(
  dockerd:docker.io containerd:containerd docker-registry:docker-registry ip:iproute2 iptables:iptables busybox:busybox-static
  radosgw:radosgw ceph-mon:ceph-mon ceph-osd:ceph-osd ceph:ceph-common curl:curl nsenter:util-linux flock:util-linux
)

install_packages() {
  local entry
  local -a missing=()
  for entry in "${packages[@]}"; do
    command -v "${entry%%:*}" >/dev/null || missing+=("${entry##*:}")
  done
  [ -e /etc/ssl/certs/ca-certificates.crt ] || missing+=(ca-certificates)
  [ ${#missing[@]} -gt 0 ] || return 0
  command -v apt-get >/dev/null || fail "missing: ${missing[*]}. Only Debian and Ubuntu are installed to by this script"
  echo "lab.sh: installing ${missing[*]}" >&2
  # Packages start services where a service manager runs; the lab wants none of them.
  local -a apt=(env DEBIAN_FRONTEND=noninteractive RUNLEVEL=1 apt-get -q -o DPkg::Lock::Timeout=300)
  "${apt[@]}" update >/dev/null
  "${apt[@]}" install -y --no-install-recommends "${missing[@]}" >/dev/null
}

# --- the namespace -----------------------------------------------------------------------------------------------------------

raise_namespace() {
  [ -e "/run/netns/$netns" ] || ip netns add "$netns"
  ip -n "$netns" link set lo up
}

# Bridges and packet filter rules: gone after a reboot, so gone after a power cut.
reset_namespace() {
  local link table
  for link in $(ip -n "$netns" -o link show | awk -F': ' '{sub(/@.*/, "", $2); if ($2 != "lo") print $2}'); do
    ip -n "$netns" link del "$link" 2>/dev/null || true
  done
  for table in filter nat mangle raw; do
    inside iptables -t "$table" -F
    inside iptables -t "$table" -X
  done
  inside iptables -P FORWARD ACCEPT
}

print_environment() {
  cat <<EOF
LAB_NAME=$lab
DOCKER_HOST=unix://$docker_socket
WUNDERPROXY_LAB_DIR=$dir
WUNDERPROXY_LAB_CONTROL=$here/lab.sh
WUNDERPROXY_LAB_DOCKER=unix://$docker_socket
WUNDERPROXY_LAB_REGISTRY=$registry
WUNDERPROXY_LAB_S3=http://127.0.0.1:$s3_port
WUNDERPROXY_LAB_S3_ACCESS_KEY=$access_key
WUNDERPROXY_LAB_S3_SECRET_KEY=$secret_key
EOF
}

run_inside() {
  local -a environment
  [ -e "/run/netns/$netns" ] || fail "the lab '$lab' is not up: lab.sh up"
  mapfile -t environment < <(print_environment)
  exec nsenter --net="/run/netns/$netns" env "${environment[@]}" "$@"
}

# --- the whole ---------------------------------------------------------------------------------------------------------------

up() {
  local entry
  for entry in "${packages[@]}"; do
    command -v "${entry%%:*}" >/dev/null || fail "${entry%%:*} is missing: lab.sh install"
  done
  [ ! -e "$dir" ] || [ -e "$dir/lab" ] || fail "$dir is there and is not a lab's: remove it or set WUNDERPROXY_LAB_DIR"
  mkdir -p "$dir"/{run,log}
  echo "$lab" >"$dir/lab"
  raise_namespace
  start_s3 &
  local s3=$!
  start_engine
  start_registry
  wait "$s3"
}

down() {
  if [ -e "/run/netns/$netns" ]; then
    kill_until_gone host_processes KILL
    kill_until_gone namespace_processes KILL
  fi
  release_mounts "$dir"
  remove_cgroups
  [ ! -e "/run/netns/$netns" ] || ip netns del "$netns"
  [ ! -e "$dir/lab" ] || rm -rf "$dir"
}

power_cut() {
  kill_until_gone host_processes KILL
  release_mounts "$dir"
  remove_cgroups
  rm -rf "$dir/exec" "$dir/containerd/state" "$docker_socket" "$dir"/run/{dockerd,containerd,registry,radosgw}.pid "$dir/run/docker.pid"
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
  exec sudo env "PATH=$PATH" "LAB_NAME=$lab" "WUNDERPROXY_LAB_DIR=$dir" "${BASH_SOURCE[0]}" "$@"
}

# Debian keeps daemons in folders that are not on every user's path.
PATH=$PATH:/usr/local/sbin:/usr/sbin:/sbin
case "${1:-}" in
  install | up | down | exec | status | dockerd | registry | s3 | power-cut | busybox) as_root "$@" ;;
esac
case "${1:-} ${2:-}" in
  'install ') install_packages ;;
  'up ') up ;;
  'down ') down ;;
  exec\ ?*) run_inside "${@:2}" ;;
  'env ') print_environment ;;
  'status ') status ;;
  'dockerd start') start_engine "${@:3}" ;;
  'dockerd stop') end dockerd TERM 30 ;;
  'dockerd kill') end dockerd KILL 5 ;;
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
