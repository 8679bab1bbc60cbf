"""Writes tests/fixtures/encoders/FAMILY-{1,2,3}: three tiny random models of each post-norm encoder family as
transformers saves them, and what transformers computes with them in eager attention (gold.safetensors).

    1   float32 safetensors without prefix: hidden states of every layer, gradients of all parameters
    2   a sequence classification head, float32, pytorch_model.bin: logits, gradients of all parameters
    3   with a pad token inside a text; saved by a class with a pretraining head (prefixed names, tensors that no vector needs), in two shards:
        bfloat16 or 8-bit safetensors, or float16 .bin

Run from the repository's root with a Python that has torch, transformers and safetensors:
    python tests/parity/make_encoder_gold.py
"""
import json
import pathlib
import shutil

import torch
import transformers as tf
from safetensors.torch import save_file

ROOT = pathlib.Path(__file__).resolve().parent.parent / "fixtures/encoders"
LENGTHS = [7, 1, 20, 3, 7, 2]
VOCAB = 32
ONE_LAYER = {"num_hidden_layers": 1}
EIGHT_BIT = {"mpnet": torch.float8_e4m3fn, "xlm-roberta": torch.float8_e5m2}


def usual(**more):
    base = dict(vocab_size=VOCAB, hidden_size=12, num_hidden_layers=2, num_attention_heads=3, intermediate_size=14,
                max_position_embeddings=24, attn_implementation="eager")
    return {**base, **more}


def distil(**more):
    base = dict(vocab_size=VOCAB, dim=12, n_layers=2, n_heads=3, hidden_dim=14, max_position_embeddings=24,
                attn_implementation="eager")
    return {**base, **more}


# family: (name of its classes, settings of the three models, class of the third)
FAMILIES = {
    "bert": ("Bert", [usual(), usual(hidden_act="relu", num_labels=3), usual(type_vocab_size=1, layer_norm_eps=1e-5)],
             "MaskedLM"),
    "roberta": ("Roberta", [usual(max_position_embeddings=26, type_vocab_size=1, layer_norm_eps=1e-5, pad_token_id=1),
                            usual(max_position_embeddings=26, type_vocab_size=1, hidden_act="gelu_new", num_labels=1),
                            usual(max_position_embeddings=25, type_vocab_size=1, pad_token_id=0)], "MaskedLM"),
    "xlm-roberta": ("XLMRoberta", [usual(max_position_embeddings=26, type_vocab_size=1, layer_norm_eps=1e-5, pad_token_id=1),
                                   usual(max_position_embeddings=26, type_vocab_size=1, num_labels=1, num_attention_heads=6),
                                   usual(max_position_embeddings=26, type_vocab_size=1, hidden_act="silu")], "MaskedLM"),
    "electra": ("Electra", [usual(embedding_size=7), usual(embedding_size=9, num_labels=2, hidden_act="gelu_new"),
                            usual(embedding_size=12)], "PreTraining"),
    "mpnet": ("MPNet", [usual(max_position_embeddings=26), usual(max_position_embeddings=26, num_labels=3, hidden_act="relu"),
                        usual(max_position_embeddings=26, num_attention_heads=2, layer_norm_eps=1e-5)], "MaskedLM"),
    "distilbert": ("DistilBert", [distil(), distil(activation="relu", num_labels=3), distil(n_heads=2)], "MaskedLM"),
}


def randomise(model, seed):
    """Weights large enough that every part of the model shows in the output; norms and biases not at their start."""
    g = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, p in model.named_parameters():
            noise = torch.randn(p.shape, generator=g)
            is_norm = "norm" in name.lower() and name.endswith("weight")
            p.copy_(1 + 0.2 * noise if is_norm else (0.5 if "relative" in name else 0.2) * noise)
    return model.eval()


def batch(seed, pad):
    g = torch.Generator().manual_seed(seed)
    seqs = [torch.randint(4, VOCAB, (n,), generator=g) for n in LENGTHS]
    if pad is not None:
        seqs[2][5] = pad  # a pad token in the middle of a text
    return seqs


def pack(seqs):
    return {"ids": torch.cat(seqs), "start": torch.tensor([0] + [len(s) for s in seqs]).cumsum(0)}


def states_of(model, seqs, types):
    """[L+1,T,H]: each text alone, hidden_states side by side."""
    rows = []
    for i, s in enumerate(seqs):
        more = {"token_type_ids": types[i][None]} if types else {}
        out = model(input_ids=s[None], attention_mask=torch.ones_like(s)[None], output_hidden_states=True, **more)
        rows.append(torch.stack([h[0] for h in out.hidden_states]))
    return torch.cat(rows, 1)


def gradients(model):
    return {"grad." + n: p.grad.clone() for n, p in model.named_parameters() if p.grad is not None}


def finish(path, config, class_name, gold):
    config.architectures = [class_name]
    config.save_pretrained(path)
    save_file({k: v.detach().contiguous() for k, v in gold.items()}, path / "gold.safetensors")
    (path / "gold.safetensors").chmod(0o644)


def fresh(name):
    path = ROOT / name
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir(parents=True)
    return path


def state_of(model):
    return {k: v.detach().clone().contiguous() for k, v in model.state_dict().items()}


def types_for(family, config, seqs):
    if family in ("mpnet", "distilbert") or config.type_vocab_size < 2:
        return None
    return [(torch.arange(len(s)) > len(s) // 2).long() for s in seqs]


def plain(family, name, settings, seed):
    path = fresh(f"{family}-1")
    config = getattr(tf, name + "Config")(**settings)
    model = randomise(getattr(tf, name + "Model")(config), seed)
    seqs = batch(seed, None)
    types = types_for(family, config, seqs)
    states = states_of(model, seqs, types)
    gold = pack(seqs) | {"states": states}
    if types:
        gold["types"] = torch.cat(types)
    c = torch.randn(len(seqs), states.shape[-1], generator=torch.Generator().manual_seed(seed + 1))
    start = gold["start"]
    pooled = torch.stack([states[-1][a:b].mean(0) for a, b in zip(start[:-1], start[1:])])
    (pooled * c).sum().backward()
    gold |= {"pooled.mean": pooled, "loss.c": c} | gradients(model)
    save_file(state_of(model), path / "model.safetensors", {"format": "pt"})
    finish(path, config, name + "Model", gold)


def classifier(family, name, settings, seed):
    path = fresh(f"{family}-2")
    config = getattr(tf, name + "Config")(**settings | ONE_LAYER)
    model = randomise(getattr(tf, name + "ForSequenceClassification")(config), seed)
    seqs = batch(seed, None)
    types = types_for(family, config, seqs)
    rows = []
    for i, s in enumerate(seqs):
        more = {"token_type_ids": types[i][None]} if types else {}
        rows.append(model(input_ids=s[None], attention_mask=torch.ones_like(s)[None], **more).logits)
    logits = torch.cat(rows)
    c = torch.randn(logits.shape, generator=torch.Generator().manual_seed(seed + 1))
    (logits * c).sum().backward()
    gold = pack(seqs) | {"logits": logits, "loss.c": c} | gradients(model)
    if types:
        gold["types"] = torch.cat(types)
    torch.save(state_of(model), path / "pytorch_model.bin")
    finish(path, config, name + "ForSequenceClassification", gold)


def sharded(family, name, settings, head, seed, is_bin):
    path = fresh(f"{family}-3")
    config = getattr(tf, name + "Config")(**settings | ONE_LAYER)
    whole = randomise(getattr(tf, f"{name}For{head}")(config), seed).to(torch.float16 if is_bin else EIGHT_BIT.get(family, torch.bfloat16))
    kept = {k: v for k, v in state_of(whole).items()}
    pointers, items = set(), []
    for k, v in sorted(kept.items()):  # tied heads are saved once
        if "decoder" in k or "vocab_projector" in k or v.data_ptr() in pointers:
            continue
        items.append((k, v))
    half = len(items) // 2
    end = "bin" if is_bin else "safetensors"
    stem = "pytorch_model" if is_bin else "model"
    where = {}
    for i, some in enumerate((items[:half], items[half:])):
        file = f"{stem}-{i + 1:05d}-of-00002.{end}"
        torch.save(dict(some), path / file) if is_bin else save_file(dict(some), path / file, {"format": "pt"})
        where |= {k: file for k, _ in some}
    index = {"metadata": {"total_size": sum(v.numel() * v.element_size() for _, v in items)}, "weight_map": where}
    (path / f"{stem}{'.' + end}.index.json").write_text(json.dumps(index, indent=1) + "\n")
    model = getattr(whole, whole.base_model_prefix).float()
    seqs = batch(seed, config.pad_token_id if family in ("roberta", "xlm-roberta", "mpnet") else None)
    with torch.no_grad():
        gold = pack(seqs) | {"states": states_of(model, seqs, None)}
    finish(path, config, f"{name}For{head}", gold)


if __name__ == "__main__":
    torch.set_num_threads(1)
    for i, (family, (name, settings, head)) in enumerate(FAMILIES.items()):
        plain(family, name, settings[0], 100 * i + 1)
        classifier(family, name, settings[1], 100 * i + 11)
        sharded(family, name, settings[2], head, 100 * i + 21, i % 2 == 1)
    print(sum(f.stat().st_size for f in ROOT.rglob("*") if f.is_file()), "bytes in", ROOT)
