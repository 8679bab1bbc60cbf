"""peer_score.py MODEL ROWS.jsonl OUT.json DTYPE THREADS: sentence-transformers' CrossEncoder over every pair of the rows."""
import json, sys

model, path, out, dtype, threads = sys.argv[1:]
import torch

torch.set_num_threads(int(threads))
from sentence_transformers import CrossEncoder

with open(path, encoding="utf-8", newline="\n") as f:
    rows = [json.loads(line) for line in f]
pairs = [(r["query"], p) for r in rows for p in r["pos"] + r["neg"]]
m = CrossEncoder(model, device="cpu", model_kwargs={"torch_dtype": getattr(torch, dtype)}, num_labels=1,
                 activation_fn=torch.nn.Identity())
scores = m.predict(pairs, batch_size=32, show_progress_bar=False, convert_to_numpy=True)
json.dump([float(s) for s in scores], open(out, "w"))
