"""Writes tests/fixtures/adapters/NAME: adapters as PEFT saves them, on the models of tests/fixtures/encoders, and what
PEFT computes with them (gold.safetensors, as tests/model_case.h reads it).

    patterns    rank_pattern, alpha_pattern, rsLoRA, a table (lora_embedding_A, _B), trained biases
    dora        DoRA on all linears, bfloat16 file
    head        SEQ_CLS: modules_to_save brings the classifier that the base lacks
    spelled     adapter_model.bin, names with the adapter's (lora_A.default.weight) and the model's prefix

Run from the repository's root, after make_encoder_gold.py, with a Python that has torch, transformers and peft:
    python tests/parity/make_adapter_gold.py
"""
import json
import pathlib
import shutil

import torch
from peft import LoraConfig, get_peft_model
from safetensors.torch import load_file, save_file
from transformers import AutoModel, AutoModelForSequenceClassification

from make_encoder_gold import batch, pack, states_of

FIXTURES = pathlib.Path(__file__).resolve().parent.parent / "fixtures"
ROOT = FIXTURES / "adapters"


def make(name, base, config, seed, classifier=False, finish=None):
    path = ROOT / name
    shutil.rmtree(path, ignore_errors=True)
    kind = AutoModelForSequenceClassification if classifier else AutoModel
    more = {"num_labels": 3} if classifier else {"add_pooling_layer": False}
    model = get_peft_model(kind.from_pretrained(FIXTURES / "encoders" / base, attn_implementation="eager", **more), config)
    g = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for n, p in model.named_parameters():
            if "lora_" in n or "modules_to_save" in n:
                p.copy_(0.2 * torch.randn(p.shape, generator=g) + (0.8 if "magnitude" in n else 0))
            elif p.requires_grad:  # biases
                p.add_(0.3 * torch.randn(p.shape, generator=g))
    model.eval()
    model.save_pretrained(path)
    (path / "README.md").unlink(missing_ok=True)
    file = path / "adapter_model.safetensors"
    file.chmod(0o644)
    c = json.loads((path / "adapter_config.json").read_text())
    c["base_model_name_or_path"] = f"../../encoders/{base}"
    (path / "adapter_config.json").write_text(json.dumps(c, indent=1, sort_keys=True) + "\n")
    if finish:
        finish(path, file, model)
    seqs = batch(seed, None)
    gold = pack(seqs)
    with torch.no_grad():
        if classifier:
            gold["logits"] = torch.cat([model(input_ids=s[None]).logits for s in seqs])
        else:
            gold["states"] = states_of(model.base_model.model, seqs, None)
    save_file({k: v.detach().contiguous() for k, v in gold.items()}, path / "gold.safetensors")
    for f in path.iterdir():
        f.chmod(0o644)


def in_bf16(path, file, model):
    """The file in bfloat16, and PEFT's model with what is in it."""
    tensors = {k: v.to(torch.bfloat16) for k, v in load_file(file).items()}
    save_file(tensors, file, {"format": "pt"})
    with torch.no_grad():
        for n, p in model.named_parameters():
            if "lora_" in n:
                p.copy_(p.to(torch.bfloat16).float())


def spell(path, file, model):
    tensors = {}
    for k, v in load_file(file).items():
        k = k.replace("lora_A.weight", "lora_A.default.weight").replace("lora_B.weight", "lora_B.default.weight")
        tensors[k.replace("base_model.model.", "base_model.model.roberta.")] = v
    torch.save(tensors, path / "adapter_model.bin")
    file.unlink()


if __name__ == "__main__":
    torch.set_num_threads(1)
    make("patterns", "bert-1", LoraConfig(r=4, lora_alpha=6, use_rslora=True, bias="lora_only", target_modules=[
        "query", "value", "output.dense", "word_embeddings"], rank_pattern={"layer.1.attention.self.query": 2},
        alpha_pattern={"value": 3, r".*\.0\.output\.dense": 5}), 1)
    make("dora", "roberta-1", LoraConfig(r=3, lora_alpha=5, use_dora=True, target_modules="all-linear"), 2, finish=in_bf16)
    make("head", "bert-1", LoraConfig(r=2, lora_alpha=4, task_type="SEQ_CLS", target_modules=["key", "dense"]), 3, classifier=True)
    make("spelled", "roberta-1", LoraConfig(r=2, lora_alpha=2, target_modules=["query", "intermediate.dense"]), 4, finish=spell)
    print(sum(f.stat().st_size for f in ROOT.rglob("*") if f.is_file()), "bytes in", ROOT)
