"""Speed of `tokenize` beside the Hugging Face tokenizers library: the same texts, one thread, by turns.

    python tests/bench/tokenizer.py --models build/models/minilm-en build/models/me5-small -- FILE.jsonl...

The library does encode_batch_fast (ids alone) on 1,000 texts at a time, ours encodes from empty caches; both count
CPU seconds, without reading the files and opening the model. Prints the median of each and their ratio.
"""
import argparse
import json
import os
import pathlib
import statistics
import subprocess
import tempfile
import time

os.environ["TOKENIZERS_PARALLELISM"] = "false"
os.environ["RAYON_NUM_THREADS"] = "1"
from tokenizers import Tokenizer  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[2]


def theirs(t, texts):
    begin = time.process_time()
    for i in range(0, len(texts), 1000):
        t.encode_batch_fast(texts[i:i + 1000])
    return time.process_time() - begin


def ours(program, model, path):
    out = subprocess.run([program, "tokenize", "--model", model, "--in", path, "--bench", "--threads", "1", "--json"],
                         check=True, capture_output=True, text=True).stdout
    return json.loads(out)["cpu_s"]


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--program", default=ROOT / "build/release/vecsmith")
    p.add_argument("--rounds", type=int, default=5)
    p.add_argument("--models", nargs="+", type=pathlib.Path, required=True)
    p.add_argument("files", nargs="+", type=pathlib.Path)
    a = p.parse_args()
    for path in a.files:
        texts = [json.loads(line)["text"] for line in open(path)]
        mb = sum(len(t.encode()) for t in texts) / 1e6
        with tempfile.TemporaryDirectory() as d:
            same = pathlib.Path(d) / "texts.jsonl"
            same.write_text("".join(json.dumps({"text": t}, ensure_ascii=False) + "\n" for t in texts))
            for model in a.models:
                t = Tokenizer.from_file(str(model / "tokenizer.json"))
                t.no_padding()
                t.no_truncation()
                pairs = [(theirs(t, texts), ours(a.program, model, same)) for _ in range(a.rounds)]
                them, us = (mb / statistics.median(x) for x in zip(*pairs))
                print("%-14s %-30s %6.1f MB   tokenizers %6.2f MB/s   ours %7.2f MB/s   %5.1f times" % (
                    model.name, "/".join(path.parts[-2:]), mb, them, us, us / them), flush=True)


if __name__ == "__main__":
    main()
