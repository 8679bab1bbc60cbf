#!/usr/bin/env bash
# encode and model by command, on a tiny model: what lands in the .npy, what is refused and how.
set -euo pipefail
model=tests/fixtures/model-base
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
export XDG_CACHE_HOME=$folder/cache

fail() { echo "FAILED: $*" >&2; exit 1; }
# expect STATUS WORD COMMAND...: it ends so, and says the word on stderr.
expect() {
	local want=$1 word=$2 got=0
	shift 2
	"$VECSMITH_BIN" "$@" >"$folder/out" 2>"$folder/err" || got=$?
	[[ $got == "$want" ]] || fail "$* ended with $got, expected $want: $(cat "$folder/err")"
	grep -qF -- "$word" "$folder/err" || fail "$*: '$(cat "$folder/err")' does not say '$word'"
}

printf 'a cat\n\nthe cat sat on a mat\na cat\n' >"$folder/t.txt"
run() { "$VECSMITH_BIN" encode --model "$model" --in "$folder/t.txt" --dtype float32 --device cpu --log-level error "$@"; }

run --out "$folder/e.npy" --json >"$folder/summary"
grep -q '"texts":4,"dim":24,"unique":3,"cached":0,"cut":0' "$folder/summary" || fail "summary: $(cat "$folder/summary")"
[[ $(head -c 6 "$folder/e.npy" | tail -c 5) == NUMPY ]] || fail "no .npy"
grep -aq "'descr': '<f4', 'fortran_order': False, 'shape': (4, 24), " "$folder/e.npy" || fail "header"
[[ $(stat -c %s "$folder/e.npy") == $((128 + 4 * 24 * 4)) ]] || fail "size $(stat -c %s "$folder/e.npy")"
row() { tail -c +$((129 + $1 * 96)) "$2" | head -c 96 | cksum; }
[[ $(row 0 "$folder/e.npy") == $(row 3 "$folder/e.npy") ]] || fail "equal texts, unequal vectors"
[[ $(row 0 "$folder/e.npy") != $(row 1 "$folder/e.npy") ]] || fail "a blank text has another's vector"

run --out "$folder/again.npy" --json | grep -q '"cached":3,"cut":0,"tokens":0' || fail "nothing came from the cache"
cmp "$folder/e.npy" "$folder/again.npy"
printf '{"text":"a cat"}\n{"text":""}\n{"text":"the cat sat on a mat"}\n{"text":"a cat"}\n' >"$folder/t.jsonl"
run --in "$folder/t.jsonl" --out "$folder/jsonl.npy" --no-cache >/dev/null
cmp "$folder/e.npy" "$folder/jsonl.npy"
run --prompt-name query --out "$folder/a.npy" --no-cache >/dev/null
run --prompt 'query : ' --out "$folder/b.npy" --no-cache >/dev/null
cmp "$folder/a.npy" "$folder/b.npy"
cmp -s "$folder/e.npy" "$folder/a.npy" && fail "a prompt changes nothing"

common=(encode --model "$model" --in "$folder/t.txt" --device cpu)
expect 2 'prompt named "bogus"' "${common[@]}" --out "$folder/x.npy" --prompt-name bogus
expect 2 'expected one of them' "${common[@]}" --out "$folder/x.npy" --prompt-name query --prompt x
expect 2 'is no folder' encode --model "$folder/none" --in "$folder/t.txt" --out "$folder/x.npy" --device cpu
expect 2 '--max-length is 33' "${common[@]}" --out "$folder/x.npy" --max-length 33
expect 3 'text 3 has 8 tokens' "${common[@]}" --out "$folder/x.npy" --max-length 5 --no-truncation
expect 1 'none' "${common[@]}" --out "$folder/none/x.npy"
[[ ! -e $folder/x.npy ]] || fail "a failed run left its result"

"$VECSMITH_BIN" model "$model" | grep -q '^vectors  *24 numbers, mean pooling, normalised$' || fail "model"
"$VECSMITH_BIN" model "$model" --json | grep -q '"architecture":"BertModel".*"max_length":20' || fail "model --json"
expect 3 'config.json' model "$folder/cache"

m3=(encode --model tests/fixtures/heads/m3 --in "$folder/t.txt" --dtype float32 --device cpu --log-level error)
"$VECSMITH_BIN" "${m3[@]}" --out "$folder/m3.npy" --json | grep -q '"heads":\["dense","sparse","multi"\]' || fail "heads"
[[ $(wc -l <"$folder/m3.sparse.jsonl") == 4 ]] || fail "a line a text: $(cat "$folder/m3.sparse.jsonl")"
[[ $(sed -n 2p "$folder/m3.sparse.jsonl") == '{}' ]] || fail "a blank text has words: $(cat "$folder/m3.sparse.jsonl")"
grep -aq "'<f4', 'fortran_order': False, 'shape': ([0-9]*, 6), " "$folder/m3.multi.npy" || fail "multi"
grep -aq "'<i8', 'fortran_order': False, 'shape': (5,), " "$folder/m3.multi.offsets.npy" || fail "offsets"
[[ $(stat -c %s "$folder/m3.multi.offsets.npy") == $((128 + 5 * 8)) ]] || fail "offsets"
"$VECSMITH_BIN" "${m3[@]}" --out "$folder/only.npy" --head sparse >/dev/null
[[ -e $folder/only.sparse.jsonl && ! -e $folder/only.npy && ! -e $folder/only.multi.npy ]] || fail "--head"
cmp "$folder/m3.sparse.jsonl" "$folder/only.sparse.jsonl"
expect 2 'sparse_linear.pt' "${common[@]}" --out "$folder/x.npy" --head sparse
