# shellcheck shell=bash disable=SC2154
# A private Docker Engine with a containerd of its own, and a registry. Sourced after processes.sh by lab.sh and quickstart.sh, which set
#   dir, netns  as for processes.sh
#   volatile    folder for sockets and for what no reboot survives; its path is short, for sockets' paths end at 107 characters
#   cgroup      parent of the containers' control groups
#   registry    host and port of the registry

# Where no service manager runs, nobody has mounted the controllers.
mount_cgroups() {
  if ! awk '$3 ~ /^cgroup2?$/ {found = 1} END {exit !found}' /proc/self/mounts; then
    mount -t cgroup2 cgroup2 /sys/fs/cgroup || fail "no control groups are mounted, and /sys/fs/cgroup can't be mounted"
  fi
}

remove_cgroups() {
  local group
  for group in /sys/fs/cgroup/"$cgroup" /sys/fs/cgroup/*/"$cgroup"; do
    find "$group" -depth -type d -exec rmdir {} \; 2>/dev/null || true
  done
}

start_containerd() {
  ! alive containerd || return 0
  mkdir -p "$dir/containerd" "$volatile/containerd"
  cat >"$dir/containerd.toml" <<EOF
version = 2
root = "$dir/containerd"
state = "$volatile/containerd"
disabled_plugins = [
  "io.containerd.grpc.v1.cri", "io.containerd.internal.v1.opt", "io.containerd.snapshotter.v1.aufs",
  "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.zfs",
]
[grpc]
address = "$volatile/containerd.sock"
EOF
  background containerd containerd --config "$dir/containerd.toml" --log-level warn
  await containerd 20 test -S "$volatile/containerd.sock"
}

# start_engine [OPTION...]: a containerd of its own, because dockerd would else use the machine's, outside the namespace.
start_engine() {
  ! alive dockerd || return 0
  mount_cgroups
  start_containerd
  # A leftover pid file whose number is in use again would stop dockerd from starting.
  rm -f "$dir/run/docker.pid" "$volatile/docker.sock"
  echo '{}' >"$dir/daemon.json"
  ulimit -n "$(ulimit -Hn)"
  background dockerd dockerd --config-file "$dir/daemon.json" --data-root "$dir/data" --exec-root "$volatile/exec" \
    --pidfile "$dir/run/docker.pid" --host "unix://$volatile/docker.sock" --containerd "$volatile/containerd.sock" \
    --cgroup-parent "/$cgroup" --log-level warn "$@"
  await dockerd 30 curl -fsS --max-time 5 --unix-socket "$volatile/docker.sock" http://engine/_ping
}

start_registry() {
  ! alive registry || return 0
  mkdir -p "$dir/registry"
  cat >"$dir/registry.yml" <<EOF
version: 0.1
log: {level: warn, accesslog: {disabled: true}}
storage:
  cache: {blobdescriptor: inmemory}
  filesystem: {rootdirectory: $dir/registry}
  delete: {enabled: true}
http: {addr: "$registry"}
EOF
  background registry docker-registry serve "$dir/registry.yml"
  await registry 10 inside curl -fsS --max-time 5 "http://$registry/v2/"
}

# import_busybox REFERENCE: for tests and measurements that want the smallest image that does something.
import_busybox() {
  local root name
  root=$(mktemp -d "$dir/busybox.XXXXXX")
  mkdir -p "$root/bin" "$root/tmp"
  cp "$(command -v busybox)" "$root/bin/busybox"
  for name in sh sleep httpd nc cat echo true false kill ls mkdir; do ln -s busybox "$root/bin/$name"; done
  tar -C "$root" --sort=name --mtime=@0 --owner=0 --group=0 -c . |
    curl -fsS --max-time 60 --unix-socket "$volatile/docker.sock" -o /dev/null -X POST -H 'Content-Type: application/x-tar' --data-binary @- \
      "http://engine/images/create?fromSrc=-&repo=${1%:*}&tag=${1##*:}&changes=ENV%20PATH%3D%2Fbin"
  rm -rf "$root"
}
