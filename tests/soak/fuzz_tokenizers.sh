# A million runs of each fuzz target without a finding.
set -euo pipefail
for target in tokenizer_json sentencepiece encoder; do
	bash tests/fuzz/run.sh "$target" -runs=1000000
done
