#!/usr/bin/env bash
# A training run that is killed, stopped or out of disk at any moment goes on with --resume and ends with the bits of the
# run that was never disturbed: same model, same metrics.
set -euo pipefail
: "${VECSMITH_BIN:?the program under test}"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

fail() {
	echo "$*" >&2
	exit 1
}

# train RUN [OPTION...]: in the background as `exec=exec train ... &`, so that $! is the program. Every kind of chance
# is on: dropout, shuffling, drawn positives and negatives.
train() {
	local run=$scratch/$1
	shift
	${exec:-} "$VECSMITH_BIN" train --model tests/fixtures/model-base --data tests/fixtures/train_rows.jsonl --out "$run" \
		--threads 1 --dtype float32 --no-cache --batch-size 4 --group-size 3 --lr 1e-3 --save-steps 3 "$@"
}

# What must not depend on how often a run was disturbed: step, epoch, loss, rate and norm of each line.
numbers() {
	sed 's/,"pos_sim".*//' "$scratch/$1/metrics.jsonl"
}

same() {
	cmp "$scratch/$1/model/model.safetensors" "$scratch/$2/model/model.safetensors" ||
		fail "$2: other weights than the run that was never disturbed"
	diff <(numbers "$1") <(numbers "$2") >&2 || fail "$2: other metrics"
	[ ! -d "$scratch/$1/adapter" ] ||
		cmp "$scratch/$1/adapter/adapter_model.safetensors" "$scratch/$2/adapter/adapter_model.safetensors" ||
		fail "$2: another adapter"
}

# Every checkpoint that stands under its name is whole, and model/, once there, always is.
whole() {
	local dir
	for dir in "$scratch/$1"/checkpoints/step-*[0-9]; do
		[ -d "$dir" ] || continue
		[ -s "$dir/state.json" ] && [ -s "$dir/trained.safetensors" ] || fail "$dir is not whole"
	done
	dir=$scratch/$1/model
	[ ! -d "$dir" ] || { [ -s "$dir/model.safetensors" ] && [ -s "$dir/modules.json" ] && [ -s "$dir/tokenizer.json" ]; } ||
		fail "$dir is not whole"
}

# chain NAME "OPTIONS" FAULT...: each process dies by its fault, the last one goes through.
chain() {
	local name=$1 fault status
	read -ra options <<<"$2"
	shift 2
	train "$name-whole" "${options[@]}" >"$scratch/out" 2>&1 || fail "$(cat "$scratch/out")"
	for fault in "$@"; do
		status=0
		VECSMITH_FAULT=$fault train "$name" --resume "${options[@]}" >"$scratch/out" 2>&1 || status=$?
		[ $status = 137 ] || [ $status = 0 ] || fail "$name, $fault: exit status $status: $(cat "$scratch/out")"
		whole "$name"
	done
	train "$name" --resume "${options[@]}" >"$scratch/out" 2>&1 || fail "$(cat "$scratch/out")"
	same "$name-whole" "$name"
	echo "$name: $# kills, the same bits"
}

chain full "--epochs 6 --weight-decay 0.1" rename:2:kill write:9:kill fsync:14:kill rename:9:kill rename:16:kill \
	write:31:kill fsync:40:kill
chain lora "--epochs 4 --lora --lora-r 4 --lora-dropout 0.1 --loss kl_div --accumulate 2 --fill-negatives random" \
	rename:12:kill fsync:33:kill

# Evaluated before the first step, once: a run that died before its first checkpoint knows that figure already.
chain evaluated "--epochs 4 --eval-data tests/fixtures/rows_beir --eval-split test --eval-steps 4" write:6:kill fsync:9:kill
[ "$(grep -c '"step":0,.*"eval"' "$scratch/evaluated/metrics.jsonl")" = 1 ] || fail "evaluated: not once before the first step"

# SIGKILL from outside, at moments that nobody chose.
train random-whole --max-steps 60 >"$scratch/out" 2>&1
for delay in 0.$((RANDOM % 10)) 1.$((RANDOM % 10)) 1.$((RANDOM % 10)); do
	exec=exec train random --resume --max-steps 60 >"$scratch/out" 2>&1 &
	sleep "$delay"
	kill -9 $! 2>/dev/null || true
	wait $! 2>/dev/null || true
	whole random
done
train random --resume --max-steps 60 >"$scratch/out" 2>&1 || fail "$(cat "$scratch/out")"
same random-whole random
echo "random: the same bits"

# SIGTERM: the step is finished, all is saved, status 143.
lines() {
	wc -l 2>/dev/null <"$scratch/$1/metrics.jsonl" || echo 0
}
train term-whole --max-steps 200 --save-steps 1000 >"$scratch/out" 2>&1
exec=exec train term --max-steps 200 --save-steps 1000 >"$scratch/out" 2>&1 &
pid=$!
for _ in $(seq 600); do
	[ "$(lines term)" -lt 5 ] || break
	sleep 0.05
done
kill -TERM $pid
status=0
wait $pid || status=$?
[ $status = 143 ] || fail "SIGTERM: exit status $status: $(cat "$scratch/out")"
grep -q '"state":"stopped"' "$scratch/term/heartbeat" || fail "the heartbeat does not say that the run was stopped"
done_steps=$(lines term)
[ -d "$scratch/term/checkpoints/step-$done_steps" ] || fail "no checkpoint of step $done_steps after SIGTERM"
whole term
[ -s "$scratch/term/model/model.safetensors" ] || fail "no model after SIGTERM"
train term --resume --max-steps 200 --save-steps 1000 >"$scratch/out" 2>&1 || fail "$(cat "$scratch/out")"
same term-whole term
echo "term: stopped after $done_steps steps, the same bits"

# A resumed run must be the same run: another rate, another model, other data are refused by name.
train other --max-steps 6 >"$scratch/out" 2>&1
rm "$scratch/other/heartbeat" # as if it had died
if train other --resume --max-steps 6 --lr 2e-3 >"$scratch/out" 2>&1; then
	fail "another --lr was accepted"
fi
grep -q -- "--lr 0.001" "$scratch/out" || fail "the sentence does not name --lr: $(cat "$scratch/out")"

# The disk is full at the n-th write: the run ends with a sentence, what it had stays, and it goes on later.
at_checkpoint=0
for n in 5 10 11 14 27 28; do
	run=full-disk-$n
	status=0
	VECSMITH_FAULT=write:$n train "$run" --max-steps 12 >"$scratch/out" 2>&1 || status=$?
	[ $status = 0 ] || [ $status = 1 ] || fail "write:$n: exit status $status"
	[ $status = 0 ] || grep -qi "no space" "$scratch/out" || fail "write:$n: no word about space: $(cat "$scratch/out")"
	! grep -q "the checkpoint of step" "$scratch/out" || at_checkpoint=$((at_checkpoint + 1))
	whole "$run"
	train "$run" --resume --max-steps 12 >"$scratch/out" 2>&1 || fail "$(cat "$scratch/out")"
	[ -d "$scratch/disk-whole" ] || train disk-whole --max-steps 12 >"$scratch/out" 2>&1
	same disk-whole "$run"
done
[ $at_checkpoint -gt 0 ] || fail "no write of a checkpoint was met: choose other numbers"
echo "disk full: $at_checkpoint times in a checkpoint, the same bits"
