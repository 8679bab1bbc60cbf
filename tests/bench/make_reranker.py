"""make_reranker.py MODEL OUT: a random cross-encoder of one label with the sizes and the tokenizer of a BERT folder: for timing, it judges
nothing."""
import json, os, shutil, sys

model, out = sys.argv[1:]
import torch
from transformers import AutoConfig, AutoModelForSequenceClassification

torch.manual_seed(1)
config = AutoConfig.from_pretrained(model, num_labels=1)
AutoModelForSequenceClassification.from_config(config).save_pretrained(out)
for name in ("tokenizer.json", "tokenizer_config.json", "vocab.txt", "special_tokens_map.json"):
    if os.path.exists(os.path.join(model, name)):
        shutil.copy(os.path.join(model, name), out)
