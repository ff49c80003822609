#!/usr/bin/env bash
# A Slurm cluster of one machine: munged, slurmctld and slurmd on loopback, with two GPUs that are
# nothing but device nodes. All of it lies in one folder; nothing in /etc is read or written, no
# service is started. Needs root, as slurmd does; neither systemd nor cgroups.
#
#   tests/slurm/cluster.sh start FOLDER   starts what does not run yet; then put FOLDER/bin, with
#                                         sbatch, srun, squeue and so on, at the head of PATH
#   tests/slurm/cluster.sh stop FOLDER    ends its jobs and daemons and removes the folder
set -euo pipefail

if [ $# != 2 ] || [[ $1 != start && $1 != stop ]]; then
    echo "usage: $0 start|stop FOLDER" >&2
    exit 2
fi
folder=$(realpath -m "$2")
export PATH=$PATH:/usr/sbin:/sbin SLURM_CONF=$folder/slurm.conf

# The process of a daemon. A later process may have the same number, so its command is looked at.
process_of() {
    local process
    process=$(cat "$folder/$1.pid" 2>/dev/null) || return 1
    tr '\0' ' ' 2>/dev/null <"/proc/$process/cmdline" | grep -qF "$folder/" && echo "$process"
}

# Wait up to twenty seconds for a command to succeed.
until_true() {
    for _ in {1..400}; do
        "$@" >/dev/null 2>&1 && return
        sleep 0.05
    done
    echo "$0: in vain: $*" >&2
    tail -n 30 "$folder"/*.log >&2
    return 1
}

# In a session of its own, or slurmd would end with the jobs whose process group it shares. It keeps
# none of the caller's files open, so that nobody waits for it.
daemon() { # NAME COMMAND...
    local name=$1
    shift
    process_of "$name" >/dev/null && return
    setsid "$@" >>"$folder/$name.log" 2>&1 </dev/null &
    echo $! >"$folder/$name.pid"
}

gone() { ! process_of "$1"; }

is_idle() { [ -z "$(squeue --noheader)" ]; }

is_up() { sinfo --noheader --format=%t | grep -qxE 'idle|mix|alloc'; }

free_ports() {
    python3 -c '
import socket
sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
print(*(one.getsockname()[1] for one in sockets))'
}

configure() {
    local host control_port node_port
    host=$(hostname)
    read -r control_port node_port < <(free_ports)
    mkdir -p "$folder"/{bin,state,spool}
    chmod 0755 "$folder"
    (umask 077 && dd if=/dev/urandom of="$folder/munge.key" bs=128 count=1 status=none)
    # What stands for a GPU must be a device; these do what /dev/null does.
    mknod "$folder/gpu0" c 1 3
    mknod "$folder/gpu1" c 1 3
    printf 'NodeName=node Name=gpu File=%s\n' "$folder/gpu0" "$folder/gpu1" >"$folder/gres.conf"
    # In place of the system's.
    : >"$folder/plugstack.conf"
    # SLURM_CONF would do, did not Snakemake's executor for job steps take all that begins with SLURM_
    # out of its environment.
    local name
    for name in sacct sbatch scancel scontrol sinfo squeue srun; do
        printf '#!/bin/sh\nSLURM_CONF=%q exec %q "$@"\n' "$SLURM_CONF" "$(command -v "$name")" \
            >"$folder/bin/$name"
    done
    # What a job sees of the GPUs, for tests: job, step, devices.
    cat >"$folder/bin/task_prolog" <<END
#!/bin/sh
echo "\$SLURM_JOB_ID \$SLURM_STEP_ID \${CUDA_VISIBLE_DEVICES:-none}" >>"$folder/devices"
END
    chmod +x "$folder"/bin/*
    cat >"$folder/slurm.conf" <<END
ClusterName=synthsight
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=$control_port
SlurmdPort=$node_port
# Without these they listen on all interfaces.
CommunicationParameters=NoInAddrAny,NoCtldInAddrAny
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=$folder/munge.socket
CredType=cred/munge
PlugStackConfig=$folder/plugstack.conf
StateSaveLocation=$folder/state
SlurmdSpoolDir=$folder/spool
SlurmctldPidFile=$folder/state/slurmctld.pid
SlurmdPidFile=$folder/state/slurmd.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
TaskProlog=$folder/bin/task_prolog
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
MpiDefault=none
# Memory is counted, as on most clusters: a job that asks for too much waits for ever.
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SchedulerParameters=sched_min_interval=0,batch_sched_delay=0,bf_interval=1
SchedulerType=sched/backfill
ReturnToService=2
KillWait=2
# Finished jobs can be asked about, since no database keeps them.
MinJobAge=86400
GresTypes=gpu
# More of everything than there may be, so that tests see what Slurm would do.
SlurmdParameters=config_overrides
NodeName=node NodeHostname=$host NodeAddr=127.0.0.1 CPUs=8 RealMemory=64000 Gres=gpu:2
PartitionName=all Nodes=node Default=YES MaxTime=INFINITE
END
}

start() {
    [ -f "$folder/slurm.conf" ] || configure
    # munged wants folders that nobody else can write to; tests may lie in /tmp. Hence --force.
    daemon munged munged --foreground --force --key-file="$folder/munge.key" \
        --socket="$folder/munge.socket" --pid-file="$folder/state/munged.pid" \
        --log-file="$folder/munged.log" --seed-file="$folder/state/munged.seed"
    until_true munge --socket="$folder/munge.socket" --no-input
    daemon slurmctld slurmctld -D -f "$folder/slurm.conf"
    until_true scontrol ping
    daemon slurmd slurmd -D -f "$folder/slurm.conf"
    until_true is_up
}

stop() {
    local name process
    [ -f "$folder/slurm.conf" ] || return 0
    if process_of slurmctld >/dev/null && process_of slurmd >/dev/null; then
        timeout 10 "$folder/bin/scancel" --user="$(id -un)" || true
        until_true is_idle || true
    fi
    for name in slurmd slurmctld munged; do
        process=$(process_of "$name") || continue
        kill "$process"
        until_true gone "$name" || kill -KILL "$process"
    done
    rm -rf "$folder"
}

"$1"
