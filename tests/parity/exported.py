"""Loads what vecsmith wrote in sentence-transformers, transformers and peft and compares vectors and scores.

    python tests/parity/exported.py DIR

DIR is what tests/engine/model_export.c leaves when VECSMITH_KEEP names it, or any folder with merged/, adapter/ and
written copies of the tests/fixtures/model-* beside each other; see exported.sh.
"""
import json
import pathlib
import sys
import warnings

import numpy as np
import torch
from peft import PeftModel
from safetensors import safe_open
from sentence_transformers import SentenceTransformer
from transformers import AutoModel, AutoTokenizer

ROOT = pathlib.Path(__file__).resolve().parent.parent / "fixtures"
IDS = torch.tensor([[2, 9, 14, 30, 3]])
TEXTS = ["a cat sat on the mat.", "한국어 문장이", ""]


def vector(model):
    with torch.no_grad():
        return model(input_ids=IDS).last_hidden_state[0].numpy()


def worst(a, b):
    return float(np.abs(np.asarray(a) - np.asarray(b)).max())


def check(name, difference, bound):
    print(f"{name}: largest difference {difference:.2e}, allowed {bound:.0e}")
    if not difference <= bound:
        sys.exit(f"{name} is too far away")


def main():
    warnings.simplefilter("ignore")
    written = pathlib.Path(sys.argv[1])
    base = AutoModel.from_pretrained(ROOT / "model-base").eval()

    copy = AutoModel.from_pretrained(written / "model-base").eval()
    check("a written copy in transformers", worst(vector(copy), vector(base)), 0)
    check("its pooler", worst(copy.pooler.dense.weight.detach(), base.pooler.dense.weight.detach()), 0)
    a, b = SentenceTransformer(str(written / "model-base"), device="cpu"), SentenceTransformer(str(ROOT / "model-base"),
                                                                                              device="cpu")
    assert a.max_seq_length == b.max_seq_length == 20, (a.max_seq_length, b.max_seq_length)
    assert a.prompts["query"] == "query : ", a.prompts
    assert [type(m).__name__ for m in a] == ["Transformer", "Pooling", "Normalize"]
    for prompt in (None, "query", "document"):
        check(f"vectors of the copy in sentence-transformers, prompt {prompt}",
              worst(a.encode(TEXTS, prompt_name=prompt), b.encode(TEXTS, prompt_name=prompt)), 0)

    for name in ("model-old", "model-sharded"):
        with safe_open(ROOT / name / "gold.safetensors", "pt") as gold:
            ids, start, want = gold.get_tensor("ids"), gold.get_tensor("start"), gold.get_tensor("hidden")
        model, info = AutoModel.from_pretrained(written / name, output_loading_info=True)
        assert not info["unexpected_keys"], info
        assert all("pooler" in k for k in info["missing_keys"]), info
        with torch.no_grad():
            got = torch.cat([model.eval()(input_ids=ids[s:e][None]).last_hidden_state[0]
                             for s, e in zip(start[:-1], start[1:])])
        check(f"{name}, written again", worst(got, want), 1e-5)

    peft = PeftModel.from_pretrained(AutoModel.from_pretrained(ROOT / "model-base"), written / "adapter").eval()
    merged = AutoModel.from_pretrained(written / "merged").eval()
    with safe_open(ROOT / "model-lora/gold.safetensors", "pt") as gold:
        ids, start, want = gold.get_tensor("ids"), gold.get_tensor("start"), gold.get_tensor("hidden")
    with torch.no_grad():
        for name, model in (("the adapter in peft", peft), ("the merged model", merged)):
            got = torch.cat([model(input_ids=ids[s:e][None]).last_hidden_state[0]
                             for s, e in zip(start[:-1], start[1:])])
            check(name, worst(got, want), 1e-5)
    config = json.loads((written / "merged/config.json").read_text())
    assert config["architectures"] == ["BertModel"] and config["dtype"] == config["torch_dtype"] == "float32", config
    assert AutoTokenizer.from_pretrained(written / "merged").model_max_length == 20


if __name__ == "__main__":
    main()
