"""Writes tests/fixtures/heads: what stands behind a backbone.

    m3        a tiny BGE-M3 (XLM-R, sparse_linear.pt, colbert_linear.pt) and what FlagEmbedding's BGEM3FlagModel gives
    chain-N   rows of modules as sentence-transformers 6 saves them, and its vectors:
              1 mean, Dense (tanh, bias), Dense (identity, no bias), Normalize      as EmbeddingGemma has them
              2 cls + max + mean side by side, Dense with residual, LayerNorm
              3 prompt left out, Normalize, Dense (GELU)
              4 the folder of 1 with .bin weights

Run from the repository's root with a Python that has torch, transformers, tokenizers, sentence-transformers and
FlagEmbedding:
    python tests/parity/make_heads_gold.py
"""
import json
import pathlib
import shutil

import numpy as np
import torch
import transformers as tf
from FlagEmbedding import BGEM3FlagModel
from safetensors.torch import load_file
from sentence_transformers import SentenceTransformer
from sentence_transformers.base.modules import Dense, Normalize
from sentence_transformers.base.modules.transformer import Transformer
from sentence_transformers.sentence_transformer.modules import LayerNorm, Pooling

from make_reranker_gold import randomise, tokenizer_files

ROOT = pathlib.Path(__file__).resolve().parent.parent / "fixtures/heads"
TEXTS = ["The giant panda is a bear, a bear, a bear.", "", "대왕판다는 곰이다", "hi", "a much longer text " * 12, "hi"]
PREFIX = "query panda: "


def fresh(name):
    path = ROOT / name
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir(parents=True)
    return path


def body(path, seed, kind="xlm"):
    template = ("<s> $A </s>", "<s> $A </s> </s> $B </s>")
    tokenizer_files(path, template, bos_token="<s>", eos_token="</s>", cls_token="<s>", sep_token="</s>", pad_token="<pad>",
                    model_max_length=60)
    config = tf.XLMRobertaConfig(vocab_size=320, hidden_size=8, num_hidden_layers=1, num_attention_heads=2, intermediate_size=10,
                                 max_position_embeddings=70, type_vocab_size=1, pad_token_id=0)
    model = randomise(tf.XLMRobertaModel(config, add_pooling_layer=False), seed)
    model.save_pretrained(path)
    (path / "model.safetensors").chmod(0o644)
    return model


def write(path, value):
    path.write_text(json.dumps(value, ensure_ascii=False, indent=0) + "\n")


def rows(array):
    return [[float(v) for v in r] for r in array]


def make_m3():
    path = fresh("m3")
    body(path, 1)
    g = torch.Generator().manual_seed(2)
    for name, out in (("sparse_linear", 1), ("colbert_linear", 6)):
        linear = torch.nn.Linear(8, out)
        with torch.no_grad():
            for p in linear.parameters():
                p.copy_(0.5 * torch.randn(p.shape, generator=g))
        torch.save(linear.state_dict(), path / f"{name}.pt")
    m = BGEM3FlagModel(str(path), use_fp16=False, devices="cpu", colbert_dim=6)
    out = m.encode(TEXTS, max_length=40, batch_size=3, return_dense=True, return_sparse=True, return_colbert_vecs=True)
    write(path / "gold.json", {"texts": TEXTS, "max_length": 40, "dense": rows(out["dense_vecs"]),
                               "sparse": [{k: float(v) for k, v in w.items()} for w in out["lexical_weights"]],
                               "multi": [rows(v) for v in out["colbert_vecs"]]})
    write(path / "modules.json", [
        {"idx": i, "name": str(i), "path": p, "type": f"sentence_transformers.models.{t}"}
        for i, (p, t) in enumerate([("", "Transformer"), ("1_Pooling", "Pooling"), ("2_Normalize", "Normalize")])])
    (path / "1_Pooling").mkdir()
    write(path / "1_Pooling/config.json", {"word_embedding_dimension": 8, "pooling_mode_cls_token": True})


def chain(name, seed, modules, as_bin=False):
    path, plain = fresh(name), fresh("plain")
    body(plain, seed)
    st = SentenceTransformer(modules=[Transformer(str(plain))] + modules, device="cpu", prompts={"query": PREFIX})
    g = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for m in modules:
            for p in m.parameters():
                p.copy_(0.4 * torch.randn(p.shape, generator=g) + (1 if isinstance(m, LayerNorm) and p.ndim == 1 else 0))
    st.save(str(path))
    shutil.rmtree(plain)
    (path / "README.md").unlink(missing_ok=True)
    if as_bin:
        for f in list(path.rglob("model.safetensors")):
            torch.save(load_file(f), f.with_name("pytorch_model.bin"))
            f.unlink()
    for f in path.rglob("*.safetensors"):
        f.chmod(0o644)
    write(path / "gold.json", {"texts": TEXTS, "plain": rows(st.encode(TEXTS, batch_size=3)),
                               "query": rows(st.encode(TEXTS, batch_size=3, prompt_name="query"))})


if __name__ == "__main__":
    torch.set_num_threads(1)
    make_m3()
    dense = [Pooling(8, "mean"), Dense(8, 12, activation_function=torch.nn.Tanh()),
             Dense(12, 5, bias=False, activation_function=torch.nn.Identity()), Normalize()]
    chain("chain-1", 11, dense)
    chain("chain-2", 12, [Pooling(8, ("cls", "max", "mean")), Dense(24, 7, activation_function=torch.nn.ReLU(), use_residual=True),
                          LayerNorm(7)])
    chain("chain-3", 13, [Pooling(8, "mean", include_prompt=False), Normalize(), Dense(8, 4, activation_function=torch.nn.GELU())])
    chain("chain-4", 14, dense, as_bin=True)
    print(sum(f.stat().st_size for f in ROOT.rglob("*") if f.is_file()), "bytes in", ROOT)
