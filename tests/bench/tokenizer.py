"""Speed of `tokenize` beside the Hugging Face tokenizers library: the same texts, one thread, by turns; and two threads of ours.

    python tests/bench/tokenizer.py --data ../shared/data MODEL_DIR...

The texts are the distinct Korean and the distinct English ones of the data (by their letters, each at least 20 characters),
as a whole so often that they are 20 MB.
The library does encode_batch_fast (ids alone) on 1,000 texts at a time, ours encodes from empty caches; both count CPU
seconds, without reading the files and opening the model. Prints the median of each and of their ratio, and adds a line a
model and language to tests/bench/runs.jsonl.
"""
import argparse
import datetime
import json
import math
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

os.environ["TOKENIZERS_PARALLELISM"] = "false"
os.environ["RAYON_NUM_THREADS"] = "1"
import tokenizers  # noqa: E402

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "parity"))
from tokenizer_check import strings  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[2]


def language(text):
    hangul = sum("\uac00" <= c <= "\ud7a3" for c in text)
    latin = sum(c.isascii() and c.isalpha() for c in text)
    return "ko" if hangul > len(text) // 4 else "en" if latin > len(text) // 2 else None


def texts_of(folder):
    found = {"ko": {}, "en": {}}
    for path in sorted(folder.rglob("*")):
        if path.suffix == ".jsonl":
            rows = (json.loads(line) for line in path.read_text(errors="replace").split("\n") if line.strip())
            parts = (s for row in rows for s in strings(row))
        elif path.suffix in (".txt", ".tsv", ".md", ".csv"):
            parts = path.read_text(errors="replace").split("\n\n" if path.suffix == ".md" else "\n")
        else:
            continue
        for text in parts:
            kind = language(text) if len(text) >= 20 else None
            if kind:
                found[kind][text.encode("utf-8", "replace").decode()] = None
    return {k: list(v) for k, v in found.items()}


def theirs(t, texts):
    begin = time.process_time()
    for i in range(0, len(texts), 1000):
        t.encode_batch_fast(texts[i:i + 1000])
    return time.process_time() - begin


def ours(program, model, path):
    out = subprocess.run([program, "tokenize", "--model", model, "--in", path, "--bench", "--threads", "2", "--json"],
                         check=True, capture_output=True, text=True).stdout
    return json.loads(out)


def measure(model, texts, path, a):
    t = tokenizers.Tokenizer.from_file(str(model / "tokenizer.json"))
    t.no_padding()
    t.no_truncation()
    t.encode_batch_fast(texts[:1000])
    rounds = [(theirs(t, texts), ours(a.program, model, path)) for _ in range(a.rounds)]
    ratios = [them / us["cpu_s"] for them, us in rounds]
    mb = rounds[0][1]["megabytes"]
    return {"unit": "MB a CPU second", "ratio_median": round(statistics.median(ratios), 2), "ratio_min": round(min(ratios), 2),
            "ratio_max": round(max(ratios), 2), "pairs": a.rounds, "ours": round(statistics.median(mb / u["cpu_s"] for _, u in rounds), 2),
            "theirs": round(statistics.median(mb / x for x, _ in rounds), 2), "threads": 1,
            "two_threads": round(max(u["all_threads"]["speedup"] for _, u in rounds), 2), "megabytes": round(mb, 2),
            "kind": rounds[0][1]["kind"], "tokenizers": tokenizers.__version__}


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--program", default=ROOT / "build/release/vecsmith")
    p.add_argument("--rounds", type=int, default=3)
    p.add_argument("--data", type=pathlib.Path, required=True)
    p.add_argument("--megabytes", type=float, default=20)
    p.add_argument("--languages", type=lambda s: s.split(","), default=["ko", "en"])
    p.add_argument("models", nargs="+", type=pathlib.Path)
    a = p.parse_args()
    with tempfile.TemporaryDirectory() as d:
        found = texts_of(a.data)
        for lang in a.languages:
            texts = found[lang]
            distinct = sum(len(t.encode()) for t in texts) / 1e6
            texts = texts * math.ceil(a.megabytes / distinct)
            path = pathlib.Path(d) / (lang + ".jsonl")
            path.write_text("".join(json.dumps({"text": t}, ensure_ascii=False) + "\n" for t in texts))
            for model in a.models:
                row = measure(model, texts, path, a)
                print("%-16s %-9s %s %6.1f MB   tokenizers %6.2f MB/s   ours %7.2f MB/s   %5.1f times   two threads %.2f times one" % (
                    model.name, row["kind"], lang, row["megabytes"], row["theirs"], row["ours"], row["ratio_median"], row["two_threads"]),
                    flush=True)
                row = {"bench": "tokenize", "date": str(datetime.date.today()), "model": model.name, "language": lang, "distinct_megabytes": round(distinct, 2), **row}
                with open(ROOT / "tests/bench/runs.jsonl", "a") as f:
                    f.write(json.dumps(row) + "\n")


if __name__ == "__main__":
    main()
