"""peer_encode.py MODEL IN.jsonl OUT.npy DTYPE THREADS: sentence-transformers in its plain use."""
import json, sys

model, path, out, dtype, threads = sys.argv[1:]
import torch

torch.set_num_threads(int(threads))
import numpy as np
from sentence_transformers import SentenceTransformer

with open(path, encoding="utf-8", newline="\n") as f:
    texts = [json.loads(line)["text"] for line in f]
m = SentenceTransformer(model, device="cpu", model_kwargs={"torch_dtype": getattr(torch, dtype)})
v = m.encode(texts, batch_size=32, show_progress_bar=False, convert_to_numpy=True)
np.save(out, v.astype(np.float32))
