# shellcheck shell=bash disable=SC2154  # Sourced by lab.sh, which sets dir, s3_port, access_key and secret_key.
# A real S3 server: one monitor, one storage daemon in memory, and the gateway that speaks S3.

# The Ceph tools read options from this variable, too.
export CEPH_ARGS=

s3_configuration() {
  cat <<EOF
[global]
fsid = $1
mon host = [v2:127.0.0.1:$((s3_port + 1))]
public addr = 127.0.0.1
ms bind msgr1 = false
ms bind port min = $((s3_port + 2))
ms bind port max = $((s3_port + 20))
ms mon client mode = crc secure
auth cluster required = none
auth service required = none
auth client required = none
run dir = $dir/ceph
admin socket = $dir/ceph/\$name.asok
crash dir = $dir/ceph
log file = $dir/log/\$name.ceph.log
mon cluster log file = $dir/log/cluster.ceph.log
mon data = $dir/ceph/mon
mon data avail crit = 1
mon allow pool size one = true
mon max pg per osd = 1000
paxos propose interval = 0.05
osd data = $dir/ceph/osd
osd objectstore = memstore
memstore device bytes = 2147483648
osd pool default size = 1
osd pool default pg num = 1
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0
[client.rgw]
rgw data = $dir/ceph/rgw
rgw frontends = beast endpoint=127.0.0.1:$s3_port tcp_nodelay=1
rgw dns name = localhost
rgw thread pool size = 32
# A killed gateway would else be waited for, for half a minute, whenever a user is changed.
rgw cache enabled = false
rgw override bucket index max shards = 1
EOF
}

# step NAME COMMAND...: one step of the set-up, with a deadline, inside the namespace.
step() {
  local name=$1
  shift
  inside timeout 60 "$@" >>"$dir/log/$name.log" 2>&1 || give_up "setting up the S3 server failed: $*" "$name"
}

start_s3() {
  if alive ceph-osd; then
    start_gateway
    return 0
  fi
  local conf=$dir/ceph/ceph.conf fsid osd
  fsid=$(cat /proc/sys/kernel/random/uuid)
  osd=$(cat /proc/sys/kernel/random/uuid)
  rm -rf "$dir/ceph"
  mkdir -p "$dir"/ceph/{mon,osd,rgw}
  s3_configuration "$fsid" >"$conf"
  step ceph-mon monmaptool --create --fsid "$fsid" --addv a "[v2:127.0.0.1:$((s3_port + 1))]" "$dir/ceph/monmap"
  step ceph-mon ceph-mon --mkfs -i a -c "$conf" --monmap "$dir/ceph/monmap"
  background ceph-mon ceph-mon -f -i a -c "$conf"
  step ceph-osd ceph -c "$conf" osd new "$osd"
  step ceph-osd ceph-osd -i 0 --mkfs --osd-uuid "$osd" -c "$conf"
  background ceph-osd ceph-osd -f -i 0 -c "$conf"
  step radosgw radosgw-admin --admin-socket= -n client.rgw -c "$conf" user create --uid=lab --display-name=lab \
    --access-key="$access_key" --secret="$secret_key"
  start_gateway
}

start_gateway() {
  ! alive radosgw || return 0
  background radosgw radosgw -f -n client.rgw -c "$dir/ceph/ceph.conf"
  await radosgw 30 inside curl -sS --max-time 5 "http://127.0.0.1:$s3_port/"
}

# --- faults ------------------------------------------------------------------------------------------------------------------

ceph_set() {
  inside timeout 20 ceph --admin-daemon "$dir/ceph/$1.asok" config set "$2" "$3" >/dev/null
}

ceph_admin() {
  inside timeout 20 radosgw-admin --admin-socket= -n client.rgw -c "$dir/ceph/ceph.conf" "$@" >/dev/null 2>&1
}

fault() {
  case "${1:-}" in
    hang) kill -STOP "$(pid_of radosgw)" ;;                                       # connections are taken, nothing is answered
    stall) inside timeout 20 ceph -c "$dir/ceph/ceph.conf" osd pause 2>/dev/null ;; # writes land after the client gave up
    slow) # a write asks the storage daemon some fifty times
      ceph_set osd.0 osd_debug_inject_dispatch_delay_duration 0.05
      ceph_set osd.0 osd_debug_inject_dispatch_delay_probability 0.3
      ;;
    suspend) ceph_admin user suspend --uid=lab ;; # 403 UserSuspended
    quota)                                         # writes: 403 QuotaExceeded
      ceph_admin quota set --quota-scope=user --uid=lab --max-objects=0
      ceph_admin quota enable --quota-scope=user --uid=lab
      ;;
    slowdown) ceph_set client.rgw rgw_max_concurrent_requests 1 ;; # 503 SlowDown
    put500) ceph_set osd.0 osd_max_attr_size 10 ;;                 # every write 500, reads as before
    get500) break_object "${2:?get500 needs a key}" ;;
    *) fail "unknown fault '${1:-}'" ;;
  esac
}

unfault() {
  case "${1:-}" in
    hang) kill -CONT "$(pid_of radosgw)" ;;
    stall) inside timeout 20 ceph -c "$dir/ceph/ceph.conf" osd unpause 2>/dev/null ;;
    slow) ceph_set osd.0 osd_debug_inject_dispatch_delay_probability 0 ;;
    suspend) ceph_admin user enable --uid=lab ;;
    quota) ceph_admin quota disable --quota-scope=user --uid=lab ;;
    slowdown) ceph_set client.rgw rgw_max_concurrent_requests 1024 ;;
    put500) ceph_set osd.0 osd_max_attr_size 0 ;;
    *) fail "unknown fault '${1:-}'" ;;
  esac
}

# break_object KEY: reading this key answers 500 from now on.
break_object() {
  local object
  local -a rados=(inside timeout 20 rados -c "$dir/ceph/ceph.conf" -p default.rgw.buckets.data)
  "${rados[@]}" ls | awk -v key="_$1" 'substr($0, length($0) - length(key) + 1) == key' | while read -r object; do
    "${rados[@]}" setxattr "$object" user.rgw.acl garbage
  done
}
