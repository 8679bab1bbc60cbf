# tests/terminal.bash - sourced by the tests that use the workbench in a real terminal (tmux), from the repository's root. Sets bin, scratch (a
# folder that goes away, and HOME), and leaves with 77 where tmux is missing.
command -v tmux >/dev/null || exit 77
bin=${VECSMITH_BIN:-$PWD/build/asan/vecsmith}
scratch=$(mktemp -d)
socket=vecsmith-test-$$
unset VECSMITH_WORKSPACE VECSMITH_MODEL VECSMITH_JOB TMUX
export HOME=$scratch LC_ALL=C.UTF-8 ASAN_OPTIONS=handle_segv=0:detect_leaks=0

tm() { tmux -L "$socket" "$@"; }
# What was started in the scratch folder and still runs when a test ends must not outlive it.
leave() {
	local jobs pid
	tm kill-server 2>/dev/null || true
	jobs=$(sed -n 's/.*"state":"running","pid":\([0-9]*\).*/\1/p' "$scratch"/.vecsmith/runs/*/heartbeat 2>/dev/null || true)
	for pid in $jobs; do
		[ "$pid" = $$ ] || ! grep -qz "^VECSMITH_JOB=$scratch" "/proc/$pid/environ" 2>/dev/null || kill "$pid" 2>/dev/null || true
	done
	sleep 0.5
	rm -rf "$scratch"
}
trap leave EXIT

die() {
	echo "$*"
	tm capture-pane -p || true
	exit 1
}

# terminal COMMAND: a screen of 80x24 in which it runs.
terminal() {
	tm -f /dev/null new-session -d -x 80 -y 24 "$1"
	tm set -g status off
}

keys() { tm send-keys -- "$@"; }
shown() { tm capture-pane -p | grep -qF -- "$1"; }

# see TEXT [SECONDS]: waits until the screen holds it, at most 60 seconds unless told.
see() {
	local until=$((SECONDS + ${2:-60}))
	while [ $SECONDS -lt $until ]; do
		! shown "$1" || return 0
		sleep 0.1
	done
	die "the screen never showed: $1"
}

# The workbench that runs in the terminal's shell; nothing when there is none.
workbench() { pgrep -P "$(tm display-message -p '#{pane_pid}')" -f "^$bin" | head -n 1; }
