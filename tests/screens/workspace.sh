#!/usr/bin/env bash
# tests/screens/workspace.sh DIR [PID] - makes of DIR a workspace with a past: two evaluations, a training that goes on (as process PID, the
# caller when none is named), one that died, a mining run that has been quiet for long, one that is done, and one judge that failed.
# The figures were recorded from real runs; only what says who lives is written now.
set -euo pipefail
dir=$1 pid=${2:-$PPID}
from=$(cd "$(dirname "${BASH_SOURCE[0]}")/../fixtures/workspace" && pwd)
mkdir -p "$dir/.vecsmith" "$dir/runs"
cp -r "$from/jobs" "$dir/.vecsmith/runs"
cp -r "$from/faq" "$dir/faq"
cp -r "$from/run" "$dir/runs/faq-1"
start=$(sed 's/.*) //' "/proc/$pid/stat" | cut -d' ' -f20)
boot=$(cat /proc/sys/kernel/random/boot_id)

# beat FILE START SECONDS_AGO STEP TOTAL: a heartbeat of PID, which began at START; with another start it is somebody else's.
beat() {
	printf '{"format":1,"state":"running","pid":%d,"start":%d,"boot":"%s","host":"%s","time":%d,"step":%d,"total":%d,"step_time":0}\n' \
		"$pid" "$2" "$boot" "$(uname -n)" $(($(date +%s) - $3)) "$4" "$5" >"$1"
}
jobs=$dir/.vecsmith/runs
beat "$jobs/train-1/heartbeat" "$start" 0 0 0
beat "$dir/runs/faq-1/heartbeat" "$start" 0 52 60
beat "$jobs/train-2/heartbeat" $((start + 1)) 0 0 0
mkdir -p "$dir/runs/faq-0"
beat "$dir/runs/faq-0/heartbeat" $((start + 1)) 0 9 60
beat "$jobs/mine-2/heartbeat" "$start" 3600 120 400
