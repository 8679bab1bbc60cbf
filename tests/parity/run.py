"""A finished LoRA run in the peers: its model/ in sentence-transformers, and its base + adapter/ in peft.

    python tests/parity/run.py --run RUN --base build/models/minilm-en --texts F [--program build/release/vecsmith]

Prints the smallest cosine to our vectors of model/, and fails under 0.99999.
"""
import argparse
import os
import subprocess
import sys
import tempfile

import numpy as np
import torch
from peft import PeftModel
from sentence_transformers import SentenceTransformer

sys.path.insert(0, os.path.dirname(__file__))
from vectors import read_texts  # noqa: E402


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--run", required=True)
    p.add_argument("--base", required=True)
    p.add_argument("--texts", required=True)
    p.add_argument("--limit", type=int, default=40)
    p.add_argument("--program", default="build/release/vecsmith")
    args = p.parse_args()
    texts = [t.replace("\n", " ") for t in read_texts(args.texts, args.limit)]
    with tempfile.TemporaryDirectory() as folder:
        rows, out = os.path.join(folder, "in.txt"), os.path.join(folder, "out.npy")
        with open(rows, "w", encoding="utf-8") as f:
            f.write("\n".join(texts) + "\n")
        subprocess.run([args.program, "encode", "--model", args.run + "/model", "--in", rows, "--out", out, "--dtype",
                        "float32", "--threads", "1", "--no-cache", "--log-level", "error"], check=True,
                       stdout=subprocess.DEVNULL)
        ours = np.load(out)
    torch.set_num_threads(1)
    exported = SentenceTransformer(args.run + "/model", device="cpu").encode(texts)
    adapted = SentenceTransformer(args.base, device="cpu")
    before = adapted.encode(texts)
    adapted[0].auto_model.load_state_dict(
        PeftModel.from_pretrained(adapted[0].auto_model, args.run + "/adapter").merge_and_unload().state_dict())
    bad = False
    for name, vectors in (("model/ in sentence-transformers", exported), ("base + adapter/ in peft", adapted.encode(texts))):
        cosine = (ours * vectors).sum(axis=1) / np.linalg.norm(ours, axis=1) / np.linalg.norm(vectors, axis=1)
        print(f"{name}: {len(texts)} texts, smallest cosine {cosine.min():.8f}")
        bad |= not cosine.min() >= 0.99999
    print(f"base without it: smallest cosine {(ours * before).sum(axis=1).min():.4f}")
    return int(bad)


if __name__ == "__main__":
    sys.exit(main())
