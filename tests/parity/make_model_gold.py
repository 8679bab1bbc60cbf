"""Writes the tiny models of tests/fixtures/model-* and what transformers, sentence-transformers and peft compute
with them (gold.safetensors in each folder).

Run from the repository's root with a Python that has torch, transformers, sentence-transformers, peft and safetensors:
    python tests/parity/make_model_gold.py
"""
import json
import pathlib
import shutil

import torch
from peft import LoraConfig, get_peft_model
from safetensors.torch import save_file
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Pooling
from transformers import BertConfig, BertForSequenceClassification, BertModel, BertTokenizerFast

ROOT = pathlib.Path(__file__).resolve().parent.parent / "fixtures"
VOCAB = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "query", "passage", ":", "the", "cat", "sat", "on", "a", "mat",
         ".", "한국", "##어", "문장", "##이", "서울"] + [chr(c) for c in range(97, 123)] + \
        ["##" + c for c in "abcdefghijklmn"]
LENGTHS = [7, 1, 12, 3, 7, 2]
OURS = {"cls": "cls", "mean": "mean", "max": "max", "mean_sqrt_len_tokens": "mean_sqrt_len", "weightedmean": "weighted",
        "lasttoken": "last"}


def config(**more):
    base = dict(vocab_size=len(VOCAB), hidden_size=24, num_hidden_layers=2, num_attention_heads=3, intermediate_size=40,
                max_position_embeddings=32, type_vocab_size=2, hidden_act="gelu", layer_norm_eps=1e-12)
    return BertConfig(**{**base, **more})


def randomise(model, seed):
    """Weights large enough that every part of the model shows in the output; norms and biases not at their start."""
    g = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, p in model.named_parameters():
            noise = torch.randn(p.shape, generator=g)
            p.copy_(1 + 0.2 * noise if "LayerNorm.weight" in name else 0.15 * noise)
    return model.eval()


def batch(seed):
    g = torch.Generator().manual_seed(seed)
    return [torch.randint(5, len(VOCAB), (n,), generator=g) for n in LENGTHS]


def pack(seqs):
    start = torch.tensor([0] + [len(s) for s in seqs]).cumsum(0)
    return {"ids": torch.cat(seqs), "start": start}


def padded(seqs):
    width = max(len(s) for s in seqs)
    ids = torch.zeros(len(seqs), width, dtype=torch.long)
    mask = torch.zeros(len(seqs), width, dtype=torch.long)
    for i, s in enumerate(seqs):
        ids[i, :len(s)] = s
        mask[i, :len(s)] = 1
    return ids, mask


def hidden_of(model, seqs):
    """[T,H] of the real tokens, eager attention."""
    return torch.cat([model(input_ids=s[None]).last_hidden_state[0] for s in seqs])


def pool(model, seqs, mode, prompt=None):
    ids, mask = padded(seqs)
    features = {"token_embeddings": model(input_ids=ids, attention_mask=mask).last_hidden_state, "attention_mask": mask}
    if prompt:
        features["prompt_length"] = prompt
    return Pooling(model.config.hidden_size, mode, include_prompt=not prompt)(features)[
        "sentence_embedding"]


def write_json(path, value):
    path.write_text(json.dumps(value, indent=1, ensure_ascii=False) + "\n")


def folder(name):
    path = ROOT / name
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir(parents=True)
    (path / "vocab.txt").write_text("\n".join(VOCAB) + "\n")
    return path


def st_files(path, flag, normalize, max_length, prompts=None, new=False):
    kinds = [("", "Transformer"), ("1_Pooling", "Pooling")] + ([("2_Normalize", "Normalize")] if normalize else [])
    new_names = {"Transformer": "base.modules.transformer.Transformer",
                 "Pooling": "sentence_transformer.modules.pooling.Pooling",
                 "Normalize": "base.modules.normalize.Normalize"}
    write_json(path / "modules.json", [
        {"idx": i, "name": str(i), "path": p,
         "type": "sentence_transformers." + (new_names[k] if new else "models." + k)} for i, (p, k) in enumerate(kinds)])
    (path / "1_Pooling").mkdir()
    write_json(path / "1_Pooling/config.json",
               {"embedding_dimension": 24, "pooling_mode": flag, "include_prompt": True} if new else
               {"word_embedding_dimension": 24, "pooling_mode_cls_token": flag == "cls",
                "pooling_mode_mean_tokens": flag == "mean", "pooling_mode_max_tokens": False,
                "pooling_mode_mean_sqrt_len_tokens": False})
    if max_length:
        write_json(path / "sentence_bert_config.json", {"max_seq_length": max_length, "do_lower_case": False})
    if prompts:
        write_json(path / "config_sentence_transformers.json",
                   {"prompts": prompts, "default_prompt_name": None, "similarity_fn_name": "cosine"})


def tokenizer_files(path):
    t = BertTokenizerFast.from_pretrained(str(path), do_lower_case=True)
    t.model_max_length = 32
    t.save_pretrained(str(path))


def gradients(model, loss):
    model.zero_grad()
    loss.backward()
    return {"grad." + n: p.grad.clone() for n, p in model.named_parameters() if p.grad is not None}


def weights_for_loss(n, seed):
    return torch.randn(n, 24, generator=torch.Generator().manual_seed(seed))


def embedding_loss(model, seqs, mode, c):
    v = torch.nn.functional.normalize(pool(model, seqs, mode), dim=-1)
    return (v * c).sum()


def make_base():
    """As transformers 5 writes them, with a pooler, I64 position_ids, and all sentence-transformers files."""
    path = folder("model-base")
    model = randomise(BertModel(config()), 1)
    seqs = batch(2)
    tokenizer_files(path)
    st_files(path, "mean", True, 20, {"query": "query : ", "document": "passage : "})
    model.config.architectures = ["BertModel"]
    model.config.save_pretrained(path)
    state = {k: v.contiguous() for k, v in model.state_dict().items()}
    state["embeddings.position_ids"] = torch.arange(32)[None]
    save_file(state, path / "model.safetensors", {"format": "pt"})
    gold = pack(seqs) | {"hidden": hidden_of(model, seqs)}
    for mode, ours in OURS.items():
        gold["pooled." + ours] = pool(model, seqs, mode)
        gold["rest." + ours] = pool(model, [s for s in seqs if len(s) > 2], mode, prompt=2)
    c = weights_for_loss(len(seqs), 3)
    gold["loss.c"] = c
    gold |= gradients(model, embedding_loss(model, seqs, "mean", c))
    texts = ["The cat sat on a mat.", "한국어 문장이 서울", "", "a b c d e f g h i j k l m n o p q r s t u v w x y z",
             "the cat sat on a mat.", "zebra 서울"]
    write_json(path / "texts.json", texts)
    st = SentenceTransformer(str(path), device="cpu")
    gold["vectors.plain"] = torch.tensor(st.encode(texts))
    gold["vectors.query"] = torch.tensor(st.encode(texts, prompt_name="query"))
    save_file({k: v.detach().contiguous() for k, v in gold.items()}, path / "gold.safetensors")


def make_old():
    """Prefix bert., gamma and beta, no pooler, torch_dtype, tanh GELU, another epsilon, CLS in the new spelling."""
    path = folder("model-old")
    model = randomise(BertModel(config(hidden_act="gelu_new", layer_norm_eps=1e-5, num_attention_heads=2,
                                       num_hidden_layers=1), add_pooling_layer=False), 11)
    seqs = batch(12)
    st_files(path, "cls", False, None, new=True)
    c = json.loads(model.config.to_json_string())
    c.pop("dtype", None)
    write_json(path / "config.json", c | {"architectures": ["BertForMaskedLM"], "torch_dtype": "float32"})
    write_json(path / "tokenizer_config.json", {"tokenizer_class": "BertTokenizer", "model_max_length": 16})
    names = {"LayerNorm.weight": "LayerNorm.gamma", "LayerNorm.bias": "LayerNorm.beta"}
    state = {}
    for k, v in model.state_dict().items():
        for new, old in names.items():
            k = k.replace(new, old)
        state["bert." + k] = v.contiguous()
    state["cls.predictions.bias"] = torch.zeros(len(VOCAB))
    save_file(state, path / "model.safetensors", {"format": "pt"})
    gold = pack(seqs) | {"hidden": hidden_of(model, seqs), "pooled.cls": pool(model, seqs, "cls")}
    save_file({k: v.detach().contiguous() for k, v in gold.items()}, path / "gold.safetensors")


def make_sharded():
    """bf16 in two shards with an index, no sentence-transformers files, relu."""
    path = folder("model-sharded")
    model = randomise(BertModel(config(hidden_act="relu", num_hidden_layers=1, type_vocab_size=1)), 21).to(torch.bfloat16)
    seqs = batch(22)
    model.config.architectures = ["BertModel"]
    model.config.save_pretrained(path)
    items = sorted(model.state_dict().items())
    shards = {"model-00001-of-00002.safetensors": items[:9], "model-00002-of-00002.safetensors": items[9:]}
    where = {}
    for file, some in shards.items():
        save_file({k: v.contiguous() for k, v in some}, path / file, {"format": "pt"})
        where |= {k: file for k, _ in some}
    total = sum(v.numel() * 2 for _, v in items)
    write_json(path / "model.safetensors.index.json", {"metadata": {"total_size": total}, "weight_map": where})
    model = model.float()
    gold = pack(seqs) | {"hidden": hidden_of(model, seqs), "pooled.mean": pool(model, seqs, "mean")}
    save_file({k: v.detach().contiguous() for k, v in gold.items()}, path / "gold.safetensors")


def make_classifier():
    """A reranker of three labels, with token types."""
    path = folder("model-classifier")
    model = randomise(BertForSequenceClassification(config(num_labels=3, num_hidden_layers=1)), 31)
    seqs = batch(32)
    types = [(torch.arange(len(s)) > len(s) // 2).long() for s in seqs]
    labels = torch.tensor([0, 2, 1, 1, 0, 2])
    model.config.architectures = ["BertForSequenceClassification"]
    model.config.save_pretrained(path)
    save_file({k: v.contiguous() for k, v in model.state_dict().items()}, path / "model.safetensors", {"format": "pt"})
    logits = torch.cat([model(input_ids=s[None], token_type_ids=t[None]).logits for s, t in zip(seqs, types)])
    gold = pack(seqs) | {"types": torch.cat(types), "labels": labels, "logits": logits}
    gold |= gradients(model, torch.nn.functional.cross_entropy(logits, labels))
    save_file({k: v.detach().contiguous() for k, v in gold.items()}, path / "gold.safetensors")


def make_lora():
    """Adapters on model-base, as PEFT applies, differentiates and merges them."""
    path = ROOT / "model-lora"
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir()
    base = BertModel.from_pretrained(ROOT / "model-base").eval()
    model = get_peft_model(base, LoraConfig(r=4, lora_alpha=6, lora_dropout=0.0,
                                            target_modules=["query", "value", "output.dense"]))
    g = torch.Generator().manual_seed(41)
    gold = {}
    with torch.no_grad():
        for name, p in model.named_parameters():
            if "lora_" in name:
                p.copy_(0.3 * torch.randn(p.shape, generator=g))
                gold["value." + name.replace(".default", "")] = p.clone()
    seqs = batch(2)
    inner = model.base_model.model
    gold |= pack(seqs) | {"hidden": hidden_of(inner, seqs)}
    c = weights_for_loss(len(seqs), 43)
    gold["loss.c"] = c
    gold |= {k.replace(".default", ""): v for k, v in gradients(model, embedding_loss(inner, seqs, "mean", c)).items()}
    merged = model.merge_and_unload()
    for name in ["encoder.layer.1.attention.self.query.weight", "encoder.layer.1.output.dense.weight",
                 "encoder.layer.0.attention.self.key.weight"]:
        gold["merged." + name] = merged.state_dict()[name].clone()
    save_file({k: v.detach().contiguous() for k, v in gold.items()}, path / "gold.safetensors")


if __name__ == "__main__":
    torch.set_num_threads(1)
    for make in (make_base, make_old, make_sharded, make_classifier, make_lora):
        make()
    total = sum(f.stat().st_size for p in ROOT.glob("model-*") for f in p.rglob("*") if f.is_file())
    print(f"{total} bytes in {ROOT}/model-*")
