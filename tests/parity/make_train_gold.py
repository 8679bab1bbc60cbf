"""Gold for tests/engine/train_parity.c: the losses of five AdamW steps and all gradients of the first one, in PyTorch
(and peft) with FlagEmbedding's formulas, on the tiny model of tests/fixtures/model-base.

FlagEmbedding's setting: no shuffling, a fixed group of one positive and two negatives, padded batches, dropout 0, mean
pooling, vectors of length 1, temperature 0.05, in-batch negatives without masks (AbsModeling.py: compute_score,
compute_in_batch_neg_loss, compute_no_in_batch_neg_loss, distill_loss); Trainer's: AdamW, linear schedule with warm-up,
clipping by the global norm.

Run from the repository's root with a Python that has torch, transformers, peft and safetensors:
    python tests/parity/make_train_gold.py      writes tests/fixtures/train_rows.jsonl, train_gold/*
"""
import json
import pathlib
import random
import shutil

import torch
import torch.nn.functional as F
from peft import LoraConfig, get_peft_model
from safetensors.torch import save_file
from transformers import BertModel, BertTokenizerFast, get_linear_schedule_with_warmup

ROOT = pathlib.Path(__file__).resolve().parent.parent / "fixtures"
MODEL, ROWS, GOLD = ROOT / "model-base", ROOT / "train_rows.jsonl", ROOT / "train_gold"
BATCH, GROUP, TAU, STEPS, LR, WARMUP, DECAY, CLIP = 4, 3, 0.05, 5, 0.01, 2, 0.1, 1.0
QUERY_LENGTH, PASSAGE_LENGTH = 9, 14
WORDS = "the cat sat on a mat . 서울 한국어 문장이 문장 한국 b c d e f g h i j k l m n o p q r s t u v w x y z".split()


def make_rows():
    """Twelve rows; some texts are too long, one passage stands twice in a batch, one row more than once a positive."""
    draw = random.Random(11)

    def text(low, high):
        return " ".join(draw.choice(WORDS) for _ in range(draw.randint(low, high)))

    rows = []
    for i in range(12):
        row = {"query": text(2, 9), "pos": [text(4, 16)], "neg": [text(4, 16) for _ in range(2 + i % 3)]}
        row["pos_scores"] = [round(draw.uniform(-1, 4), 3) for _ in row["pos"]]
        row["neg_scores"] = [round(draw.uniform(-4, 2), 3) for _ in row["neg"]]
        rows.append(row)
    rows[2]["neg"][0] = rows[0]["pos"][0]
    rows[5]["neg"][1] = rows[5]["neg"][0]
    rows[7]["pos"].append(text(4, 9))
    rows[7]["pos_scores"].append(0.5)
    ROWS.write_text("".join(json.dumps(r, ensure_ascii=False) + "\n" for r in rows))
    return rows


def embed(model, tokenizer, texts, length):
    batch = tokenizer(texts, padding=True, truncation=True, max_length=length, return_tensors="pt")
    hidden = model(**batch).last_hidden_state
    mask = batch["attention_mask"][..., None].float()
    return F.normalize((hidden * mask).sum(1) / mask.sum(1), dim=-1)


def loss_of(rows, model, tokenizer, kind, in_batch):
    q = embed(model, tokenizer, ["query : " + r["query"] for r in rows], QUERY_LENGTH)
    texts = [t for r in rows for t in [r["pos"][0]] + r["neg"][:GROUP - 1]]
    p = embed(model, tokenizer, ["passage : " + t for t in texts], PASSAGE_LENGTH)
    scores = q @ p.T / TAU
    first = torch.arange(len(rows)) * GROUP
    own = scores[torch.arange(len(rows))[:, None], first[:, None] + torch.arange(GROUP)]
    loss = F.cross_entropy(scores, first) if in_batch else F.cross_entropy(own, torch.zeros_like(first))
    if kind == "kl_div":
        teacher = torch.tensor([r["pos_scores"][:1] + r["neg_scores"][:GROUP - 1] for r in rows])
        loss = loss - (torch.log_softmax(own, -1) * torch.softmax(teacher, -1)).sum(-1).mean()
    return loss


def with_lora(model):
    torch.manual_seed(5)
    model = get_peft_model(model, LoraConfig(r=4, lora_alpha=8, lora_dropout=0.0,
                                             target_modules=["query", "value", "dense"]))
    g = torch.Generator().manual_seed(6)
    with torch.no_grad():
        for name, p in model.named_parameters():
            if "lora_B" in name:
                p.copy_(0.05 * torch.randn(p.shape, generator=g))
    return model


def exported(name):
    return name.replace(".default", "")


def run(name, rows, kind="infonce", in_batch=True, lora=False, accumulate=1):
    tokenizer = BertTokenizerFast.from_pretrained(MODEL)
    model = BertModel.from_pretrained(MODEL, add_pooling_layer=False, attn_implementation="eager",
                                      hidden_dropout_prob=0.0, attention_probs_dropout_prob=0.0)
    if lora:
        model = with_lora(model)
    model.train()
    named = [(exported(n), p) for n, p in model.named_parameters() if p.requires_grad]
    tensors = {"start." + n: p.detach().clone() for n, p in named} if lora else {}
    bare = [p for n, p in named if n.endswith(".bias") or "LayerNorm" in n]
    heavy = [p for n, p in named if not (n.endswith(".bias") or "LayerNorm" in n)]
    optimizer = torch.optim.AdamW([{"params": heavy, "weight_decay": DECAY}, {"params": bare, "weight_decay": 0.0}],
                                  lr=LR)
    schedule = get_linear_schedule_with_warmup(optimizer, WARMUP, STEPS)
    losses, norms = [], []
    for step in range(STEPS):
        optimizer.zero_grad()
        at = step * BATCH % len(rows)
        size = BATCH // accumulate
        total = 0.0
        for micro in range(accumulate):
            part = rows[at + micro * size:at + (micro + 1) * size]
            loss = loss_of(part, model, tokenizer, kind, in_batch) / accumulate
            loss.backward()
            total += loss.item()
        if step == 0:
            tensors.update({"grad." + n: p.grad.clone() for n, p in named if p.grad is not None})
        norms.append(torch.nn.utils.clip_grad_norm_([p for _, p in named], CLIP).item())
        losses.append(total)
        optimizer.step()
        schedule.step()
    save_file(tensors, GOLD / f"{name}.safetensors", metadata={"format": "pt"})
    print(name, losses, norms)
    return {"name": name, "loss": kind, "in_batch": in_batch, "lora": lora, "accumulate": accumulate, "losses": losses,
            "norms": norms}


def main():
    shutil.rmtree(GOLD, ignore_errors=True)
    GOLD.mkdir()
    rows = make_rows()
    runs = [run("infonce", rows), run("kl_div", rows, kind="kl_div"), run("own_group", rows, in_batch=False),
            run("accumulate", rows, accumulate=2), run("lora", rows, lora=True),
            run("lora_kl_div", rows, kind="kl_div", lora=True)]
    gold = {"batch": BATCH, "group": GROUP, "temperature": TAU, "lr": LR, "warmup": WARMUP, "steps": STEPS, "decay": DECAY,
            "clip": CLIP, "query_length": QUERY_LENGTH, "passage_length": PASSAGE_LENGTH, "runs": runs}
    (GOLD / "runs.json").write_text(json.dumps(gold, indent=1) + "\n")


if __name__ == "__main__":
    main()
