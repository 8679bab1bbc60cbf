#!/usr/bin/env bash
# tests/crash/workbench_kill.sh - decisions are typed as fast as the terminal takes them, and the workbench is killed with kill -9 in between: what the
# header had counted is there when it is opened again, and the queue goes on behind it. A second workbench meanwhile only reads, and says who writes.
set -euo pipefail
cd "$(dirname "$0")/../.."
. tests/terminal.bash
cd "$scratch"
python3 - <<'P'
import json
with open("rows.jsonl", "w", encoding="utf-8") as f:
    for i in range(300):
        f.write(json.dumps({"query": f"질문 {i}", "pos": [f"답 {i}"], "neg": [f"아님 {i} {k}" for k in range(4)]}, ensure_ascii=False) + "\n")
P

# counted: the rejections that the header shows.
counted() { tm capture-pane -p | sed -n '1s/.* x \([0-9]*\) p .*/\1/p'; }

terminal "PS1='shell> ' exec bash --norc --noprofile"
see 'shell>'
least=0 sent=0
for round in 1 2 3 4 5 6; do
	keys "$bin rows.jsonl" Enter
	see ' Data  rows.jsonl'
	keys g c
	see 'candidate '
	now=$(counted)
	[ "$now" -ge "$least" ] && [ "$now" -le $sent ] || die "round $round: $now decisions, at least $least of $sent were shown"
	tm send-keys -N 100 x
	sent=$((sent + 100))
	sleep 0.$((RANDOM % 5))$((RANDOM % 10))
	least=$(counted)
	kill -9 "$(workbench)"
	see 'shell>'
	keys 'stty sane; tput rmcup; clear' Enter
	see 'shell>'
done
[ "$least" -gt 6 ] || die "only $least decisions in six rounds: nothing was tested"

keys "$bin rows.jsonl" Enter
see ' Data  rows.jsonl'
keys g c
see 'candidate '
[ "$(counted)" -ge "$least" ] || die "decisions were lost at the end"
tm split-window -d "exec $bin rows.jsonl"
tm resize-window -x 100 -y 50
for _ in $(seq 300); do
	! tm capture-pane -p -t 1 | grep -q 'read only' || break
	sleep 0.1
done
tm capture-pane -p -t 1 | grep -q "read only, held by pid $(workbench)" || die "the second workbench does not say who holds the workspace"
before=$(counted)
tm send-keys -t 1 g c x
for _ in $(seq 300); do
	! tm capture-pane -p -t 1 | grep -q 'NOT SAVED: nothing was decided' || break
	sleep 0.1
done
tm capture-pane -p -t 1 | grep -q 'NOT SAVED: nothing was decided' || die "the second workbench decided"
[ "$(counted)" = "$before" ]
echo "six kills, $least decisions shown before the last of them, none lost"
