#!/usr/bin/env bash
# tests/flow/tour.sh - the whole loop by keys, in a terminal of 80x24: rows opened, mined, twenty candidates decided, one taken back after a restart,
# exported, a LoRA run launched from the form and watched, the workbench killed and opened again meanwhile, the result evaluated beside its base.
# With the small model of tests/fixtures on a part of the rows; TOUR_LONG=1 (tests/soak/tour.sh): all rows, a real model, a real test set.
set -euo pipefail
cd "$(dirname "$0")/../.."
root=$PWD
. tests/terminal.bash

rows=../shared/data/ko-retrieval/train.jsonl
[ -e $rows ] || rows=assets/demo/train.jsonl
if [ "${TOUR_LONG:-}" = 1 ]; then
	[ -e build/models/me5-small/config.json ] && [ -e ../shared/data/ko-retrieval/qrels/test.tsv ] || exit 77
	model=$root/build/models/me5-small questions=$(realpath ../shared/data/ko-retrieval) lines=100000 length=128 steps=60 between=60 patience=3600
else
	model=$root/tests/fixtures/model-base questions=$root/tests/fixtures/workspace/faq lines=60 length=32 steps=300 between=75 patience=300
fi
sed "${lines}q" $rows >"$scratch/train.jsonl"
cd "$scratch"
export VECSMITH_MODEL=$model

open_workbench() {
	keys "clear; $bin $1" Enter
	see " Data  $1"
}
say() { printf -- '-- %3d s  %s\n' $SECONDS "$*"; }
# decided: how many candidates the queue's header counts.
decided() { tm capture-pane -p | sed -n '1s/.*  a \([0-9]*\) x \([0-9]*\) p \([0-9]*\) s \([0-9]*\).*/\1 + \2 + \3 + \4/p'; }

terminal "PS1='shell> ' exec bash --norc --noprofile"
see 'shell>'

say "opened"
open_workbench train.jsonl

say "mined"
keys ":mine --negatives 5 --range 3-50 --sampling top --max-length $length" Enter
see 'started: vecsmith mine'
keys g j
see 'mine-1'
see 'mine-1 is done' $patience
keys O
see ' Data  train.mined.jsonl'

say "twenty decided"
keys g c
see 'candidate'
keys a x p s w a a x a s a a p a x a a x a w
for _ in $(seq 100); do
	[ $(($(decided))) -lt 20 ] || break
	sleep 0.1
done
[ $(($(decided))) = 20 ] || die "not twenty decisions but $(decided)"
shown ' saved ' || die "nobody says that they are saved"

say "one taken back after a restart"
keys Q
see 'shell>'
open_workbench train.mined.jsonl
keys u
see 'undone: '
keys g c
see 'candidate'
[ $(($(decided))) = 19 ] || die "not nineteen decisions but $(decided)"

say "exported"
keys ':export' Enter
see 'export to: '
keys Enter
see 'export-1 is done'
keys O
see '.curated.jsonl'

say "a LoRA run, from the form"
keys g t
see 'new run'
for field in 'lora true' 'batch-size 8' 'group-size 3' "max-length $length" "max-steps $steps" 'lr 1e-3' 'eval-split test' \
	"eval-data $questions" "eval-steps $between"; do
	keys ":set $field" Enter
done
keys L
see 'train-1  RUNNING'
see 'before training' $patience
see " step " $patience

say "the workbench killed meanwhile, and opened again"
run=$(sed -n 's/.*"pid":\([0-9]*\).*/\1/p' .vecsmith/runs/train-1/heartbeat)
kill -9 "$(workbench)"
see 'shell>'
keys 'stty sane; tput rmcup; clear' Enter
see 'shell>'
kill -0 "$run" || die "the run died with the workbench"
open_workbench train.mined.jsonl
keys g t
see 'train-1  RUNNING'
see 'train-1  DONE' $patience

say "evaluated"
keys g e
see 'No evaluation yet'
keys ":evaluate --model $model --data $questions --split test --max-length $length" Enter
see 'eval-1 is done' $patience
keys R
see '/model --data '
keys " --max-length $length" Enter
see 'eval-2 is done' $patience
see 'eval-2 against eval-1'
say "$(tm capture-pane -p | head -n 1)"

say "another run, stopped by key"
keys g t Tab
see 'new run'
keys ':set max-steps 1000000' Enter
keys ":set max-length $length" Enter
keys L
see 'train-2  RUNNING'
see ' step ' $patience
keys X
see 'stop train-2?'
keys y
see 'train-2  STOPPED' $patience
keys Q
see 'shell>'

# What the screens said is what the files say.
[ "$(grep -c . train.mined.jsonl)" -gt 0 ] && ls ./*.curated.jsonl >/dev/null
python3 - <<'P'
import glob, json
mined, curated = ([json.loads(l) for l in open(glob.glob(p)[0], encoding="utf-8")] for p in ("train.mined.jsonl", "train*.curated.jsonl"))
moved = sum(len(c["pos"]) - len(m["pos"]) for m, c in zip(mined, curated))
gone = sum(len(m["neg"]) - len(c["neg"]) for m, c in zip(mined, curated))
assert len(mined) == len(curated) and moved >= 2 and gone > moved, (len(mined), len(curated), moved, gone)
runs = [[json.loads(l) for l in open(path)] for path in glob.glob("runs/*/metrics.jsonl")]
steps = next(run for run in runs if "eval" in run[0])
assert steps[0]["step"] == 0 and "eval" in steps[0] and sum("eval" in s for s in steps) >= 2
P
say "the tour is over"
