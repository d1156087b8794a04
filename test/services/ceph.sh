#!/bin/bash
# A real S3 server for tests: one Ceph monitor, one memory-backed OSD and one RADOS Gateway, on loopback only.
#
#   ceph.sh DIR MON_PORT S3_PORT       (MON_PORT + 1 is taken as well; DIR is created, and removed at the end)
#
# Prints `ready` once S3 answers with the credentials below. It runs until its standard input ends, so that a test
# process which crashes takes the cluster with it; all daemons are children of this shell and are stopped by their pids.
# What went wrong is on standard error, with the tail of the daemons' logs.
set -euo pipefail

dir=$1 mon_port=$2 s3_port=$3
access_key=${TEST_S3_ACCESS_KEY:-testaccesskey}
secret_key=${TEST_S3_SECRET_KEY:-testsecretkey}
memory_bytes=${TEST_S3_MEMORY_BYTES:-2147483648}
started=()

stop() {
  local status=$?
  trap - EXIT INT TERM HUP
  if [ "$status" -ne 0 ]; then tail -n 15 "$dir"/log/* >&2 2>/dev/null || true; fi
  # Nothing here is worth flushing, and a monitor that has lost its OSD takes half a minute to end politely.
  for pid in "${started[@]}"; do kill -KILL "$pid" 2>/dev/null || true; done
  wait 2>/dev/null || true
  rm -rf "$dir"
  exit "$status"
}
trap stop EXIT
trap 'exit 130' INT TERM HUP

# Runs a daemon as our child; the kernel ends it with us even when we are killed, where setpriv is there to ask for it.
daemon() {
  local name=$1; shift
  if command -v setpriv >/dev/null; then set -- setpriv --pdeathsig KILL "$@"; fi
  "$@" </dev/null >"$dir/log/$name.out" 2>&1 &
  started+=($!)
}

# Repeats a command until it succeeds; fails when a daemon has died or after a minute.
until_succeeds() {
  local deadline=$((SECONDS + 60))
  until "$@" >/dev/null 2>&1; do
    for pid in "${started[@]}"; do
      kill -0 "$pid" 2>/dev/null || { echo "a Ceph daemon ended while waiting for: $*" >&2; return 1; }
    done
    if [ $SECONDS -ge $deadline ]; then echo "gave up waiting for: $*" >&2; return 1; fi
    sleep 0.1
  done
}

s3_answers() { (exec 3<>"/dev/tcp/127.0.0.1/$s3_port") 2>/dev/null; }
osd_is_up() { timeout 10 ceph osd stat | grep -q '1 up'; }

mkdir -p "$dir"/{mon,osd,rgw,run,log}
dir=$(cd "$dir" && pwd)
fsid=$(cat /proc/sys/kernel/random/uuid)
address="[v2:127.0.0.1:$mon_port,v1:127.0.0.1:$((mon_port + 1))]"
keyring=$dir/keyring

# cephx stays on: without it radosgw hangs.
cat >"$dir/ceph.conf" <<CONF
[global]
fsid = $fsid
mon host = $address
public network = 127.0.0.0/8
public addr = 127.0.0.1
cluster addr = 127.0.0.1
keyring = $keyring
osd pool default size = 1
osd pool default min size = 1
osd pool default pg num = 8
osd pool default pgp num = 8
osd pool default pg autoscale mode = off
osd crush chooseleaf type = 0
mon allow pool size one = true
auth allow insecure global id reclaim = false
run dir = $dir/run
log file = $dir/log/\$name.log
admin socket = $dir/run/\$name.asok
pid file = $dir/run/\$name.pid
[mon]
mon data = $dir/mon
# The default second for each change of the map would make the start take 13 s instead of 1.
paxos propose interval = 0.01
paxos min wait = 0.01
[osd]
osd data = $dir/osd
osd objectstore = memstore
memstore device bytes = $memory_bytes
[client.rgw.a]
rgw frontends = beast endpoint=127.0.0.1:$s3_port
rgw data = $dir/rgw
CONF
export CEPH_CONF=$dir/ceph.conf

{
  ceph-authtool -C "$keyring" -g -n mon. --cap mon 'allow *'
  ceph-authtool "$keyring" -g -n client.admin --cap mon 'allow *' --cap osd 'allow *' --cap mgr 'allow *' --cap mds 'allow *'
  ceph-authtool "$keyring" -g -n osd.0 --cap mon 'allow profile osd' --cap mgr 'allow profile osd' --cap osd 'allow *'
  ceph-authtool "$keyring" -g -n client.rgw.a --cap mon 'allow rw' --cap osd 'allow rwx' --cap mgr 'allow rw'
  monmaptool --create --addv a "$address" --fsid "$fsid" "$dir/monmap"
  ceph-mon -i a --mkfs --monmap "$dir/monmap" --keyring "$keyring"
} >"$dir/log/prepare.out" 2>&1

daemon mon ceph-mon -f -i a
until_succeeds timeout 10 ceph mon stat
osd_uuid=$(cat /proc/sys/kernel/random/uuid)
timeout 30 ceph osd new "$osd_uuid" 0 >"$dir/log/osd-new.out" 2>&1
ceph-osd -i 0 --mkfs --osd-uuid "$osd_uuid" >"$dir/log/osd-mkfs.out" 2>&1
daemon osd ceph-osd -f -i 0
until_succeeds osd_is_up

timeout 60 radosgw-admin user create --uid=test --display-name=test \
  --access-key="$access_key" --secret-key="$secret_key" >"$dir/log/user.out" 2>&1
daemon rgw radosgw -f -n client.rgw.a
until_succeeds s3_answers

echo ready
# Wakes at the end of input: closed on purpose, or by the kernel when who started us is gone.
cat >/dev/null
