#!/bin/bash
# score.sh VENV [options of bench.py]: a reranker over 100 candidates a query, beside sentence-transformers at equal precision: interleaved, the
# median of 7 ratios. VENV: a Python environment with tests/bench/requirements.txt. Needs a release build.
set -e
cd "$(dirname "$0")/../.."
venv=${1:?which Python environment holds sentence-transformers?}
shift
exec python3 tests/bench/bench.py score --venv "$venv" --pairs 7 --n 4 "$@"
