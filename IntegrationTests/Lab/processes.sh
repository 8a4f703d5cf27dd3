# shellcheck shell=bash disable=SC2154  # Sourced by lab.sh, which sets dir, netns, cgroup and lab.
# Starting, finding and ending the lab's processes, always by process id.

fail() {
  echo "lab.sh: $*" >&2
  exit 1
}

# inside COMMAND...: in the lab's network namespace.
inside() {
  nsenter --net="/run/netns/$netns" "$@"
}

pid_of() {
  cat "$dir/run/$1.pid" 2>/dev/null || true
}

# A zombie is gone: process 1 of a container may be slow to reap it.
pid_alive() {
  [ -n "$1" ] && [ -d "/proc/$1" ] && ! grep -qs '^State:[[:space:]]*[ZX]' "/proc/$1/status"
}

# alive NAME: whether the process that was started under this name runs, and not another one with a reused id.
alive() {
  local pid
  pid=$(pid_of "$1")
  pid_alive "$pid" && [ "/proc/$pid/ns/net" -ef "/run/netns/$netns" ]
}

# background NAME COMMAND...: starts a daemon inside the namespace; its output goes to log/NAME.log.
background() {
  local name=$1
  shift
  setsid nsenter --net="/run/netns/$netns" "$@" >>"$dir/log/$name.log" 2>&1 </dev/null 9>&- &
  echo $! >"$dir/run/$name.pid"
}

# await NAME SECONDS COMMAND...: until the command succeeds; fails with the end of the log when it can't any more.
await() {
  local name=$1 seconds=$2 deadline
  shift 2
  deadline=$((SECONDS + seconds))
  until "$@" >/dev/null 2>&1; do
    pid_alive "$(pid_of "$name")" || give_up "$name ended while it was awaited" "$name"
    [ "$SECONDS" -lt "$deadline" ] || give_up "$name was not ready within $seconds s" "$name"
    sleep 0.05
  done
}

give_up() {
  echo "--- the end of $dir/log/$2.log" >&2
  tail -n 20 "$dir/log/$2.log" >&2 || true
  fail "$1"
}

# end NAME SIGNAL SECONDS: signals the daemon and waits; SIGKILL at the deadline.
end() {
  local name=$1 signal=$2 pid deadline
  pid=$(pid_of "$name")
  if alive "$name"; then
    kill -CONT "$pid"
    kill "-$signal" "$pid"
    deadline=$((SECONDS + $3))
    while pid_alive "$pid"; do
      [ "$SECONDS" -lt "$deadline" ] || kill -KILL "$pid" 2>/dev/null || true
      sleep 0.02
    done
  fi
  rm -f "$dir/run/$name.pid"
}

# This script and those that called it: a test inside the namespace may cut the power or take the lab down.
ancestors() {
  local pid=$BASHPID
  while [ "${pid:-0}" -gt 1 ]; do
    echo "$pid"
    pid=$(awk '/^PPid:/ {print $2}' "/proc/$pid/status" 2>/dev/null)
  done
}

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
  for pid in $(ip netns pids "$netns"); do
    case "$(cat "/proc/$pid/comm" 2>/dev/null)" in
      dockerd | containerd | containerd-shim* | docker-proxy | docker-registry | runc* | radosgw | wunderproxy*) echo "$pid" ;;
    esac
  done
  container_processes
}

namespace_processes() {
  ip netns pids "$netns"
}

# kill_until_gone LISTING SIGNAL: all listed processes at once, and again for those that were born meanwhile.
kill_until_gone() {
  local pid deadline=$((SECONDS + 10))
  local -a spared left
  mapfile -t spared < <(ancestors)
  while true; do
    left=()
    for pid in $("$1" | sort -un); do
      case " ${spared[*]} " in *" $pid "*) ;; *) if pid_alive "$pid"; then left+=("$pid"); fi ;; esac
    done
    [ ${#left[@]} -gt 0 ] || return 0
    [ "$SECONDS" -lt "$deadline" ] || fail "processes ${left[*]} survived SIGKILL for 10 s"
    kill "-$2" "${left[@]}" 2>/dev/null || true
    sleep 0.05
  done
}

release_mounts() {
  local point
  while read -r point; do
    umount -l "$point" || true
  done < <(awk -v prefix="$1/" 'index($2, prefix) == 1 {print $2}' /proc/self/mounts | sort -r)
}
