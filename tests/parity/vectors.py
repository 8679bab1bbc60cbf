"""Our vectors beside sentence-transformers' float32 vectors, on real passages: the smallest cosine of each set.

    python tests/parity/vectors.py --model build/models/minilm-en --texts a.jsonl b.txt [--limit 600] [--threads 1]

Needs sentence-transformers, numpy and a built vecsmith; prints one line a set and data type, and fails when float32
falls under 0.99999 or bfloat16 under 0.9998.
"""
import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time

import numpy as np

BOUNDS = {"float32": 0.99999, "bfloat16": 0.9998}


def read_texts(path, limit):
    texts = []
    with open(path, encoding="utf-8", newline="\n") as f:
        for line in f:
            line = line.rstrip("\n")
            if path.endswith(".jsonl"):
                row = json.loads(line)
                line = (row.get("title", "") + " " + row["text"]).strip() if row.get("title") else row["text"]
            texts.append(line)
    step = max(1, len(texts) // limit)
    return texts[::step][:limit]


def ours(args, texts, dtype, prompt, folder):
    rows, out = os.path.join(folder, "in.jsonl"), os.path.join(folder, "out.npy")
    with open(rows, "w", encoding="utf-8") as f:
        for t in texts:
            f.write(json.dumps({"text": t}, ensure_ascii=False) + "\n")
    command = [args.program, "encode", "--model", args.model, "--in", rows, "--out", out, "--dtype", dtype,
               "--threads", str(args.threads), "--no-cache", "--json", "--log-level", "warn"]
    command += ["--prompt-name", prompt] if prompt else []
    start = os.times()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    end = os.times()
    return np.load(out), end.children_user + end.children_system - start.children_user - start.children_system


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--model", required=True)
    p.add_argument("--texts", nargs="+", required=True)
    p.add_argument("--limit", type=int, default=600)
    p.add_argument("--threads", type=int, default=1)
    p.add_argument("--prompt-name")
    p.add_argument("--dtype", nargs="+", default=["float32", "bfloat16"])
    p.add_argument("--program", default="build/release/vecsmith")
    args = p.parse_args()
    os.environ.setdefault("OMP_NUM_THREADS", str(args.threads))
    os.environ.setdefault("OMP_WAIT_POLICY", "passive")
    os.environ.setdefault("HF_HUB_OFFLINE", "1")
    import torch
    from sentence_transformers import SentenceTransformer
    torch.set_num_threads(args.threads)
    model = SentenceTransformer(args.model, device="cpu", model_kwargs={"dtype": torch.float32})  # whatever the file has
    bad = 0
    for path in args.texts:
        texts = read_texts(path, args.limit)
        start = time.process_time()
        want = model.encode(texts, prompt_name=args.prompt_name, batch_size=32)
        peer = time.process_time() - start
        want = want / np.linalg.norm(want, axis=1, keepdims=True)
        for dtype in args.dtype:
            with tempfile.TemporaryDirectory() as folder:
                got, seconds = ours(args, texts, dtype, args.prompt_name, folder)
            got = got / np.linalg.norm(got, axis=1, keepdims=True)
            cosine = (got.astype(np.float64) * want).sum(axis=1)
            worst = int(cosine.argmin())
            ok = cosine[worst] >= BOUNDS[dtype]
            bad += not ok
            print(f"{pathlib.Path(args.model).name} {path} {dtype}: {len(texts)} texts, smallest cosine "
                  f"{cosine[worst]:.8f} (text {worst}), mean {cosine.mean():.8f}; CPU seconds {seconds:.1f} with "
                  f"start, peer {peer:.1f} without{'' if ok else '  TOO LOW'}", flush=True)
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
