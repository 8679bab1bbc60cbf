"""Compares `tokenize` with the Hugging Face tokenizers library on real and on random texts; ends with status 1 and
the first difference.

    python tests/parity/tokenizer_check.py --data ../shared/data --random 100000 MODEL_DIR...

The texts are every line of every file under --data and every string of its JSONL rows. A folder without a
tokenizer.json is read as a vocab.txt by transformers' BertTokenizer, once with and once without lower-casing.
"""
import argparse
import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile

from tokenizers import Tokenizer
from transformers import BertTokenizer
from transformers.models.bert.tokenization_bert import load_vocab

ROOT = pathlib.Path(__file__).resolve().parents[2]
SPECIALS = ["[CLS]", "[SEP]", "[MASK]", "[UNK]", " [MASK] ", "<s>", "</s>", "<mask>", " <mask> ", "<unk>", "[unk]", "\u2581",
            "##a", "\r\n", "#"]
BLOCKS = [(0x20, 0x7F), (0, 0x100), (0x300, 0x370), (0xAC00, 0xD7A4), (0x1100, 0x1200), (0x3130, 0x3190), (0x2000, 0x2070),
          (0x4E00, 0x9FFF), (0xE00, 0xE80), (0x900, 0x980), (0x600, 0x700), (0x1F300, 0x1F650), (0xF900, 0xFB50),
          (0xFF00, 0xFFF0), (0x1E00, 0x2000), (0x400, 0x530), (0, 0x110000)]
ODD = [0x20, 0x20, 0x20, 0xA0, 0x3000, 0x85, 0x2028, 9, 10, 13, 0x200B, 0x200D, 0xFEFF, 0x2581, 0xFE0F]


def strings(v):
    if isinstance(v, str):
        yield v
    elif isinstance(v, (list, dict)):
        for x in v.values() if isinstance(v, dict) else v:
            yield from strings(x)


def real_texts(folder):
    seen = set()
    for path in sorted(folder.rglob("*")):
        if not path.is_file():
            continue
        text = path.read_bytes().decode("utf-8", "replace")
        for line in text.split("\n"):
            if path.suffix != ".jsonl":
                seen.add(line)
            elif line.strip():
                seen.update(strings(json.loads(line)))
        if len(text) < 200000:
            seen.add(text)
    return sorted(t.encode("utf-8", "replace").decode() for t in seen)


def random_texts(n, seed):
    r = random.Random(seed)
    for _ in range(n):
        pools = [[r.randrange(*b) for _ in range(40)] for b in r.sample(BLOCKS, r.randint(1, 4))] + [ODD]
        parts = []
        for _ in range(r.choice([1, 2, 3, 5, 8, 13, 30, 80])):
            x = r.random()
            c = r.choice(r.choice(pools))
            parts.append(r.choice(SPECIALS) if x < 0.03 else " " if x < 0.15 or 0xD800 <= c < 0xE000 else chr(c))
        yield "".join(parts)


def ours(program, model, texts, scratch):
    source, ids = scratch / "in.jsonl", scratch / "ids.jsonl"
    with open(source, "w") as f:
        f.writelines(json.dumps({"text": t}) + "\n" for t in texts)
    subprocess.run([program, "tokenize", "--model", model, "--in", source, "--out", ids, "--threads", "1"],
                   check=True, stderr=subprocess.DEVNULL)
    with open(ids) as f:
        return [json.loads(line)["ids"] for line in f]


def compare(name, program, model, reference, texts, scratch):
    reference.no_padding()
    reference.no_truncation()
    got = ours(program, model, texts, scratch)
    assert len(got) == len(texts), "%d results for %d texts" % (len(got), len(texts))
    for at in range(0, len(texts), 2000):
        part = texts[at:at + 2000]
        for text, want, have in zip(part, reference.encode_batch_fast(part), got[at:at + 2000]):
            if want.ids != have:
                sys.exit("%s differs on %s\n  theirs %s\n  ours   %s" % (name, ascii(text[:2000]), want.ids[:300], have[:300]))
    print("%-40s %8d texts, %6.1f MB: 0 differences" % (name, len(texts), sum(len(t.encode()) for t in texts) / 1e6), flush=True)


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--program", default=ROOT / "build/release/vecsmith")
    p.add_argument("--data", type=pathlib.Path)
    p.add_argument("--random", type=int, default=100000)
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("models", nargs="+", type=pathlib.Path)
    a = p.parse_args()
    os.environ["TOKENIZERS_PARALLELISM"] = "false"
    texts = (real_texts(a.data) if a.data else []) + list(random_texts(a.random, a.seed))
    with tempfile.TemporaryDirectory() as d:
        scratch = pathlib.Path(d)
        for model in a.models:
            if (model / "tokenizer.json").exists():
                compare(model.name, a.program, model, Tokenizer.from_file(str(model / "tokenizer.json")), texts, scratch)
                continue
            for lower in (True, False):
                (scratch / "vocab.txt").write_bytes((model / "vocab.txt").read_bytes())
                (scratch / "tokenizer_config.json").write_text(json.dumps({"do_lower_case": lower}))
                reference = BertTokenizer(vocab=dict(load_vocab(model / "vocab.txt")), do_lower_case=lower).backend_tokenizer
                name = model.name + (", lower case" if lower else ", cased")
                compare(name, a.program, scratch, reference, texts, scratch)


if __name__ == "__main__":
    main()
