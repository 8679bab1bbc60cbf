#!/usr/bin/env bash
# tests/flow/workbench_terminal.sh - the workbench in a real terminal (tmux): it starts, is resized while one types, stops and comes back,
# gives the terminal back however it ends, loses no decision that was shown, and lets no foreign escape sequence through.
set -euo pipefail
cd "$(dirname "$0")/../.."
command -v tmux >/dev/null || exit 77
bin=${VECSMITH_BIN:-$PWD/build/asan/vecsmith}
scratch=$(mktemp -d)
socket=vecsmith-test-$$
tm() { tmux -L "$socket" "$@"; }
trap 'tm kill-server 2>/dev/null || true; sleep 0.5; rm -rf "$scratch"' EXIT
cp tests/fixtures/rows_screens.jsonl "$scratch/rows.jsonl"
unset VECSMITH_WORKSPACE VECSMITH_MODEL VECSMITH_JOB TMUX
export HOME=$scratch LC_ALL=C.UTF-8 ASAN_OPTIONS=handle_segv=0:detect_leaks=0
cd "$scratch"

die() {
	echo "$*"
	tm capture-pane -p || true
	exit 1
}

# see TEXT: waits until the screen holds it, at most 30 seconds.
see() {
	for _ in $(seq 300); do
		if tm capture-pane -p | grep -qF -- "$1"; then
			return
		fi
		sleep 0.1
	done
	die "the screen never showed: $1"
}
keys() { tm send-keys -- "$@"; }
workbench() { pgrep -f "^$bin rows.jsonl" | head -n 1; }

tm -f /dev/null new-session -d -x 80 -y 24 "PS1='shell> ' bash --norc --noprofile"
tm set -g status off
see 'shell>'
keys 'stty -g >before; clear' Enter
keys "$bin rows.jsonl" Enter
see 'Data  rows.jsonl'

# Resized while one types, Korean before the cursor.
keys / 환불
see '/환불'
tm resize-window -x 100 -y 30
see '/환불'
[ "$(tm display-message -p '#{cursor_x}')" = 5 ] || die "the cursor is not behind two Korean syllables"
keys Enter
see 'row 1 of 6'

# Stopped and gone on with.
keys C-z
see 'Stopped'
keys fg Enter
see 'Data  rows.jsonl'

# A decision that was shown is there after kill -9.
keys g c
see 'candidate 1'
keys p
see ' p 1 '
kill -9 "$(workbench)"
see 'shell>'
keys 'stty sane; tput rmcup; stty -g >before; clear' Enter
keys "$bin rows.jsonl" Enter
see 'Data  rows.jsonl'
keys g c
see ' p 1 '

# The terminal's modes after an end by signal.
for signal in TERM SEGV; do
	kill -"$signal" "$(workbench)"
	for _ in $(seq 100); do
		[ -n "$(workbench)" ] || break
		sleep 0.1
	done
	keys Enter
	see 'shell>'
	# the word is parted, so that its echo on the command line is not taken for the answer
	keys "stty -g >after; clear; echo writ''ten" Enter
	see 'written'
	cmp before after || die "SIG$signal left the terminal changed"
	keys "clear; $bin rows.jsonl" Enter
	see 'Data  rows.jsonl'
done
keys Q
see 'shell>'

# What ncurses may send is all that is sent: texts with escape sequences in them arrive as text.
python3 - <<'P'
import json
evil = ["\x1b[2J", "\x1b]0;title\x07", "\x1b]52;c;aGk=\x07", "\x9b31m", "\x1bP+q\x1b\\", "\x1b[?1000h", "\x1b(0", "\x1bc",
        "\x1b[6n", "\u202e\x1b]8;;http://x\x1b\\link"]
with open("evil\x1b[5mname.jsonl", "w", encoding="utf-8") as f:
    for e in evil:
        f.write(json.dumps({"query": "q " + e, "prompt": e, "pos": ["p " + e], "neg": ["n " + e], "type": e, "neg_from": [e],
                            "key" + e: e}) + "\n")
    f.write('{"query": "broken \x1b[41m\n')
P
tm respawn-pane -k "exec env -i TERM=tmux-256color HOME=$scratch LC_ALL=C.UTF-8 ASAN_OPTIONS=$ASAN_OPTIONS $bin evil*.jsonl"
tm pipe-pane "cat >$scratch/stream"
see 'row 1 of 11'
keys j j Enter
see 'Record'
keys j j j j
keys g n
see 'Negatives'
keys g c
see 'candidate 1'
keys ':open evil' Tab Enter
see 'Data'
keys G
see 'row 11 of 11'
keys ':save-screen screen.txt' Enter
sleep 1
python3 - "$scratch/stream" <<'P'
import re, sys
data = open(sys.argv[1], "rb").read().decode("utf-8")
assert len(data) > 2000, "nothing was captured"
# cursor, erasing, attributes, scrolling, insert and delete, modes that the terminal description has; charsets of its own
allowed = re.compile(r"\x1b\[[0-9;]*[ABCDHGdJKmrLMPSTX@bZ]|\x1b\[\?(?:1|7|12|25|1049|2004)(?:;25)?[hl]|\x1b\[4[hl]|\x1b[()][B0]|\x1b[=>78M]"
                     r"|\x1b\[34h\x1b\[\?25h|\x0f|\x0e|\x07|[\b\r\n\t]")
rest = allowed.sub("", data)
bad = re.findall(r"[\x00-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069].{0,12}", rest)
assert not bad, bad[:10]
for forbidden in ("\x1b[?1000h", "\x1b[6n", "\x1b]", "\x1bP", "\x1bc"):
    assert forbidden not in data, repr(forbidden)
P
echo "the workbench and the terminal understand each other"
