# A few steps of a real model on real rows: the loss falls, the vectors stay vectors.
set -euo pipefail
rows=../shared/data/ko-retrieval/train.jsonl model=build/models/minilm-en
[ -e $rows ] && [ -e $model/model.safetensors ] || exit 77
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
head -n 12 $rows >"$scratch/rows.jsonl"
"$VECSMITH_BIN" train --model $model --data "$scratch/rows.jsonl" --out "$scratch/run" --threads 1 --batch-size 4 --group-size 2 \
	--epochs 3 --max-length 48 --lr 1e-4 --temperature 0.05 --json >"$scratch/result.json"
python3 - "$scratch" <<'P'
import json, sys
steps = [json.loads(line) for line in open(sys.argv[1] + "/run/metrics.jsonl")]
assert len(steps) == 9 and all(0 < s["grad_norm"] < 1e4 for s in steps), steps
first, last = (sum(s["loss"] for s in part) for part in (steps[:3], steps[-3:]))
assert last < 0.8 * first, (first, last)
P
echo "the cat sat on a mat" >"$scratch/texts.txt"
"$VECSMITH_BIN" encode --model "$scratch/run/model" --in "$scratch/texts.txt" --out "$scratch/v.npy" --threads 1 --no-cache
[ "$(stat -c %s "$scratch/v.npy")" = $((128 + 4 * 384)) ]
