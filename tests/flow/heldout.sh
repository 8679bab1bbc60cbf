# What assets/heldout.py keeps aside is never trained on, is the same every time, and leaves the other lines as they were.
set -euo pipefail
python3 - <<'P'
import json, os, subprocess, sys, tempfile

def run(source, out, *more):
    return subprocess.run([sys.executable, "assets/heldout.py", source, out, *more], capture_output=True, text=True)

def read(path):
    with open(path, "rb") as f:
        return f.read()

def fold(text):
    return " ".join(text.split()).casefold()

def pairs(rows):
    return {(fold(r["query"]), fold(p)) for r in rows for p in ([r["pos"]] if isinstance(r["pos"], str) else r["pos"])}

def texts(rows):
    return {text for pair in pairs(rows) for text in pair}

scratch = tempfile.mkdtemp()
rows = []
for i in range(200):
    rows.append({"query": f"질문 {i}", "pos": [f"답 {i // 2}", f"answer {i}"], "neg": [f"other {i}"], "extra": i})
rows.append({"query": "  질문   7 ", "pos": "a string", "neg": []})       # the same query but for blanks
lines = [json.dumps(r, ensure_ascii=False).encode() + b"\n" for r in rows]
lines[50:50] = [b'{"query": "cut off\n', b"\n", b'{"query": 3, "pos": ["x"]}\r\n']
lines[-1] = lines[-1].rstrip(b"\n")
source = os.path.join(scratch, "rows.jsonl")
with open(source, "wb") as f:
    f.writelines(lines)

for out in ("a", "b"):
    done = run(source, os.path.join(scratch, out))
    assert done.returncode == 0, done.stderr
for name in ("train.jsonl", "heldout/corpus.jsonl", "heldout/queries.jsonl", "heldout/qrels/test.tsv"):
    assert read(f"{scratch}/a/{name}") == read(f"{scratch}/b/{name}"), name

kept = read(f"{scratch}/a/train.jsonl").splitlines(keepends=True)
rest = iter(lines)
assert all(line in rest for line in kept), "train.jsonl is not a subsequence of the rows' lines"
assert all(line in kept for line in lines[50:53]), "a line that is no row was dropped"

train = [json.loads(line) for line in kept if line not in lines[50:53]]
held = [r for r in rows if r not in train]
assert 10 <= len(held) <= 25, len(held)
assert not texts(train) & texts(held), "a held-out query or positive is trained on"

corpus = {json.loads(l)["_id"]: json.loads(l)["text"] for l in open(f"{scratch}/a/heldout/corpus.jsonl", encoding="utf-8")}
queries = {json.loads(l)["_id"]: json.loads(l)["text"] for l in open(f"{scratch}/a/heldout/queries.jsonl", encoding="utf-8")}
assert len(corpus) == 100 + 200 + 200 + 1, len(corpus)
qrels = {tuple(l.split("\t")[:2]) for l in open(f"{scratch}/a/heldout/qrels/test.tsv").read().splitlines()[1:]}
assert {(fold(queries[q]), fold(corpus[p])) for q, p in qrels} == pairs(held)

with open(source, "wb") as f:
    f.writelines(lines[:8])
done = run(source, os.path.join(scratch, "c"))
assert done.returncode == 1 and "too few" in done.stderr, done
P
