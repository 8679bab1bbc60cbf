#!/usr/bin/env bash
# What is written loads in sentence-transformers, transformers and peft with the same numbers. Needs a Python with
# them: VECSMITH_PEERS names it. Skipped without.
set -euo pipefail
python=${VECSMITH_PEERS:-}
if [[ -z $python ]] || ! "$python" -c 'import sentence_transformers, peft' 2>/dev/null; then
	echo "skipped: VECSMITH_PEERS names no Python with sentence-transformers and peft"
	exit 77
fi
test=$(dirname "$VECSMITH_BIN")/tests/test_model_export
[[ -x $test ]] || exit 77
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
VECSMITH_KEEP=$folder "$test"
HF_HUB_OFFLINE=1 CUDA_VISIBLE_DEVICES='' "$python" tests/parity/exported.py "$folder"
