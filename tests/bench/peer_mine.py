"""peer_mine.py MODEL ROWS.jsonl DTYPE THREADS: sentence-transformers' mine_hard_negatives on FlagEmbedding rows."""
import json, sys

model, path, dtype, threads = sys.argv[1:]
import torch

torch.set_num_threads(int(threads))
from datasets import Dataset
from sentence_transformers import SentenceTransformer
from sentence_transformers.util import mine_hard_negatives

with open(path, encoding="utf-8", newline="\n") as f:
    rows = [json.loads(line) for line in f]
pairs = Dataset.from_list([{"query": r["query"], "answer": p} for r in rows for p in r["pos"]])
corpus = list(dict.fromkeys(p for r in rows for p in r["pos"] + r["neg"]))
m = SentenceTransformer(model, device="cpu", model_kwargs={"torch_dtype": getattr(torch, dtype)})
mined = mine_hard_negatives(pairs, m, anchor_column_name="query", positive_column_name="answer", corpus=corpus, range_min=10,
                            range_max=210, num_negatives=15, sampling_strategy="top", batch_size=32, verbose=False,
                            output_format="n-tuple")
print(len(mined))
