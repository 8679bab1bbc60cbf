# A million `A`, `^`, spaces and marks, and one word of 10 MB, for every tokenizer at hand: four times the length takes four times the
# time (less than eight are let pass), and half a megabyte of stack is enough.
set -euo pipefail
ulimit -s 512
python3 - <<'P'
import glob, json, os, subprocess, tempfile

program = os.environ["VECSMITH_BIN"]
scratch = tempfile.mkdtemp()
models = [os.path.dirname(p) for pattern in ("tests/fixtures/tokenizer/*", "build/models/*", "build/models/extra/*")
          for p in glob.glob(pattern + "/tokenizer.json") + glob.glob(pattern + "/*.model") + glob.glob(pattern + "/vocab.txt")]
options = os.path.join(scratch, "option")
os.mkdir(options)

def seconds(model, text):
    path = os.path.join(scratch, "text.jsonl")
    with open(path, "w") as f:
        f.write(json.dumps({"text": text}) + "\n")
    done = subprocess.run([program, "tokenize", "--model", model, "--in", path, "--bench", "--json", "--threads", "1"], capture_output=True, text=True)
    assert done.returncode == 0, (model, done.stderr)
    return json.loads(done.stdout)["cpu_s"]

def check(model, name):
    for unit, n in (("A", 1000000), ("^", 1000000), (" ", 1000000), ("\u0301", 1000000), ("\u1112\u1161\u11ab", 333333), ("가", 1000000),
                    ("wordpiece", 1111111)):
        one, four = seconds(model, unit * (n // 4)), seconds(model, unit * n)
        assert four < 8 * one + 0.2, (name, unit, one, four)
    print(name, flush=True)

for model in sorted(set(models)):
    check(model, model)
for line in open("tests/fixtures/tokenizer/options.jsonl"):
    row = json.loads(line)
    if "tokenizer" in row:
        with open(os.path.join(options, "tokenizer.json"), "w") as f:
            f.write(row["tokenizer"])
        check(options, row["name"])
P
