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

# places and spellings; an offset counts code points, of the prompt and the text
source = write("places.txt", "the 배는\n")
line = json.loads(run("--model", f"{models}/wordpiece", "--in", source, "--offsets", "--tokens").stdout)
assert line["tokens"][:2] == ["[CLS]", "the"] and line["tokens"][-1] == "[SEP]", line
assert line["offsets"][:2] == [[0, 0], [0, 3]] and line["offsets"][2][0] == 4 and line["offsets"][-2][1] == 6, line
prompted = json.loads(run("--model", f"{models}/wordpiece", "--in", source, "--offsets", "--prompt", "배 ").stdout)
assert prompted["offsets"][-2][1] == 8, prompted

# pairs: types, whose text gives way, and the two texts' own places
first, second = write("first.txt", "the ferry\nferry\n"), write("second.txt", "harbour at seven\n\n")
pair = ["--model", f"{models}/wordpiece", "--in", first, "--pair", second]
whole = [json.loads(x) for x in run(*pair, "--offsets").stdout.splitlines()]
assert [len(w["ids"]) for w in whole][1] == 4 and set(whole[0]["types"]) == {0, 1}, whole
begin = whole[0]["types"].index(1)
assert whole[0]["offsets"][begin][0] == 0 and whole[0]["offsets"][1][0] == 0, whole[0]
cut = json.loads(run(*pair, "--max-length", "7", "--truncation", "only_second").stdout.splitlines()[0])
assert cut["ids"][:begin] == whole[0]["ids"][:begin] and len(cut["ids"]) == 7, (cut, whole[0])
left = json.loads(run(*pair, "--max-length", "6", "--truncation", "only_first", "--truncation-side", "left").stdout.splitlines()[0])
assert left["ids"][:2] != whole[0]["ids"][:2] or len(left["ids"]) == len(whole[0]["ids"]), left

# parts of a long text share what they are told to
source = write("long.txt", "the ferry leaves the harbour at seven and returns before the lighthouse is lit\n")
parts = json.loads(run("--model", f"{models}/wordpiece", "--in", source, "--max-length", "8", "--stride", "2").stdout)["parts"]
assert len(parts) > 2 and all(len(p["ids"]) <= 8 for p in parts), parts
for a, b in zip(parts, parts[1:]):
    assert a["ids"][-3:-1] == b["ids"][1:3], parts

# a bench counts what is encoded; two tokenizers side by side
bench = json.loads(run("--model", f"{models}/wordpiece", "--in", source, "--bench", "--json", "--threads", "2").stdout)
assert bench["tokens"] == len(ids(run("--model", f"{models}/wordpiece", "--in", source).stdout)[0]), bench
assert bench["threads"] == 2 and bench["all_threads"]["speedup"] > 0, bench
two = write("two.txt", "the ferry 배는\n\n\U0001F600 ferry\n")
there = json.loads(run("--model", f"{models}/wordpiece", "--in", two, "--compare", f"{models}/unigram", "--json").stdout)
assert there["texts"] == 3 and there["model"]["kind"] == "WordPiece" and there["other"]["kind"] == "Unigram", there
assert there["model"]["unknown"] == 1 and there["model"]["tokens_per_korean_character"] > 0, there
same = json.loads(run("--model", f"{models}/wordpiece", "--in", two, "--compare", f"{models}/wordpiece", "--json").stdout)
assert same["cut_alike"] == 3 and same["widest"] == [], same
table = run("--model", f"{models}/wordpiece", "--in", two, "--compare", f"{models}/unigram").stdout
assert "tokens a Korean character" in table and "of 3 texts are cut at the same places" in table, table

# one sentence each
for words, status, said in (
        (["--model", f"{models}/wordpiece", "--in", source, "--prompt-name", "query"], 2, "no prompt named \"query\""),
        (["--model", scratch, "--in", source], 3, "neither a tokenizer.json nor a vocab.txt"),
        (["--model", f"{models}/wordpiece", "--in", scratch + "/absent"], 1, "absent"),
        (["--model", f"{models}/wordpiece", "--in", first, "--pair", two], 3, "has 3 texts and --in has 2"),
        (["--model", f"{models}/wordpiece", "--in", first, "--stride", "2"], 2, "give that too"),
        (["--model", f"{models}/wordpiece", "--in", first, "--stride", "6", "--max-length", "8"], 2, "only 6 tokens are for the text"),
        (["--model", f"{models}/wordpiece", "--in", first, "--truncation", "middle"], 2, "longest_first"),
        (["--model", f"{models}/wordpiece"], 2, "--in")):
    done = run(*words, status=status)
    assert said in done.stderr and len(done.stderr.strip().splitlines()) == 1, done.stderr
P
