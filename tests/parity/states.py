"""The last hidden states of a model of full size beside transformers' eager attention, seen through four poolings: mean and max meet every token
of a text, cls and last its ends.

    python tests/parity/states.py --model build/models/NAME --texts a.jsonl b.txt [--limit 40] [--attention causal|bidirectional]

Needs transformers, numpy and a built vecsmith with the model's tokenizer. Prints the smallest cosine and the largest difference of each pooling
(vectors scaled to length 1), and fails when float32 falls under 0.99999 or bfloat16 under 0.999 (0.99 for the first token).
"""
import argparse
import json
import os
import subprocess
import sys
import tempfile

import numpy as np
import torch
from transformers import AutoModel, AutoTokenizer

sys.path.insert(0, os.path.dirname(__file__))
from vectors import read_texts  # noqa: E402

BOUNDS = {"float32": 0.99999, "bfloat16": 0.999}
SINK = 0.99  # bfloat16, first token: where a decoder parks its attention, with huge values; transformers' own bfloat16 gives 0.9987 there
POOLINGS = {
    "mean": lambda h: h.mean(0),
    "max": lambda h: h.max(0).values,
    "cls": lambda h: h[0],
    "last": lambda h: h[-1],
}


def unit(x):
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def ours(args, texts, pooling, dtype):
    with tempfile.TemporaryDirectory() as folder:
        rows, out = os.path.join(folder, "in.jsonl"), os.path.join(folder, "out.npy")
        with open(rows, "w", encoding="utf-8") as f:
            f.writelines(json.dumps({"text": t}, ensure_ascii=False) + "\n" for t in texts)
        subprocess.run([args.program, "encode", "--model", args.model, "--in", rows, "--out", out, "--dtype", dtype, "--pooling", pooling,
                        "--attention", args.attention, "--max-length", str(args.max_length), "--threads", str(args.threads), "--no-cache",
                        "--log-level", "error"], check=True, stdout=subprocess.DEVNULL)
        return unit(np.load(out).astype(np.float64))


def theirs(args, texts):
    tokenizer = AutoTokenizer.from_pretrained(args.model)
    model = AutoModel.from_pretrained(args.model, dtype=torch.float32, attn_implementation="eager").eval()
    if args.attention != "auto":
        model.config.is_causal = args.attention == "causal"
    pooled = {p: [] for p in POOLINGS}
    with torch.inference_mode():
        for t in texts:
            ids = tokenizer(t, truncation=True, max_length=args.max_length, return_tensors="pt")["input_ids"]
            h = model(input_ids=ids).last_hidden_state[0]
            for p, f in POOLINGS.items():
                pooled[p].append(f(h).numpy())
    return {p: unit(np.stack(v).astype(np.float64)) for p, v in pooled.items()}


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--model", required=True)
    p.add_argument("--texts", nargs="+", required=True)
    p.add_argument("--limit", type=int, default=40)
    p.add_argument("--max-length", type=int, default=512)
    p.add_argument("--attention", default="auto")
    p.add_argument("--threads", type=int, default=1)
    p.add_argument("--dtype", nargs="+", default=["float32", "bfloat16"])
    p.add_argument("--program", default="build/release/vecsmith")
    args = p.parse_args()
    torch.set_num_threads(args.threads)
    texts = [t for path in args.texts for t in read_texts(path, args.limit) if t.strip()]
    want = theirs(args, texts)
    bad = 0
    for dtype in args.dtype:
        for pooling in POOLINGS:
            got = ours(args, texts, pooling, dtype)
            cosine = (got * want[pooling]).sum(axis=1)
            ok = cosine.min() >= (SINK if dtype == "bfloat16" and pooling == "cls" else BOUNDS[dtype])
            bad += not ok
            print(f"{dtype} {pooling}: {len(texts)} texts, smallest cosine {cosine.min():.8f} (text {int(cosine.argmin())}), largest difference "
                  f"{np.abs(got - want[pooling]).max():.2e}{'' if ok else '  TOO LOW'}", flush=True)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
