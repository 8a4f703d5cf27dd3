# shellcheck shell=bash disable=SC2154
# Starting, finding and ending daemons without a service manager, always by process id. Sourced by lab.sh and quickstart.sh, which set
#   dir       their scratch folder, with run/ and log/ in it
#   netns     the network namespace to run in: /run/netns/NAME, or /proc/$$/ns/net for their own

fail() {
  echo "${0##*/}: $*" >&2
  exit 1
}

# inside COMMAND...: in the network namespace.
inside() {
  nsenter --net="$netns" "$@"
}

# run/NAME.pid holds the process id and, because ids are used again, when the process began.
pid_of() {
  cut -d ' ' -f 1 "$dir/run/$1.pid" 2>/dev/null || true
}

# pause PID: SIGSTOP, until all threads have stopped.
pause() {
  kill -STOP "$1"
  until ! grep -h '^State:' "/proc/$1"/task/*/status 2>/dev/null | grep -qv 'T (stopped)'; do sleep 0.01; done
}

# birth PID: clock ticks from the start of the machine; empty if there is no such process.
birth() {
  sed 's/.*) //' "/proc/$1/stat" 2>/dev/null | cut -d ' ' -f 20
}

remember() {
  echo "$2 $(birth "$2")" >"$dir/run/$1.pid"
}

# A zombie is gone: process 1 of a container may be slow to reap it.
pid_alive() {
  [ -n "$1" ] && [ -d "/proc/$1" ] && ! grep -qs '^State:[[:space:]]*[ZX]' "/proc/$1/status"
}

# alive NAME: whether the process that was remembered under this name runs, and not another one with its id.
alive() {
  local pid
  pid=$(pid_of "$1")
  pid_alive "$pid" && [ "$(cat "$dir/run/$1.pid")" = "$pid $(birth "$pid")" ]
}

# background NAME COMMAND...: starts a daemon inside the namespace; its output goes to log/NAME.log.
background() {
  local name=$1
  shift
  setsid nsenter --net="$netns" "$@" >>"$dir/log/$name.log" 2>&1 </dev/null 9>&- &
  remember "$name" $!
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

# release_mounts FOLDER: everything that is mounted below it.
release_mounts() {
  local point
  while read -r point; do
    umount -l "$point" || true
  done < <(awk -v prefix="$1/" 'index($2, prefix) == 1 {print $2}' /proc/self/mounts | sort -r)
}
