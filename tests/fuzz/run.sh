#!/usr/bin/env bash
# tests/fuzz/run.sh NAME OPTION... - runs the target with seeds from the project's small tokenizers. VECSMITH_FUZZ is the folder of
# the built targets; OPTION as libFuzzer's: -max_total_time=10, -runs=1000000. A finding is left in build/findings.
set -euo pipefail
cd "$(dirname "$0")/../.."
name=$1
shift
bin=${VECSMITH_FUZZ:-$PWD/build/asan/fuzz}/fuzz_$name
[ -x "$bin" ] || { echo "$bin is not built"; exit 77; }
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
mkdir -p "$scratch/seeds" "$scratch/found" build/findings
export FUZZ_TOKENIZERS=$PWD/tests/fixtures/tokenizer
python3 - "$name" "$scratch/seeds" <<'P'
import json, os, sys

name, out = sys.argv[1:]
home = os.environ["FUZZ_TOKENIZERS"]

def put(data):
    with open(f"{out}/{len(os.listdir(out)):03}", "wb") as f:
        f.write(data)

rows = [json.loads(line) for line in open(f"{home}/options.jsonl")]
if name == "tokenizer_json":
    for row in rows[1:]:
        if len(row["tokenizer"]) < 3000:
            put(row["tokenizer"].encode())
elif name == "sentencepiece":
    for folder, file in (("xlm-roberta", "sentencepiece.bpe.model"), ("llama", "tokenizer.model"), ("mistral", "tokenizer.model"),
                         ("gemma", "tokenizer.model")):
        data = open(f"{home}/spm-{folder}/{file}", "rb").read()
        put(bytes([len(os.listdir(out))]) + data)
        # the last fields, which hold the settings, behind a few pieces: small enough to be changed in the right place
        put(bytes([len(os.listdir(out))]) + data[:400] + data[-300:])
else:
    for i, text in enumerate(rows[0]["texts"]):
        if isinstance(text, str):
            put(bytes([i * 7 % 256, i % 3 * 77]) + text.encode("utf-8", "replace"))
P
echo "$name: $(ls "$scratch/seeds" | wc -l) seeds"
# Quiet but for the end: libFuzzer tells of everything that it learns.
status=0
"$bin" "$@" -max_len=4096 -rss_limit_mb=3000 -timeout=20 -print_final_stats=1 -artifact_prefix=build/findings/ \
	-dict=tests/fuzz/"$name".dict "$scratch/found" "$scratch/seeds" >"$scratch/log" 2>&1 || status=$?
if [ $status != 0 ]; then
	grep -v '^#' "$scratch/log" | tail -n 60
	exit 1
fi
grep -E '^Done|number_of_executed|average_exec' "$scratch/log"
