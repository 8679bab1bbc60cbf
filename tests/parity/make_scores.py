#!/usr/bin/env python3
"""make_scores.py: writes tests/fixtures/mine/{rows.jsonl,scores.json}: rows with every awkward kind
of pair, and what transformers says of them with tests/fixtures/model-classifier: logits of label 1,
pairs cut longest_first to 16 tokens; and FlagEmbedding's budgets (query cut to 5 tokens, then the
passage alone, to 16 in all). Needs: torch, transformers."""
import json, os
import torch
from transformers import AutoModelForSequenceClassification, BertTokenizer

HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "fixtures")
MODEL = os.path.join(HERE, "model-classifier")
LABEL, LONGEST, QUERY = 1, 16, 5

ROWS = [
    {"query": "the cat", "pos": ["the cat sat", ""], "neg": ["a dog", "the cat sat"], "own": 1},
    {"query": "한국의 수도는", "pos": ["서울"], "neg": [], "type": "normal"},
    {"query": "", "pos": [], "neg": ["a dog"]},
    {"query": "the cat and the dog and the cat and the dog and the cat",
     "pos": ["a dog and a cat and a dog and a cat and a dog and a cat and a dog and a cat"],
     "neg": ["cat", "the dog and the cat and the dog and the cat and the dog and the cat sat"]},
    {"query": "the cat", "pos": ["a dog"], "neg": ["unknownword zzz"]},
]


def main():
    tok = BertTokenizer(os.path.join(MODEL, "vocab.txt"))
    model = AutoModelForSequenceClassification.from_pretrained(MODEL).eval()
    special = tok.num_special_tokens_to_add(pair=True)

    def logit(ids_q, ids_p):
        ids = [tok.cls_token_id] + ids_q + [tok.sep_token_id] + ids_p + [tok.sep_token_id]
        types = [0] * (len(ids_q) + 2) + [1] * (len(ids_p) + 1)
        with torch.no_grad():
            return model(input_ids=torch.tensor([ids]), token_type_ids=torch.tensor([types]),
                         attention_mask=torch.ones(1, len(ids), dtype=torch.long)).logits[0, LABEL].item()

    def longest_first(q, p):
        enc = tok([q], [p], truncation="longest_first", max_length=LONGEST, return_tensors="pt")
        with torch.no_grad():
            return model(**enc).logits[0, LABEL].item()

    def budgets(q, p):
        a = tok(q, add_special_tokens=False)["input_ids"][:QUERY]
        b = tok(p, add_special_tokens=False)["input_ids"][:LONGEST - special - len(a)]
        return logit(a, b)

    os.makedirs(os.path.join(HERE, "mine"), exist_ok=True)
    with open(os.path.join(HERE, "mine", "rows.jsonl"), "w", encoding="utf-8") as f:
        f.writelines(json.dumps(r, ensure_ascii=False) + "\n" for r in ROWS)
    out = []
    for r in ROWS:
        out.append({f"{name}_{side}": [f(r["query"], p) for p in r[side]]
                    for name, f in (("longest_first", longest_first), ("budgets", budgets))
                    for side in ("pos", "neg")})
    with open(os.path.join(HERE, "mine", "scores.json"), "w", encoding="utf-8") as f:
        json.dump(out, f, indent=0)
        f.write("\n")


if __name__ == "__main__":
    main()
