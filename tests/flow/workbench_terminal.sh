#!/usr/bin/env bash
# tests/flow/workbench_terminal.sh - the workbench in a real terminal (tmux): it starts, is resized while one types, stops and comes back,
# gives the terminal back however it ends, loses no decision that was shown, and lets no foreign escape sequence through.
set -euo pipefail
cd "$(dirname "$0")/../.."
. tests/terminal.bash
cp tests/fixtures/rows_screens.jsonl "$scratch/rows.jsonl"
cp -r tests/fixtures/model-base "$scratch/bad-model"
cp -r tests/fixtures/workspace/faq "$scratch/faq"
cd "$scratch"

terminal "PS1='shell> ' exec bash --norc --noprofile"
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

# What ncurses may send is all that is sent: texts with escape sequences in them arrive as text, whoever wrote them: rows and their keys, file
# names, what a model's files say about themselves, what jobs leave behind.
python3 - <<'P'
import json, os
evil = ["\x1b[2J", "\x1b]0;title\x07", "\x1b]52;c;aGk=\x07", "\x9b31m", "\x1bP+q\x1b\\", "\x1b[?1000h", "\x1b(0", "\x1bc",
        "\x1b[6n", "\u202e\x1b]8;;http://x\x1b\\link"]
all_of_them = " ".join(evil)
with open("evil\x1b[5mname.jsonl", "w", encoding="utf-8") as f:
    for e in evil:
        f.write(json.dumps({"query": "q " + e, "prompt": e, "pos": ["p " + e], "neg": ["n " + e], "type": e, "neg_from": [e],
                            "scores": {"judge" + e: {"pos": [1], "neg": [2], "form": e, "model": e}}, "category": e,
                            "key" + e: e}) + "\n")
    f.write('{"query": "broken \x1b[41m\n')


# A model whose files speak in escape sequences: its name, its kind, its prompts, its tokens.
def change(path, **more):
    with open(path, encoding="utf-8") as f:
        what = json.load(f)
    what.update(more)
    with open(path, "w", encoding="utf-8") as f:
        json.dump(what, f)


change("bad-model/config.json", _name_or_path=all_of_them, model_type="bert" + all_of_them, architectures=["A" + all_of_them])
change("bad-model/config_sentence_transformers.json", prompts={"query" + all_of_them: all_of_them, "query": all_of_them},
       default_prompt_name="query" + all_of_them)
change("bad-model/tokenizer_config.json", model_max_length=all_of_them, unk_token=all_of_them)


# What jobs leave: a command line, an error, a log, evaluations of a set and of queries with such names.
def job(name, command, status, error, out=""):
    os.makedirs(f".vecsmith/runs/{name}")
    for file, what in (("job.json", {"format": 1, "command": command, "started_ms": 1790000000000, "run": "run-" + name, "out": ""}),
                       ("result.json", {"format": 1, "status": status, "error": error, "seconds": 1})):
        with open(f".vecsmith/runs/{name}/{file}", "w", encoding="utf-8") as f:
            json.dump(what, f)
    with open(f".vecsmith/runs/{name}/log.txt", "w", encoding="utf-8") as f:
        f.write("\n".join("log " + e for e in evil) + "\n")
    with open(f".vecsmith/runs/{name}/out.txt", "w", encoding="utf-8") as f:
        f.write(out)


found = {"format": 1, "model": "m" + all_of_them, "data": "faq", "set": "s" + all_of_them, "metrics": {"ndcg@10": 0.5},
         "per_query": {"q" + e: {"ndcg@10": 0.5} for e in evil}}
job("eval-1", ["eval", "--model", "m" + all_of_them], 0, "", json.dumps(found))
job("eval-2", ["eval", "--model", "m" + all_of_them], 0, "", json.dumps(found))
job("train-1", ["train", "--model", all_of_them, "--out", all_of_them], 1, "error " + all_of_them)
os.makedirs("run-train-1")
with open("run-train-1/metrics.jsonl", "w", encoding="utf-8") as f:
    f.write(json.dumps({"step": 1, "eval": {"x" + all_of_them: 0.5}, all_of_them: 1}) + "\n")
P
tm respawn-pane -k "exec env -i PATH=$PATH TERM=tmux-256color HOME=$scratch LC_ALL=C.UTF-8 ASAN_OPTIONS=$ASAN_OPTIONS $bin evil*.jsonl"
tm pipe-pane "cat >$scratch/stream"
see 'row 1 of 11'
keys j j Enter
see 'Record'
keys j j j j G
see 'the line as it stands'
keys g n
see 'Negatives'
keys g c
see 'candidate 1'
keys ':open evil' Tab Enter
see 'Data'
keys G
see 'row 11 of 11'
keys g j
see 'eval-2'
keys G
see 'log of '
keys ':attach train-1' Enter
see 'train-1  FAILED'
keys Tab
see 'new run'
keys g e
see 'eval-2'
keys Enter j
keys ':evaluate --model bad-model --data faq --split test' Enter
see 'eval-3: FAILED'
keys g j
see 'log of eval-3'
keys ':messages' Enter
see 'model_type'
keys q g t ':set model bad-model' Enter
see 'bad-model'
keys g m
see 'bad-model'
keys i 'a text ^' Enter
sleep 1
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
# sixteen colours over the terminal's own
colours = re.findall(r"\x1b\[([0-9;]*)m", data)
assert any(re.fullmatch("3[1-7]", n) for c in colours for n in c.split(";")) and not any(n in ("38", "48") for c in colours for n in c.split(";"))
for forbidden in ("\x1b[?1000h", "\x1b[6n", "\x1b]", "\x1bP", "\x1bc"):
    assert forbidden not in data, repr(forbidden)
P

# No colour where none is wanted.
tm respawn-pane -k "exec env -i PATH=$PATH NO_COLOR=1 TERM=tmux-256color HOME=$scratch LC_ALL=C.UTF-8 ASAN_OPTIONS=$ASAN_OPTIONS $bin rows.jsonl"
tm pipe-pane "cat >$scratch/stream"
see ' Data  rows.jsonl'
keys g n g c g j
see 'Jobs'
sleep 0.5
! grep -qP '\x1b\[([0-9]+;)*[34][0-7](;[0-9]+)*m' stream || die "NO_COLOR, and there was colour"
echo "the workbench and the terminal understand each other"
