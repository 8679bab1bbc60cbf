"""Writes tests/fixtures/decoders/FAMILY-{1,2,3}: three tiny random models of each family that turns its heads (decoders, ModernBERT, NewModel),
as transformers saves them, and what transformers computes with them in eager attention (gold.safetensors).

    1   float32, transformers 5's keys: states of every layer, pooled vectors, gradients of all parameters, LoRA as peft applies it
    2   float32, transformers 4's keys, saved by a class with a head ("model." in front of the names): states, pooled vectors
    3   bfloat16 in two shards: states, pooled vectors

NewModel (gte-multilingual, arctic-embed-m-v2) is not part of transformers: its code comes with the published folders and is not run here. What it
computes is written down below (class NewModel), from its description: BERT's post-norm layer with rotary positions, one qkv_proj, and a gated
feed-forward half whose gate is the second half of up_gate_proj.

Run from the repository's root with a Python that has torch, transformers, peft and safetensors:
    python tests/parity/make_decoder_gold.py [FAMILY ...]
"""
import json
import pathlib
import shutil
import sys

import torch
import transformers as tf
from peft import LoraConfig, get_peft_model
from safetensors.torch import save_file

ROOT = pathlib.Path(__file__).resolve().parent.parent / "fixtures/decoders"
LENGTHS = [7, 1, 22, 3, 40, 2]
VOCAB = 48
LORA_TARGETS = {"modernbert": ["Wqkv", "mlp.Wo"]}
HEADS = {"num_attention_heads": 3, "num_key_value_heads": 1, "head_dim": 6}


def decoder(**more):
    return dict(vocab_size=VOCAB, hidden_size=16, num_hidden_layers=2, intermediate_size=20, max_position_embeddings=64,
                pad_token_id=0) | HEADS | more


def v5(kind, theta=10000.0, **more):
    return {"rope_type": kind, "rope_theta": theta, **more}


def flat_v4(config):
    """rope_parameters as rope_theta and rope_scaling; no layer_types."""
    rope = config.pop("rope_parameters")
    config["rope_theta"] = rope.pop("rope_theta")
    config["rope_scaling"] = None if rope["rope_type"] == "default" else rope
    config.pop("layer_types", None)
    config["torch_dtype"] = config.pop("dtype")
    return config


def oldest_v4(config):
    """"type" in place of rope_type."""
    config = flat_v4(config)
    config["rope_scaling"]["type"] = config["rope_scaling"].pop("rope_type")
    return config


def gemma3_v4(config):
    rope = config.pop("rope_parameters")
    config["rope_theta"] = rope["full_attention"].pop("rope_theta")
    config["rope_local_base_freq"] = rope["sliding_attention"]["rope_theta"]
    config["rope_scaling"] = rope["full_attention"]
    config["sliding_window_pattern"] = 2
    config.pop("layer_types")
    config["torch_dtype"] = config.pop("dtype")
    return config


def modernbert_v4(config):
    rope = config.pop("rope_parameters")
    config["global_rope_theta"] = rope["full_attention"]["rope_theta"]
    config["local_rope_theta"] = rope["sliding_attention"]["rope_theta"]
    config["global_attn_every_n_layers"] = 2
    config.pop("layer_types")
    config["torch_dtype"] = config.pop("dtype")
    return config


LOCAL, GLOBAL = "sliding_attention", "full_attention"
THETAS = {LOCAL: v5("default", 100.0), GLOBAL: v5("default", 10000.0)}
SCALED = {LOCAL: v5("default", 100.0), GLOBAL: v5("linear", 10000.0, factor=4.0)}
ODD = {"num_attention_heads": 5, "num_key_value_heads": 5, "head_dim": 4}
MB = dict(vocab_size=VOCAB, hidden_size=18, num_attention_heads=3, intermediate_size=20, max_position_embeddings=64, num_hidden_layers=4,
          local_attention=8, pad_token_id=0, bos_token_id=1, eos_token_id=2, cls_token_id=1, sep_token_id=2)

# family: (name of its classes, class with a head of the second, settings of the three models, how the second is spelt)
FAMILIES = {
    "qwen2": ("Qwen2", "Qwen2ForCausalLM", [
        decoder(rope_parameters=v5("default", 1000000.0)),
        decoder(rope_parameters=v5("yarn", 10000.0, factor=4.0, original_max_position_embeddings=16), hidden_act="relu", use_sliding_window=True,
                sliding_window=5, max_window_layers=1, tie_word_embeddings=True),
        decoder(rope_parameters=v5("dynamic", 10000.0, factor=4.0), max_position_embeddings=16, is_causal=False, **ODD)], flat_v4),
    "qwen3": ("Qwen3", "Qwen3ForCausalLM", [
        decoder(rope_parameters=v5("default"), attention_bias=True, hidden_act="gelu"),
        decoder(rope_parameters=v5("linear", factor=2.0), tie_word_embeddings=False),
        decoder(rope_parameters=v5("yarn", factor=8.0, original_max_position_embeddings=8, attention_factor=1.25, beta_fast=16.0, beta_slow=2.0,
                                   truncate=False), use_sliding_window=True, sliding_window=6, layer_types=[LOCAL, GLOBAL])], flat_v4),
    "llama": ("Llama", "LlamaForCausalLM", [
        decoder(rope_parameters=v5("llama3", factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0, original_max_position_embeddings=32),
                attention_bias=True, mlp_bias=True, num_attention_heads=4, num_key_value_heads=2),
        decoder(rope_parameters=v5("dynamic", factor=2.0), max_position_embeddings=20, hidden_act="gelu_new", num_attention_heads=4),
        decoder(rope_parameters=v5("linear", 500.0, factor=4.0), is_causal=False, num_attention_heads=2)], oldest_v4),
    "mistral": ("Mistral", "MistralForCausalLM", [
        decoder(rope_parameters=v5("default"), sliding_window=5),
        decoder(rope_parameters=v5("default", 1000.0), sliding_window=None, hidden_act="gelu_pytorch_tanh", **ODD),
        decoder(rope_parameters=v5("default"), sliding_window=4, is_causal=False)], flat_v4),
    "gemma": ("Gemma", "GemmaForCausalLM", [
        decoder(rope_parameters=v5("default")),
        decoder(rope_parameters=v5("default", 1000.0), hidden_act="gelu", **ODD),
        decoder(rope_parameters=v5("default"), is_causal=False, attention_bias=True)], flat_v4),
    "gemma2": ("Gemma2", "Gemma2ForCausalLM", [
        decoder(rope_parameters=v5("default"), sliding_window=4, attn_logit_softcapping=1.5, query_pre_attn_scalar=9, num_attention_heads=4,
                num_key_value_heads=2),
        decoder(rope_parameters=v5("default"), sliding_window=7, attn_logit_softcapping=None, hidden_activation="relu", num_attention_heads=4),
        decoder(rope_parameters=v5("default"), sliding_window=6, attn_logit_softcapping=3.0, is_causal=False, num_attention_heads=2,
                layer_types=[GLOBAL, LOCAL])], flat_v4),
    "gemma3_text": ("Gemma3Text", "Gemma3ForCausalLM", [
        decoder(rope_parameters=THETAS, sliding_window=8, layer_types=[LOCAL, GLOBAL], query_pre_attn_scalar=7, num_attention_heads=4,
                use_bidirectional_attention=True),
        decoder(rope_parameters=SCALED, sliding_window=5, layer_types=[LOCAL, GLOBAL], num_attention_heads=4, num_key_value_heads=2),
        decoder(rope_parameters=THETAS, sliding_window=10, layer_types=[GLOBAL, LOCAL], num_attention_heads=2,
                use_bidirectional_attention=True)], gemma3_v4),
    "modernbert": ("ModernBert", "ModernBertForMaskedLM", [
        MB | dict(rope_parameters=THETAS),
        MB | dict(rope_parameters=THETAS, layer_types=[GLOBAL, LOCAL] * 2, norm_bias=True, attention_bias=True, mlp_bias=True,
                  hidden_activation="gelu_new"),
        MB | dict(rope_parameters=THETAS, hidden_activation="silu", num_hidden_layers=3)], modernbert_v4),
}


def batch(seed):
    g = torch.Generator().manual_seed(seed)
    return [torch.randint(4, VOCAB, (n,), generator=g) for n in LENGTHS]


def randomise(model, seed):
    """Weights large enough that every part of the model shows in the output; norms and biases not at their start."""
    g = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, p in model.named_parameters():
            noise = torch.randn(p.shape, generator=g)
            is_norm = "norm" in name.lower() and name.endswith("weight")
            is_gemma = type(model).__name__.startswith("Gemma")
            p.copy_((0 if is_gemma else 1) + 0.2 * noise if is_norm else 0.25 * noise)
    return model.eval()


def pack(seqs):
    return {"ids": torch.cat(seqs), "start": torch.tensor([0] + [len(s) for s in seqs]).cumsum(0)}


def states_of(model, seqs):
    """[T,H] of the real tokens for each of transformers' hidden_states, one text at a time."""
    rows = []
    for s in seqs:
        model(input_ids=s[None, :1])  # dynamic frequencies of an earlier, longer text are forgotten
        rows.append(model(input_ids=s[None], output_hidden_states=True).hidden_states)
    return [torch.cat([r[i][0] for r in rows]) for i in range(len(rows[0]))]


def means(states, seqs):
    return torch.stack([part.mean(0) for part in states.split([len(s) for s in seqs])])


def gold_of(states, seqs):
    last = [part[-1] for part in states[-1].split([len(s) for s in seqs])]
    return pack(seqs) | {"states": torch.stack(states), "pooled.mean": means(states[-1], seqs), "pooled.last": torch.stack(last)}


def save_gold(path, gold):
    save_file({k: v.detach().float().contiguous() if v.is_floating_point() else v for k, v in gold.items()}, path / "gold.safetensors")


def save_sharded(path, state):
    items = sorted(state.items())
    half = len(items) // 2
    shards = {"model-00001-of-00002.safetensors": items[:half], "model-00002-of-00002.safetensors": items[half:]}
    where = {}
    for file, some in shards.items():
        save_file({k: v.to(torch.bfloat16).contiguous() for k, v in some}, path / file, {"format": "pt"})
        where |= {k: file for k, _ in some}
    (path / "model.safetensors.index.json").write_text(json.dumps({"metadata": {}, "weight_map": where}, indent=1) + "\n")


def folder(family, n):
    path = ROOT / f"{family}-{n}"
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir(parents=True)
    return path


def loss_of(last, seqs, c):
    return (means(last, seqs) * c).sum()


def add_training(gold, model, targets, seqs, states):
    """Gradients of a loss over mean vectors; then adapters: their values, and the last states with them."""
    c = torch.randn(len(seqs), states(model)[-1].shape[1], generator=torch.Generator().manual_seed(9))
    gold["loss.c"] = c
    model.zero_grad()
    loss_of(states(model)[-1], seqs, c).backward()
    gold |= {"grad." + n: p.grad.clone() for n, p in model.named_parameters() if p.grad is not None}
    adapted = get_peft_model(model, LoraConfig(r=2, lora_alpha=3, lora_dropout=0.0, target_modules=targets))
    g = torch.Generator().manual_seed(41)
    with torch.no_grad():
        for name, p in adapted.named_parameters():
            if "lora_" in name:
                p.copy_(0.3 * torch.randn(p.shape, generator=g))
                gold["value." + name.replace(".default", "")] = p.clone()
    gold["lora.states"] = states(adapted.base_model.model)[-1]


def make(family, name, head_class, settings, old_keys):
    for n, more in enumerate(settings, 1):
        path = folder(family, n)
        config = getattr(tf, name + "Config")(**more)
        kind = head_class if n == 2 else name + "Model"
        torch.manual_seed(n)
        model = randomise(getattr(tf, kind)(config), 10 * n)
        config.architectures = [kind]
        if n == 3:
            config.save_pretrained(path)
            save_sharded(path, model.state_dict())
        else:
            model.save_pretrained(path)
            (path / "generation_config.json").unlink(missing_ok=True)
        if n == 2:
            spelt = old_keys(json.loads((path / "config.json").read_text()))
            spelt.pop("transformers_version")
            (path / "config.json").write_text(json.dumps(spelt, indent=1) + "\n")
        model = tf.AutoModel.from_pretrained(path, attn_implementation="eager", dtype=torch.float32).eval()
        seqs = batch(n)
        gold = gold_of(states_of(model, seqs), seqs)
        if n == 1:
            targets = LORA_TARGETS.get(family, ["q_proj", "v_proj", "up_proj", "down_proj"])
            add_training(gold, model, targets, seqs, lambda m: states_of(m, seqs))
        save_gold(path, gold)


def make_modernbert_heads():
    """modernbert-4, -5: rerankers, with the head's own options."""
    for n, more in ((4, {"classifier_pooling": "cls", "num_labels": 1}),
                    (5, {"classifier_pooling": "mean", "num_labels": 3, "classifier_bias": True, "classifier_activation": "silu", "norm_bias": False})):
        path = folder("modernbert", n)
        config = tf.ModernBertConfig(**MB | {"num_hidden_layers": 2, "rope_parameters": THETAS} | more, attn_implementation="eager")
        model = randomise(tf.ModernBertForSequenceClassification(config), 10 * n)
        config.architectures = ["ModernBertForSequenceClassification"]
        model.save_pretrained(path)
        seqs = batch(n)
        logits = torch.cat([model(input_ids=s[None]).logits for s in seqs])
        c = torch.randn(logits.shape, generator=torch.Generator().manual_seed(9))
        (logits * c).sum().backward()
        gold = pack(seqs) | {"logits": logits, "loss.c": c}
        save_gold(path, gold | {"grad." + k: p.grad for k, p in model.named_parameters() if p.grad is not None})


MINICPM = [
    dict(scale_emb=12, scale_depth=1.4, dim_model_base=8, rope_parameters=v5("default")),
    dict(scale_emb=3, scale_depth=0.7, dim_model_base=16, rope_parameters=v5("dynamic", factor=2.0), max_position_embeddings=20, hidden_act="gelu"),
    dict(scale_emb=1, scale_depth=1, dim_model_base=1, rope_parameters=v5("linear", factor=4.0), attention_bias=True, num_key_value_heads=4)]


def make_minicpm():
    """Not part of transformers either: Llama, with the scale of the embeddings and of what layers add folded into the weights of the reference."""
    for n, more in enumerate(MINICPM, 1):
        path = folder("minicpm", n)
        scales = {k: more[k] for k in ("scale_emb", "scale_depth", "dim_model_base")}
        config = tf.LlamaConfig(**decoder(num_attention_heads=4) | {k: v for k, v in more.items() if k not in scales}, attn_implementation="eager")
        model = randomise(tf.LlamaModel(config), 10 * n)
        if n == 3:
            for p in model.parameters():  # not its buffers: frequencies stay float32
                p.data = p.data.to(torch.bfloat16).float()
            save_sharded(path, model.state_dict())
        else:
            save_file({k: v.contiguous() for k, v in model.state_dict().items()}, path / "model.safetensors", {"format": "pt"})
        spelt = flat_v4(json.loads(config.to_json_string()) | {"dtype": "float32"})
        (path / "config.json").write_text(json.dumps(spelt | scales | {"model_type": "minicpm", "architectures": ["LayerWiseMiniCPMForCausalLM"]},
                                                     indent=1) + "\n")
        depth = scales["scale_depth"] / config.num_hidden_layers ** 0.5
        with torch.no_grad():
            model.embed_tokens.weight.mul_(scales["scale_emb"])
            for layer in model.layers:
                for linear in (layer.self_attn.o_proj, layer.mlp.down_proj):
                    for p in linear.parameters():
                        p.mul_(depth)
        seqs = batch(n)
        save_gold(path, gold_of(states_of(model, seqs), seqs))


class NewModel(torch.nn.Module):
    """What the published weights of gte-multilingual are put through: BERT's post-norm layer, rotary positions, a gated feed-forward half."""

    def __init__(self, c):
        super().__init__()
        self.c = c
        h, f = c["hidden_size"], c["intermediate_size"]
        shapes = {"embeddings.word_embeddings.weight": (VOCAB, h), "embeddings.LayerNorm.weight": (h,), "embeddings.LayerNorm.bias": (h,)}
        if c["type_vocab_size"]:
            shapes["embeddings.token_type_embeddings.weight"] = (c["type_vocab_size"], h)
        for i in range(c["num_hidden_layers"]):
            at = f"encoder.layer.{i}."
            projections = ["qkv_proj"] if c["pack_qkv"] else ["q_proj", "k_proj", "v_proj"]
            for p in projections:
                rows = 3 * h // len(projections)
                shapes |= {at + f"attention.{p}.weight": (rows, h), at + f"attention.{p}.bias": (rows,)}
            shapes |= {at + "attention.o_proj.weight": (h, h), at + "attention.o_proj.bias": (h,), at + "mlp.up_gate_proj.weight": (2 * f, h),
                       at + "mlp.down_proj.weight": (h, f), at + "mlp.down_proj.bias": (h,)}
            for n in ("attn_ln", "mlp_ln"):
                shapes |= {at + f"{n}.weight": (h,), at + f"{n}.bias": (h,)}
        self.named = {}
        for name, shape in shapes.items():
            self.named[name] = torch.nn.Parameter(torch.zeros(shape))
        for name, p in self.named.items():
            self.register_parameter(name.replace(".", "_"), p)

    def norm(self, x, name):
        return torch.nn.functional.layer_norm(x, x.shape[-1:], self.named[name + ".weight"], self.named[name + ".bias"], self.c["layer_norm_eps"])

    def linear(self, x, name):
        return torch.nn.functional.linear(x, self.named[name + ".weight"], self.named.get(name + ".bias"))

    def angles(self, n, dim):
        """Frequencies with the fixed NTK scaling: theta * factor, and all of them divided by factor^(2/dim)."""
        scaling = self.c.get("rope_scaling") or {"factor": 1.0}
        theta = self.c["rope_theta"] * scaling["factor"]
        freq = 1.0 / theta ** (torch.arange(0, dim, 2).float() / dim) / scaling["factor"] ** (2 / dim)
        return torch.outer(torch.arange(n).float(), freq)

    def layer(self, x, at):
        n, h = x.shape
        heads = self.c["num_attention_heads"]
        if self.c["pack_qkv"]:
            q, k, v = self.linear(x, at + "attention.qkv_proj").split(h, dim=-1)
        else:
            q, k, v = (self.linear(x, at + f"attention.{p}_proj") for p in "qkv")
        q, k, v = (t.view(n, heads, h // heads).transpose(0, 1) for t in (q, k, v))
        a = self.angles(n, h // heads)
        cos, sin = a.cos(), a.sin()

        def turn(t):
            u, w = t.chunk(2, dim=-1)
            return torch.cat([u * cos - w * sin, w * cos + u * sin], dim=-1)

        scores = torch.softmax(turn(q) @ turn(k).transpose(1, 2) / (h // heads) ** 0.5, dim=-1)
        x = self.norm(x + self.linear((scores @ v).transpose(0, 1).reshape(n, h), at + "attention.o_proj"), at + "attn_ln")
        up, gate = self.linear(x, at + "mlp.up_gate_proj").chunk(2, dim=-1)
        act = {"gelu": torch.nn.functional.gelu, "silu": torch.nn.functional.silu}[self.c["hidden_act"]]
        return self.norm(x + self.linear(act(gate) * up, at + "mlp.down_proj"), at + "mlp_ln")

    def states(self, ids):
        x = self.named["embeddings.word_embeddings.weight"][ids]
        if self.c["type_vocab_size"]:
            x = x + self.named["embeddings.token_type_embeddings.weight"][0]
        all_states = [self.norm(x, "embeddings.LayerNorm")]
        for i in range(self.c["num_hidden_layers"]):
            all_states.append(self.layer(all_states[-1], f"encoder.layer.{i}."))
        return all_states


def new_states(model, seqs):
    rows = [model.states(s) for s in seqs]
    return [torch.cat([r[i] for r in rows]) for i in range(len(rows[0]))]


NEW = dict(vocab_size=VOCAB, hidden_size=18, num_attention_heads=3, intermediate_size=20, num_hidden_layers=2, hidden_act="gelu",
           layer_norm_type="layer_norm", layer_norm_eps=1e-12, position_embedding_type="rope", rope_theta=1000.0, rope_scaling=None,
           max_position_embeddings=64, type_vocab_size=1, pack_qkv=True, hidden_dropout_prob=0.1, attention_probs_dropout_prob=0.0)
NEW_MODELS = [
    NEW | dict(model_type="new", architectures=["NewModel"], rope_scaling={"type": "ntk", "factor": 8.0}),
    NEW | dict(model_type="gte", architectures=["GteModel"], pack_qkv=False, type_vocab_size=0, layer_norm_eps=1e-5),
    NEW | dict(model_type="new", architectures=["NewForMaskedLM"], hidden_act="silu", num_attention_heads=9, type_vocab_size=2)]


def make_new():
    for n, settings in enumerate(NEW_MODELS, 1):
        path = folder("new", n)
        model = NewModel(settings)
        g = torch.Generator().manual_seed(10 * n)
        with torch.no_grad():
            for name, p in model.named.items():
                noise = torch.randn(p.shape, generator=g)
                p.copy_(1 + 0.2 * noise if len(p.shape) == 1 and name.endswith("weight") else 0.25 * noise)
                if n == 3:
                    p.copy_(p.to(torch.bfloat16))
        (path / "config.json").write_text(json.dumps(settings, indent=1) + "\n")
        state = {k: v.detach() for k, v in model.named.items()}
        if n == 3:
            save_sharded(path, {"new." + k: v for k, v in state.items()} | {"lm_head.dense.bias": torch.zeros(18)})
        else:
            save_file({k: v.contiguous() for k, v in state.items()}, path / "model.safetensors", {"format": "pt"})
        seqs = batch(n)
        states = new_states(model, seqs)
        gold = gold_of(states, seqs)
        if n == 1:
            gold["loss.c"] = torch.randn(len(seqs), 18, generator=torch.Generator().manual_seed(9))
            loss_of(states[-1], seqs, gold["loss.c"]).backward()
            gold |= {"grad." + k: p.grad for k, p in model.named.items()}
        save_gold(path, gold)


if __name__ == "__main__":
    torch.set_num_threads(1)
    wanted = sys.argv[1:]
    if not wanted or "new" in wanted:
        make_new()
    if not wanted or "modernbert" in wanted:
        make_modernbert_heads()
    if not wanted or "minicpm" in wanted:
        make_minicpm()
    for family, parts in FAMILIES.items():
        if not wanted or family in wanted:
            make(family, *parts)
    total = sum(f.stat().st_size for f in ROOT.rglob("*") if f.is_file())
    print(f"{total} bytes in {ROOT}")
