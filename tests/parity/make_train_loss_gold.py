"""Gold for tests/engine/train_loss.c: losses and gradients in PyTorch, by FlagEmbedding's formulas
(abc/finetune/embedder/AbsModeling.py: compute_in_batch_neg_loss, compute_no_in_batch_neg_loss,
distill_loss), in double precision.

    python tests/parity/make_train_loss_gold.py     writes tests/fixtures/train_loss.json
"""
import json
import os

import torch
import torch.nn.functional as F

B, G, D = 3, 3, 8
TEMPERATURE, TEACHER_TEMPERATURE = 0.05, 1.0


def in_batch(q, p, group_size):
    scores = q @ p.T / TEMPERATURE
    target = torch.arange(q.shape[0]) * group_size
    return scores, F.cross_entropy(scores, target)


def own_group(scores, group_size):
    rows = torch.arange(scores.shape[0])[:, None]
    return scores[rows, rows * group_size + torch.arange(group_size)[None, :]]


def kl_div(group_scores, teacher):
    return -(torch.log_softmax(group_scores, dim=-1) * teacher).sum(-1).mean()


def m3_kd(scores, teacher, group_size):
    """Peels the group: passage k competes with the batch without the k passages before it."""
    n = scores.shape[0]
    first = torch.arange(n) * group_size
    mask = torch.zeros_like(scores)
    loss = 0.0
    for k in range(group_size):
        each = F.cross_entropy(scores + mask, first + k, reduction="none")
        loss = loss + (each * teacher[:, k]).mean()
        mask = torch.scatter(mask, 1, (first + k)[:, None], torch.finfo(scores.dtype).min)
    return loss


def case(name, compute, x, **more):
    v = x.clone().requires_grad_(True)
    q, p = v[:B], v[B:]
    q, p = F.normalize(q, dim=-1), F.normalize(p, dim=-1)
    loss = compute(q, p)
    loss.backward()
    return {"name": name, "loss": loss.item(), "grad": v.grad.flatten().tolist(), **more}


def mrl(compute, dims, weights=None):
    def f(q, p):
        parts = [compute(F.normalize(q[:, :d], dim=-1), F.normalize(p[:, :d], dim=-1)) for d in dims]
        if weights:
            return sum(w * part for w, part in zip(weights, parts))
        return torch.stack(parts).mean()
    return f


def main():
    g = torch.Generator().manual_seed(7)
    x = torch.randn(B + B * G, D, generator=g, dtype=torch.float32).double()
    raw = (3 * torch.randn(B, G, generator=g, dtype=torch.float32)).double()
    teacher = torch.softmax(raw / TEACHER_TEMPERATURE, dim=-1)
    warm = torch.softmax(raw / 2.5, dim=-1)

    def infonce(q, p):
        return in_batch(q, p, G)[1]

    def infonce_own(q, p):
        return F.cross_entropy(own_group(in_batch(q, p, G)[0], G), torch.zeros(B, dtype=torch.long))

    def kl(q, p):
        scores, nce = in_batch(q, p, G)
        return kl_div(own_group(scores, G), teacher) + nce

    def kl_own(q, p):
        return kl_div(own_group(in_batch(q, p, G)[0], G), teacher) + infonce_own(q, p)

    def kl_warm(q, p):
        scores, nce = in_batch(q, p, G)
        return 0.3 * kl_div(own_group(scores, G), warm) + nce

    def m3(q, p):
        return m3_kd(in_batch(q, p, G)[0], teacher, G)

    cases = [
        case("infonce", infonce, x),
        case("infonce", infonce_own, x, in_batch=False),
        case("kl_div", kl, x),
        case("kl_div", kl_own, x, in_batch=False),
        case("kl_div", kl_warm, x, teacher_temperature=2.5, kd_alpha=0.3),
        case("m3_kd_loss", m3, x),
        case("infonce", mrl(infonce, [8, 4, 2]), x, mrl_dims=[8, 4, 2]),
        case("kl_div", mrl(kl, [8, 3], [1.0, 0.25]), x, mrl_dims=[8, 3], mrl_weights=[1.0, 0.25]),
    ]
    gold = {"queries": B, "group": G, "dim": D, "temperature": TEMPERATURE, "x": x.flatten().tolist(),
            "teacher": raw.flatten().tolist(), "cases": cases}
    path = os.path.join(os.path.dirname(__file__), "../fixtures/train_loss.json")
    with open(path, "w") as f:
        json.dump(gold, f, separators=(",", ":"))
        f.write("\n")
    print(path, os.path.getsize(path), "bytes")


if __name__ == "__main__":
    main()
