#!/usr/bin/env bash
# tests/flow/idle.sh - nobody types, nothing runs: the workbench sends no byte and wakes up for the clock's second alone.
set -euo pipefail
cd "$(dirname "$0")/../.."
command -v strace >/dev/null || exit 77
. tests/terminal.bash
cp tests/fixtures/rows_screens.jsonl "$scratch/rows.jsonl"
bash tests/screens/workspace.sh "$scratch" $$
rm -r "$scratch"/.vecsmith/runs/{train,mine}-[12] # what goes on is looked at; these have ended
cd "$scratch"

terminal "exec $bin rows.jsonl"
for place in n t e j c; do
	keys g "$place"
done
see ' Curate'
keys g j
sleep 2
pid=$(tm display-message -p '#{pane_pid}')
strace -f -p "$pid" -o trace 2>/dev/null &
sleep 10.2
kill $! && wait $! || true
# nobody may be traced here
[ -s trace ] || exit 77
wakes=$(grep -c 'poll(.*Timeout' trace || true)
[ "$wakes" -ge 8 ] && [ "$wakes" -le 12 ] || { cat trace && echo "$wakes wake-ups in ten seconds" && exit 1; }
! grep -E '(write|writev|sendto|sendmsg)\(' trace || { echo "bytes were sent" && exit 1; }
echo "ten seconds: $wakes wake-ups, $(wc -l <trace) system calls, no byte sent"
