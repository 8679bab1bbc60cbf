# `inspect` from the front door: what scripts rely on, and one line each for rows on which others stop.
set -euo pipefail
python3 - <<'P'
import json, os, subprocess, tempfile

program = os.environ["VECSMITH_BIN"]
faults = "tests/fixtures/rows_faults.jsonl"
scratch = tempfile.mkdtemp()

def run(*words):
    env = dict(os.environ, XDG_CACHE_HOME=os.path.join(scratch, "cache"))
    return subprocess.run([program, "inspect", *words], capture_output=True, text=True, env=env)

def expect(done, status):
    assert done.returncode == status, (done.args, done.returncode, done.stdout, done.stderr)
    return done

def lines_with(text, *words):
    return [line for line in text.splitlines() if all(w in line for w in words)]

# for people: each fault costs one line, which names the place
done = expect(run(faults), 0)
for place, word in ((2, "pos is a string"), (3, "no negatives"), (5, "no positive"), (6, "not JSON"),
                    (7, "do not match"), (8, "normal form"), (9, "a positive among the negatives"),
                    (10, "equal to an earlier row"), (11, "query is a list")):
    found = lines_with(done.stdout, word)
    assert len(found) == 1 and f"{faults}:{place}" in found[0], (word, found)
assert f"{faults}:6:68: not JSON" in done.stdout, done.stdout
assert f"{faults}:11:10: query is a list, expected a string" in done.stdout, done.stdout
assert "10 rows, 7 distinct queries, 2 broken" in done.stdout, done.stdout

# for scripts, and --strict: the report all the same, then status 3 with a sentence
done = expect(run(faults, "--strict", "--json"), 3)
report = json.loads(done.stdout)
assert lines_with(done.stderr, "2 of 10 rows are broken", f"{faults}:6:68"), done.stderr
assert (report["rows"], report["queries"], report["broken"]) == (10, 7, 2), report
assert report["files"][0]["path"] == faults and report["files"][0]["broken"] == 2
findings = {f["kind"]: f for f in report["findings"]}
assert findings["broken"]["examples"] == [f"{faults}:6", f"{faults}:11"], findings["broken"]
assert findings["pos_string"]["examples"] == [f"{faults}:2"]
assert findings["duplicate_row"]["equals"] == [f"{faults}:1"]
assert sorted(findings) == ["broken", "duplicate_row", "empty_neg", "empty_pos", "misaligned_scores", "not_nfc",
                            "pos_string", "positive_in_negatives"], sorted(findings)
assert len(report["broken_rows"]) == 2 and report["broken_rows"][0].startswith(f"{faults}:6:68: ")
assert {f["name"]: f["rows"] for f in report["fields"]}["source"] == 1

# rows found, not read
report = json.loads(expect(run(faults, "--index-only", "--json"), 0).stdout)
assert report["rows"] == 10 and report["broken"] is None and report["findings"] == []

# leaks between a file and a BEIR folder, and its split
leaky = os.path.join(scratch, "leaky.jsonl")
with open(leaky, "w") as f:
    f.write('{"query":"first query","pos":["p"],"neg":["n"]}\n')
report = json.loads(expect(run(leaky, "tests/fixtures/rows_beir", "--split", "test", "--json"), 0).stdout)
leaks = [f for f in report["findings"] if f["kind"] == "leaked_query"]
assert leaks[0]["file"] == leaky and leaks[0]["other_file"] == "tests/fixtures/rows_beir", leaks
assert leaks[0]["equals"] == ["tests/fixtures/rows_beir/qrels/test.tsv:1"], leaks

# what cannot be opened
assert "absent.jsonl" in expect(run("absent.jsonl"), 1).stderr
assert "it has test, train" in expect(run("tests/fixtures/rows_beir", "--split", "dev"), 2).stderr
expect(run(), 2)

# a text from a file never steers the terminal
hostile = os.path.join(scratch, "hostile.jsonl")
with open(hostile, "w") as f:
    f.write('{"query":"q","\\u001b]0;title\\u0007":1,"pos":["p"],"neg":["n"],"\x9b2J":2}\n')
done = expect(run(hostile, "--strict"), 0)
assert "\x1b" not in done.stdout and "\x9b" not in done.stdout and "no findings" in done.stdout, done.stdout
P
