"""Loads what a training left (RUN/model, and RUN/adapter of a LoRA run) in sentence-transformers and peft and compares their vectors with
`vecsmith encode` of RUN/model: cosine at least 0.99999 for every text.

    python tests/parity/exported_trained.py VECSMITH RUN...
"""
import json
import os
import pathlib
import subprocess
import sys
import tempfile

import numpy as np
import sentence_transformers
from peft import PeftModel
from sentence_transformers import SentenceTransformer

TEXTS = ["서울은 대한민국의 수도이다.", "a cat sat on the mat", "", "환불은 며칠 걸리나요?", "x" * 300, "The quick brown fox. " * 30]


def ours(program, model):
    with tempfile.TemporaryDirectory() as tmp:
        texts, out = os.path.join(tmp, "t.jsonl"), os.path.join(tmp, "v.npy")
        with open(texts, "w", encoding="utf-8") as f:
            f.writelines(json.dumps({"text": t}) + "\n" for t in TEXTS)
        subprocess.run([program, "encode", "--model", model, "--in", texts, "--out", out, "--dtype", "float32", "--no-cache"],
                       check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        return np.load(out)


def check(what, a, b):
    cosine = (a * b).sum(1) / np.linalg.norm(a, axis=1) / np.linalg.norm(b, axis=1)
    print(f"{what}: cosine {cosine.min():.7f}, largest difference {np.abs(a - b).max():.1e}")
    if not cosine.min() >= 0.99999:
        sys.exit(f"{what} is too far away")


def main():
    program = sys.argv[1]
    print("sentence-transformers", sentence_transformers.__version__)
    for run in map(pathlib.Path, sys.argv[2:]):
        want = ours(program, str(run / "model"))
        check(f"{run.name}/model", SentenceTransformer(str(run / "model"), device="cpu").encode(TEXTS), want)
        adapter = run / "adapter"
        if adapter.exists():
            base = json.loads((adapter / "adapter_config.json").read_text())["base_model_name_or_path"]
            st = SentenceTransformer(base, device="cpu")
            body = st[0].auto_model if hasattr(st[0], "auto_model") else st[0].model
            merged = PeftModel.from_pretrained(body, str(adapter)).merge_and_unload()
            del merged
            check(f"{run.name}/adapter on its base, merged by peft", st.encode(TEXTS), want)
            check(f"{run.name}/adapter as a model here", ours(program, str(adapter)), want)


main()
