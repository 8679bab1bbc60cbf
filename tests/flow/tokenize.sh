# `tokenize` from the front door: one line of ids a text, in order, equal to the Hugging Face library's.
set -euo pipefail
python3 - <<'P'
import json, os, subprocess, tempfile

program = os.environ["VECSMITH_BIN"]
models = "tests/fixtures/tokenizer"
scratch = tempfile.mkdtemp()

def run(*words, status=0):
    done = subprocess.run([program, "tokenize", *words], capture_output=True, text=True)
    assert done.returncode == status, (done.args, done.returncode, done.stdout, done.stderr)
    return done

def ids(text):
    return [json.loads(line)["ids"] for line in text.splitlines()]

def write(name, text):
    path = os.path.join(scratch, name)
    with open(path, "w", newline="") as f:
        f.write(text)
    return path

for name in ("unigram", "vocab-txt"):
    model = f"{models}/{name}"
    gold = [json.loads(line) for line in open(f"{model}/gold.jsonl")]
    whole = [g for g in gold if "pair" not in g and "max_length" not in g]
    source = write("whole.jsonl", "".join(json.dumps({"text": g["text"]}) + "\n" for g in whole))
    want = [g["ids"] for g in whole]
    out = os.path.join(scratch, "ids.jsonl")
    done = run("--model", model, "--in", source, "--out", out, "--json")
    assert ids(open(out).read()) == want, name
    report = json.loads(done.stdout)
    assert (report["texts"], report["tokens"], report["cut"]) == (len(want), sum(map(len, want)), 0), report
    cut = [g for g in gold if g.get("max_length") == 6 and "pair" not in g]
    source = write("cut.jsonl", "".join(json.dumps({"text": g["text"]}) + "\n" for g in cut))
    assert ids(run("--model", model, "--in", source, "--max-length", "6").stdout) == [g["ids"] for g in cut], name

# many texts, several threads: the order is the input's
lines = [f"ferry {i} ticket" for i in range(3000)]
source = write("many.txt", "\n".join(lines) + "\n")
one = run("--model", f"{models}/wordpiece", "--in", source, "--threads", "1").stdout
assert run("--model", f"{models}/wordpiece", "--in", source, "--threads", "3").stdout == one
assert len(one.splitlines()) == len(lines)

# blank lines of plain text are texts too; a prompt stands in front of each
source = write("plain.txt", "the ferry\n\nferry")
plain = ids(run("--model", f"{models}/wordpiece", "--in", source).stdout)
assert len(plain) == 3 and len(plain[1]) == 2, plain
prompted = ids(run("--model", f"{models}/wordpiece", "--in", source, "--prompt", "the ").stdout)
assert prompted[2] == plain[0] and len(prompted[1]) == 3, prompted
bare = ids(run("--model", f"{models}/wordpiece", "--in", source, "--no-special").stdout)
assert bare == [p[1:-1] for p in plain], bare

# one sentence each
for words, status, said in (
        (["--model", f"{models}/wordpiece", "--in", source, "--prompt-name", "query"], 2, "no prompt named \"query\""),
        (["--model", scratch, "--in", source], 3, "neither a tokenizer.json nor a vocab.txt"),
        (["--model", f"{models}/wordpiece", "--in", scratch + "/absent"], 1, "absent"),
        (["--model", f"{models}/wordpiece"], 2, "--in")):
    done = run(*words, status=status)
    assert said in done.stderr and len(done.stderr.strip().splitlines()) == 1, done.stderr
P
