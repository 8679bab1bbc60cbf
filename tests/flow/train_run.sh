# The command `train` on small rows: what it refuses, what it writes, what others read of it.
set -euo pipefail
python3 - <<'P'
import json, math, os, struct, subprocess, sys, tempfile

BIN, MODEL, ROWS = os.environ["VECSMITH_BIN"], "tests/fixtures/model-base", "tests/fixtures/train_rows.jsonl"
scratch = tempfile.TemporaryDirectory()
at = lambda name: os.path.join(scratch.name, name)


def run(*words, status=0):
    done = subprocess.run([BIN, *words, "--threads", "1", "--no-cache"], capture_output=True, text=True)
    assert done.returncode == status, (words, done.returncode, done.stderr)
    return done


def train(out, *more, rows=ROWS, model=MODEL, status=0):
    return run("train", "--model", model, "--data", rows, "--out", at(out), "--dtype", "float32", *more, status=status)


def lines(path):
    with open(at(path), encoding="utf-8") as f:
        return [json.loads(line) for line in f]


def tensors(path):
    """name -> (shape, list of floats) of an F32 safetensors file."""
    with open(at(path), "rb") as f:
        data = f.read()
    n = struct.unpack("<Q", data[:8])[0]
    head, body = json.loads(data[8:8 + n]), data[8 + n:]
    return {k: (v["shape"], struct.unpack("<%df" % math.prod(v["shape"]), body[slice(*v["data_offsets"])]))
            for k, v in head.items() if k != "__metadata__"}


# Bad rows cost a line each, before a model is looked at; what they leave is trained on.
with open(at("messy.jsonl"), "w", encoding="utf-8") as f:
    f.write('{"query":"the cat","pos":"a mat","neg":["the mat"]}\n{"query":"a cat","pos":["sat"],"neg":[]}\n'
            '{"query":"a mat","pos":[],"neg":["the mat"]}\n{"query":"the cat","pos":["a mat"\n')
done = train("nowhere", rows=at("messy.jsonl"), model=at("no-model"), status=2)
for line in (1, 2, 3, 4):
    assert done.stderr.count(f"messy.jsonl:{line}:") == 1, done.stderr
assert done.stderr.index("messy.jsonl:4") < done.stderr.index("no-model"), done.stderr
assert len(done.stderr.splitlines()) == 5, done.stderr
assert "messy.jsonl:4:" in train("nowhere", "--strict", rows=at("messy.jsonl"), status=3).stderr

# What makes no sense is refused as wrong usage.
for words in (["--batch-size", "6", "--accumulate", "4"], ["--mrl-dims", "8,99"], ["--temperature", "0"],
              ["--group-size", "1", "--no-in-batch-negatives"], ["--eval-steps", "3"], ["--epochs", "0"],
              ["--mrl-dims", "8,4", "--mrl-weights", "1"], ["--lora", "--lora-targets", "nothing"]):
    train("nowhere", *words, status=2)
assert not os.path.exists(at("nowhere/model"))

# A run: its files, and a loss that falls.
BEIR = at("beir")
os.makedirs(at("beir/qrels"))
rows = [json.loads(line) for line in open(ROWS, encoding="utf-8")]
with open(at("beir/corpus.jsonl"), "w") as c, open(at("beir/queries.jsonl"), "w") as q, open(at("beir/qrels/dev.tsv"), "w") as r:
    r.write("query-id\tcorpus-id\tscore\n")
    for i, row in enumerate(rows):
        c.write(json.dumps({"_id": f"d{i}", "text": row["pos"][0]}) + "\n")
        q.write(json.dumps({"_id": f"q{i}", "text": row["query"]}) + "\n")
        r.write(f"q{i}\td{i}\t1\n")
words = ["--epochs", "10", "--batch-size", "4", "--lr", "3e-3", "--dropout", "0", "--eval-data", BEIR, "--eval-steps", "12",
         "--save-steps", "10", "--temperature", "0.05"]
result = json.loads(train("run", *words, "--json").stdout)
assert result["steps"] == 30 and result["epochs"] == 10 and result["model"] == at("run/model"), result
metrics = lines("run/metrics.jsonl")
steps = [m for m in metrics if "eval" not in m]
evals = [m for m in metrics if "eval" in m]
assert [m["step"] for m in steps] == list(range(1, 31))
assert [m["step"] for m in evals] == [0, 12, 24, 30] and metrics[0] == evals[0], evals
assert os.path.getsize(at("run/eval/step-0.run")) > 0
assert steps[0]["lr"] == 0 and max(m["lr"] for m in steps) == 3e-3
assert steps[-1]["loss"] < 0.5 * steps[0]["loss"], (steps[0]["loss"], steps[-1]["loss"])
assert evals[-1]["eval"]["ndcg@10"] == result["metrics"]["ndcg@10"] > 0.8, evals
assert sum(m["queries"] for m in steps) == 120
assert sorted(os.listdir(at("run/checkpoints"))) == ["step-10", "step-20"]
for name in ("log.txt", "heartbeat", "manifest.json", "eval/step-30.json", "model/modules.json", "model/1_Pooling/config.json"):
    assert os.path.getsize(at("run/" + name)) > 0, name
assert any(n.startswith("events.out.tfevents.") for n in os.listdir(at("run")))
manifest = json.load(open(at("run/manifest.json")))
assert manifest["command"] == "train" and manifest["options"]["batch-size"] == 4 and manifest["steps"] == 30, manifest
assert manifest["data"]["files"][0]["hash"] and manifest["model"]["hash"] and manifest["data"]["used"] == 12
assert manifest["dtype"] == "float32" and manifest["threads"] == 1

# A second run of the same words is refused, --resume finds it complete; the same words elsewhere give the same bytes.
assert "--resume" in train("run", *words, status=2).stderr
assert json.loads(train("run", *words, "--resume", "--json").stdout)["model"] == at("run/model")
train("again", *words)
assert open(at("run/model/model.safetensors"), "rb").read() == open(at("again/model/model.safetensors"), "rb").read()

# The trained model is a model: it encodes, and differs from its base.
with open(at("texts.txt"), "w") as f:
    f.write("the cat sat\na mat\n")
for model, out in ((MODEL, "base.npy"), (at("run/model"), "tuned.npy")):
    run("encode", "--model", model, "--in", at("texts.txt"), "--out", at(out))
assert open(at("base.npy"), "rb").read() != open(at("tuned.npy"), "rb").read()

# Gradients of the first step under Hugging Face's and PEFT's names.
train("grads", "--max-steps", "1", "--dump-gradients", at("full.safetensors"))
full = tensors("full.safetensors")
assert full["encoder.layer.0.attention.self.query.weight"][0] == [24, 24]
assert full["embeddings.word_embeddings.weight"][0] == [60, 24]
assert len(full) == 37, len(full)
train("lora", "--max-steps", "2", "--lora", "--lora-r", "4", "--lora-targets", "query,value", "--dump-gradients",
      at("lora.safetensors"))
lora = tensors("lora.safetensors")
assert lora["base_model.model.encoder.layer.1.attention.self.value.lora_B.weight"][0] == [24, 4] and len(lora) == 8
assert any(lora["base_model.model.encoder.layer.1.attention.self.value.lora_B.weight"][1])
adapter = json.load(open(at("lora/adapter/adapter_config.json")))
assert adapter["r"] == 4 and sorted(t.split(".")[-1] for t in adapter["target_modules"]) == ["query", "value"], adapter
assert os.path.getsize(at("lora/adapter/adapter_model.safetensors")) > 0

# Distillation counts rows without scores.
with open(at("scored.jsonl"), "w", encoding="utf-8") as f:
    for i, row in enumerate(rows):
        if i % 3 == 0:
            row.pop("neg_scores")
        f.write(json.dumps(row) + "\n")
result = json.loads(train("kd", "--loss", "kl_div", "--batch-size", "6", "--json", rows=at("scored.jsonl")).stdout)
assert result["unscored"] == 4, result
assert all(abs(m["infonce"] + m["kd"] - m["loss"]) < 1e-4 for m in lines("kd/metrics.jsonl"))

# What would run, without running it; a query that is its own kind of row.
plan = json.loads(train("plan", "--epochs", "2", "--batch-size", "5", "--dry-run", "--json").stdout)
assert plan["steps"] == 6 and plan["warmup_steps"] == 1 and plan["used"] == 12 and plan["memory_bytes"] > 0, plan
assert not os.path.exists(at("plan"))

# A BEIR folder trains as rows: one a judgement.
result = json.loads(train("beir-run", "--split", "dev", "--batch-size", "4", "--max-steps", "3", "--json", rows=BEIR).stdout)
assert result["rows"] == 12 and result["steps"] == 3, result

# Numbers that are none end the run with the rows they came from.
bad = train("nan", "--lr", "1e30", "--max-steps", "6", "--save-steps", "2", "--warmup-steps", "0", status=1)
assert "train_rows.jsonl:" in bad.stderr and "checkpoint" in bad.stderr and "finite" in bad.stderr or "nan" in bad.stderr, bad.stderr
assert '"state":"failed"' in open(at("nan/heartbeat")).read()
print("train: all said")
P
