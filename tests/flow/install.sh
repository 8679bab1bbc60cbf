# What `cmake --install` puts elsewhere runs there: the front door finds the engine, the engine finds torch.
set -euo pipefail
build=$(dirname "$VECSMITH_BIN")
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
cmake --install "$build" --prefix "$scratch/vs" >/dev/null
cd /
"$scratch/vs/bin/vecsmith" --version | grep -q '^vecsmith [0-9]'
"$scratch/vs/bin/vecsmith" doctor | grep -q '^torch  *[0-9]'
[ -e "$scratch/vs/share/vecsmith/licenses/README.md" ]
[ -e "$scratch/vs/share/doc/vecsmith/LICENSE" ]
# The engine that ran was the installed one.
[ -x "$scratch/vs/libexec/vecsmith/vecsmith-job" ]
rm "$scratch/vs/libexec/vecsmith/vecsmith-job"
if "$scratch/vs/bin/vecsmith" doctor >/dev/null 2>"$scratch/error"; then
	echo "vecsmith ran an engine from elsewhere" >&2
	exit 1
fi
grep -q vecsmith-job "$scratch/error"
