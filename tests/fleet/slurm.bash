# shellcheck shell=bash
# Slurm on one node, on loopback, with a configuration, a key and ports of its own: for `run slurm`. As root.
#
#   slurm_start DIR [NAME=N…]   starts munged, slurmctld and slurmd, and waits until the node is idle; licences NAME=N
#   slurm_stop                  ends them
#   slurm_node_kill             kills slurmd; its tasks go on
#   slurm_node                  starts slurmd

slurm_start() {
  local dir=$1 licenses i
  shift
  licenses=$(printf '%s,' "$@" | tr '=' ':')
  SLURM_DIR=$dir SLURM_CONF=$dir/slurm.conf
  export SLURM_CONF
  mkdir -p "$dir"/{munge,state,spool}
  head -c 1024 /dev/urandom >"$dir/munge/key"
  chmod 400 "$dir/munge/key"
  chown -R munge: "$dir/munge"
  chmod 755 "$dir" "$dir/munge"
  cat >"$SLURM_CONF" <<CONF
ClusterName=fleet
SlurmctldHost=$(hostname -s)(127.0.0.1)
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=$dir/munge/socket
CredType=cred/munge
SlurmctldPort=$((20000 + RANDOM % 6000))
SlurmdPort=$((26000 + RANDOM % 6000))
StateSaveLocation=$dir/state
SlurmdSpoolDir=$dir/spool
SlurmctldPidFile=$dir/slurmctld.pid
SlurmdPidFile=$dir/slurmd.pid
SlurmctldLogFile=$dir/slurmctld.log
SlurmdLogFile=$dir/slurmd.log
SlurmdParameters=config_overrides
ProctrackType=proctrack/pgid
TaskPlugin=task/none
JobCompType=jobcomp/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
MpiDefault=none
ReturnToService=2
SlurmdTimeout=20
BatchStartTimeout=5
RequeueExit=75
RequeueExitHold=1,65
Licenses=${licenses%,}
NodeName=$(hostname -s) NodeAddr=127.0.0.1 CPUs=16 State=UNKNOWN
PartitionName=all Nodes=$(hostname -s) Default=YES MaxTime=INFINITE State=UP
CONF
  printf '%s\n' 'CgroupPlugin=cgroup/v1' 'CgroupAutomount=no' 'IgnoreSystemd=yes' >"$dir/cgroup.conf"
  setpriv --reuid munge --regid munge --clear-groups munged -F --key-file="$dir/munge/key" --socket="$dir/munge/socket" \
    --pid-file="$dir/munge/pid" --log-file="$dir/munge/log" --seed-file="$dir/munge/seed" --force >"$dir/munged.out" 2>&1 &
  SLURM_PIDS=$!
  for ((i = 0; i < 100; i++)); do
    [[ ! -S $dir/munge/socket ]] || break
    sleep 0.1
  done
  [[ -S $dir/munge/socket ]] || {
    cat "$dir/munged.out" >&2
    return 1
  }
  slurmctld -D -c >"$dir/slurmctld.out" 2>&1 &
  SLURM_PIDS+=" $!"
  slurm_node
  for ((i = 0; i < 100; i++)); do
    [[ $(timeout 2 sinfo -h -o %T 2>/dev/null) != idle ]] || return 0
    sleep 0.1
  done
  tail -n 5 "$dir"/slurm*.log >&2
  return 1
}

slurm_node() {
  slurmd -D -N "$(hostname -s)" >>"$SLURM_DIR/slurmd.out" 2>&1 &
  SLURM_NODE=$!
}

slurm_node_kill() {
  kill -KILL "$SLURM_NODE"
  wait "$SLURM_NODE" 2>/dev/null || true
}

slurm_stop() {
  # shellcheck disable=SC2086
  [[ -z ${SLURM_PIDS-} ]] || kill $SLURM_NODE $SLURM_PIDS 2>/dev/null || true
  SLURM_PIDS=
}
