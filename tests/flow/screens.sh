#!/usr/bin/env bash
# tests/flow/screens.sh [--update] - every screen as text, at two sizes, in UTF-8 and in ASCII, against tests/screens/*.txt.
# --update writes them anew: look at the difference before committing it.
set -euo pipefail
cd "$(dirname "$0")/../.."
bin=${VECSMITH_BIN:-$PWD/build/asan/vecsmith}
rows=$PWD/tests/fixtures/rows_screens.jsonl
golden=$PWD/tests/screens
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
unset VECSMITH_WORKSPACE VECSMITH_MODEL VECSMITH_JOB
export HOME=$scratch USER=tester TZ=UTC
failed=0

# draw SCRIPT SIZE LOCALE: the screens of a script, in a workspace of its own: a new one, or one with a past where the script's
# first line says so.
draw() {
	local dir=$scratch/work
	rm -rf "$dir"
	mkdir -p "$dir"
	cp "$rows" "$dir/rows.jsonl"
	! head -n 1 "$1" | grep -q '^# workspace' || bash tests/screens/workspace.sh "$dir" $$
	if head -n 1 "$1" | grep -q '^# models'; then
		mkdir "$dir/models"
		cp -r tests/fixtures/model-base tests/fixtures/tokenizer/unigram tests/fixtures/tokenizer/spm-llama "$dir/models"
		mkdir "$dir/models/broken"
		echo '{"model_type": ' >"$dir/models/broken/config.json"
	fi
	(cd "$dir" && LC_ALL=$3 "$bin" --script "$1" --size "$2" rows.jsonl)
}

for script in "$golden"/*.script; do
	name=$(basename "${script%.script}")
	for size in 80x24 120x36; do
		for locale in C.UTF-8 C; do
			file=$golden/$name.$size.$locale.txt
			draw "$script" "$size" "$locale" >"$scratch/now.txt"
			if [ "${1:-}" = --update ]; then
				cp "$scratch/now.txt" "$file"
			elif ! diff -u "$file" "$scratch/now.txt"; then
				failed=1
			fi
			if [ "$locale" = C ] && LC_ALL=C grep -q '[^ -~]' "$scratch/now.txt"; then
				echo "$name $size: something but ASCII reached an ASCII terminal"
				failed=1
			fi
		done
	done
	# one pane at a time at 60x16: drawn, header and footer there
	draw "$script" 60x16 C.UTF-8 >"$scratch/small.txt"
	grep -qE 'rows\.jsonl|train-1|faq eval|Models ' "$scratch/small.txt" && grep -q '? help' "$scratch/small.txt" || {
		echo "$name 60x16: no header or no footer"
		failed=1
	}
done
[ $failed = 0 ] || echo "if these are meant: tests/flow/screens.sh --update"
exit $failed
