"""Gold for tests/engine/train_optim.c: AdamW with clipping and transformers' warm-up, in PyTorch.

    python tests/parity/make_train_optim_gold.py     writes tests/fixtures/train_optim.json
"""
import json
import os

import torch
from transformers import get_linear_schedule_with_warmup


def main():
    torch.manual_seed(3)
    matrix = torch.nn.Parameter(torch.randn(4, 3))
    bias = torch.nn.Parameter(torch.randn(3))
    scale = [torch.randn(4, 3), torch.randn(3)]  # the loss is sum(scale * param^2) / 2
    optimizer = torch.optim.AdamW(
        [{"params": [matrix], "weight_decay": 0.1}, {"params": [bias], "weight_decay": 0.0}], lr=0.05)
    schedule = get_linear_schedule_with_warmup(optimizer, 2, 8)
    gold = {"matrix": matrix.flatten().tolist(), "bias": bias.tolist(),
            "scale": torch.cat([s.flatten() for s in scale]).tolist(), "clip": 1.5, "steps": []}
    for _ in range(8):
        optimizer.zero_grad()
        loss = sum((s * p * p).sum() / 2 for s, p in zip(scale, [matrix, bias]))
        loss.backward()
        norm = torch.nn.utils.clip_grad_norm_([matrix, bias], 1.5)
        lr = schedule.get_last_lr()[0]
        optimizer.step()
        schedule.step()
        gold["steps"].append({"lr": lr, "norm": norm.item(),
                              "params": torch.cat([matrix.flatten(), bias]).tolist()})
    path = os.path.join(os.path.dirname(__file__), "../fixtures/train_optim.json")
    with open(path, "w") as f:
        json.dump(gold, f, separators=(",", ":"))
        f.write("\n")
    print(os.path.getsize(path), "bytes", [s["norm"] for s in gold["steps"]])


if __name__ == "__main__":
    main()
