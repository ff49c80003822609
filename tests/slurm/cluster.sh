#!/usr/bin/env bash
# A Slurm cluster on this machine: munged, slurmctld and a slurmd for each node on loopback, with GPUs
# that are nothing but device nodes: two on a single node, else one on each. All of it lies in one
# folder; nothing in /etc is read or written, no service is started. Needs root, as slurmd does; neither
# systemd nor cgroups.
#
#   tests/slurm/cluster.sh start FOLDER [NODES]  starts what does not run yet; then put FOLDER/bin, with
#                                                sbatch, srun, squeue and so on, at the head of PATH.
#                                                The nodes are node1, node2, and so on; by default one
#   tests/slurm/cluster.sh kill FOLDER NODE      a node dies, with all that runs on it
#   tests/slurm/cluster.sh stop FOLDER           ends its jobs and daemons and removes the folder
set -euo pipefail

if ! [[ "$# $1" =~ ^(2 start|3 start|3 kill|2 stop)$ ]]; then
    echo "usage: $0 start FOLDER [NODES] | kill FOLDER NODE | stop FOLDER" >&2
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

nodes() { sed -n 's/^NodeName=\([^ ]*\).*/\1/p' "$folder/slurm.conf"; }

is_up() { sinfo --noheader --nodes="$1" --format=%t | grep -qxE 'idle|mix|alloc|drng|drain'; }

free_ports() {
    python3 -c '
import socket
import sys
sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(int(sys.argv[1]))]
print(*(one.getsockname()[1] for one in sockets))' "$1"
}

configure() { # NODES
    local host gpus number ports
    host=$(hostname)
    gpus=$(($1 == 1 ? 2 : 1))
    read -ra ports < <(free_ports $(($1 + 1)))
    mkdir -p "$folder"/{bin,state,spool}
    chmod 0755 "$folder"
    (umask 077 && dd if=/dev/urandom of="$folder/munge.key" bs=128 count=1 status=none)
    # What stands for a GPU must be a device; these do what /dev/null does.
    for number in 0 1; do
        mknod "$folder/gpu$number" c 1 3
        [ "$number" -ge "$gpus" ] || echo "Name=gpu File=$folder/gpu$number" >>"$folder/gres.conf"
    done
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
SlurmctldPort=${ports[0]}
# Without these they listen on all interfaces.
CommunicationParameters=NoInAddrAny,NoCtldInAddrAny
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket=$folder/munge.socket
CredType=cred/munge
PlugStackConfig=$folder/plugstack.conf
StateSaveLocation=$folder/state
SlurmdSpoolDir=$folder/spool/%n
SlurmctldPidFile=$folder/state/slurmctld.pid
SlurmdPidFile=$folder/state/slurmd_%n.pid
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
# A node that is silent for so many seconds is down.
SlurmdTimeout=$(($1 == 1 ? 300 : 10))
PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE
END
    for ((number = 1; number <= $1; number++)); do
        echo "NodeName=node$number NodeHostname=$host NodeAddr=127.0.0.1 Port=${ports[number]}" \
            "CPUs=8 RealMemory=64000 Gres=gpu:$gpus" >>"$folder/slurm.conf"
    done
}

start() { # FOLDER [NODES]
    local node
    [ -f "$folder/slurm.conf" ] || configure "${2:-1}"
    # munged wants folders that nobody else can write to; tests may lie in /tmp. Hence --force.
    daemon munged munged --foreground --force --key-file="$folder/munge.key" \
        --socket="$folder/munge.socket" --pid-file="$folder/state/munged.pid" \
        --log-file="$folder/munged.log" --seed-file="$folder/state/munged.seed"
    until_true munge --socket="$folder/munge.socket" --no-input
    daemon slurmctld slurmctld -D -f "$folder/slurm.conf"
    until_true scontrol ping
    for node in $(nodes); do
        daemon "slurmd_$node" env SLURMD_NODENAME="$node" slurmd -D -N "$node" -f "$folder/slurm.conf"
    done
    for node in $(nodes); do
        until_true is_up "$node"
    done
}

# All processes of a node whose names match: daemon, job steps, and what these have started.
processes_on() { # NODE NAMES
    local process
    for process in /proc/[0-9]*; do
        grep -qzxF "SLURMD_NODENAME=$1" "$process/environ" 2>/dev/null || continue
        grep -qzF "$folder/" "$process/environ" 2>/dev/null || continue
        grep -qxE "$2" "$process/comm" 2>/dev/null && basename "$process"
    done
}

# As if its power were cut. First those die who would still tell that jobs have ended.
kill_node() { # FOLDER NODE
    local names found
    for names in slurmd slurmstepd '.*'; do
        while found=$(processes_on "$2" "$names") && [ -n "$found" ]; do
            xargs kill -KILL <<<"$found" 2>/dev/null || true
        done
    done
}

stop() {
    local name process
    [ -f "$folder/slurm.conf" ] || return 0
    if process_of slurmctld >/dev/null; then
        timeout 10 "$folder/bin/scancel" --user="$(id -un)" || true
        until_true is_idle || true
    fi
    for name in $(nodes | sed s/^/slurmd_/) slurmctld munged; do
        process=$(process_of "$name") || continue
        kill "$process"
        until_true gone "$name" || kill -KILL "$process"
    done
    rm -rf "$folder"
}

case $1 in
    start) start "${@:2}" ;;
    kill) kill_node "${@:2}" ;;
    stop) stop ;;
esac
