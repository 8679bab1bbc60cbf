"""Compares `tokenize` with the Hugging Face tokenizers library on real and on random texts: ids and offsets, of single
texts and of pairs, whole and cut. Ends with status 1 and the first difference, made as short as it stays different.

    python tests/parity/tokenizer_check.py --data ../shared/data --random 200000 MODEL_DIR...

The texts are every line of every file under --data and every string of its JSONL rows, words of 100,000 characters,
and random strings: scripts, jamo, marks, emoji, controls, digits, spaces and code by turns, and the tokenizer's own
added tokens. A folder without a tokenizer.json is read as a vocab.txt by transformers' BertTokenizer, once with and
once without lower-casing, or as a sentencepiece model by transformers' AutoTokenizer.
"""
import argparse
import itertools
import json
import os
import pathlib
import random
import subprocess
import sys
import tempfile

os.environ["TOKENIZERS_PARALLELISM"] = "false"
os.environ["HF_HUB_OFFLINE"] = "1"
from tokenizers import Tokenizer  # noqa: E402

ROOT = pathlib.Path(__file__).resolve().parents[2]
SPECIALS = ["[CLS]", "[SEP]", "[MASK]", "[UNK]", " [MASK] ", "<s>", "</s>", "<mask>", " <mask> ", "<unk>", "[unk]", "\u2581", "##a", "\r\n",
            "#", "<0x41>", "\u0120", "\u010a"]
BLOCKS = [(0x20, 0x7F), (0, 0x100), (0x300, 0x370), (0xAC00, 0xD7A4), (0x1100, 0x1200), (0x3130, 0x3190), (0x2000, 0x2070),
          (0x4E00, 0x9FFF), (0xE00, 0xE80), (0x900, 0x980), (0x600, 0x700), (0x1F300, 0x1F650), (0xF900, 0xFB50), (0xFF00, 0xFFF0),
          (0x1E00, 0x2000), (0x400, 0x530), (0x30, 0x3A), (0x3040, 0x3100), (0xA960, 0xA980), (0xD7B0, 0xD800), (0x1D100, 0x1D200),
          (0, 0x20), (0, 0x110000)]
ODD = [0x20, 0x20, 0x20, 0xA0, 0x3000, 0x85, 0x2028, 9, 10, 13, 0x200B, 0x200D, 0xFEFF, 0x2581, 0xFE0F, 0x180E, 0x1C, 0x1F, 0xAD, 0]
WORDS = ["the", "The", "don't", "I'LL", "we've", "'s", "'S", "\u017f", "'\u017f", "3.14", "12345678", "0x1F", "user@example.com", "https://a.b/c?d=e&f=g", "def f(x):",
         "\n    return x", "\n\n\n", "\t\t", "  ", "   \n  ", "\r\n\r\n", "if (a != b) {", "};", "!!!", "...", "--", "C++", "snake_case",
         "camelCase", "HTTPServer", "한국어", "임베딩을", "했습니다.", "ㅋㅋㅋㅋ", "ㅠㅠ", "日本語", "中文", "ไทย", "हिन्दी", "العربية", "👨‍👩‍👧‍👦",
         "👍🏽", "🇰🇷🇺🇸", "❤️", "e\u0301", "\u1112\u1161\u11ab", "각\u1100", "가\u11a8", "ﬁ", "½", "²", "№", "Ａｂ", "İ", "ẞ", "Σς"]


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


def long_words():
    for unit in ("a", "가", "Ab1", "^", " ", "\n", "e\u0301", "\u1112\u1161\u11ab", "👍🏽", "\u0301", "\u2581", "no"):
        yield unit * (100000 // len(unit))


def random_texts(n, seed, own):
    r = random.Random(seed)
    specials = SPECIALS + own * max(1, len(SPECIALS) // max(1, len(own)))
    for _ in range(n):
        pools = [[r.randrange(*b) for _ in range(40)] for b in r.sample(BLOCKS, r.randint(1, 4))] + [ODD]
        words = r.choice([0, 0.1, 0.5])
        parts = []
        for _ in range(r.choice([1, 2, 3, 5, 8, 13, 30, 80])):
            x = r.random()
            c = r.choice(r.choice(pools))
            if x < 0.03:
                parts.append(r.choice(specials))
            elif x < 0.03 + words:
                parts.append(r.choice(WORDS) + r.choice(["", "", " "]))
            else:
                parts.append(" " if x < 0.15 + words or 0xD800 <= c < 0xE000 else chr(c))
        yield "".join(parts)


class Ours:
    """`tokenize`, with the options of a comparison."""

    def __init__(self, program, model, scratch):
        self.program, self.model, self.scratch = program, model, scratch

    def __call__(self, rows, options):
        files = [self.scratch / "first.jsonl", self.scratch / "second.jsonl"][:1 if isinstance(rows[0], str) else 2]
        for k, path in enumerate(files):
            with open(path, "w") as f:
                f.writelines(json.dumps({"text": r if isinstance(r, str) else r[k]}) + "\n" for r in rows)
        out = self.scratch / "out.jsonl"
        pair = ["--pair", files[1]] if len(files) == 2 else []
        done = subprocess.run([self.program, "tokenize", "--model", self.model, "--in", files[0], *pair, "--out", out, "--threads", "1",
                               *options], stderr=subprocess.PIPE, text=True)
        if done.returncode:
            sys.exit("tokenize ended with %d: %s" % (done.returncode, done.stderr))
        with open(out) as f:
            yield from map(json.loads, f)


def set_truncation(reference, options):
    cut = dict(zip(options[::2], options[1::2]))
    reference.no_truncation()
    if "--max-length" in cut:
        reference.enable_truncation(int(cut["--max-length"]), stride=int(cut.get("--stride", 0)), strategy=cut.get("--truncation", "longest_first"),
                                    direction=cut.get("--truncation-side", "right"))


def theirs(reference, rows, options, offsets):
    set_truncation(reference, options)
    for at in range(0, len(rows), 1000):
        for e in reference.encode_batch(rows[at:at + 1000]):
            if "--stride" in options:
                yield {"parts": [as_line(part, rows[0], offsets) for part in [e, *e.overflowing]]}
            else:
                yield as_line(e, rows[0], offsets)


def as_line(e, row, offsets):
    line = {"ids": e.ids}
    if not isinstance(row, str):
        line["types"] = e.type_ids
    if offsets:
        line["offsets"] = [list(o) for o in e.offsets]
    return line


def difference(ours, reference, rows, options, offsets):
    """Index of the first row on which they differ, with both lines; None: they agree."""
    if not rows:
        return None
    flags = options + (["--offsets"] if offsets else [])
    for i, (want, have) in enumerate(itertools.zip_longest(theirs(reference, rows, options, offsets), ours(rows, flags))):
        if want != have:
            return i, want, have
    return None


def shrink(ours, reference, row, options, offsets):
    """The shortest row that still differs, found by leaving out stretches."""
    parts = [row] if isinstance(row, str) else list(row)
    back = (lambda p: p[0]) if isinstance(row, str) else tuple
    size = max(map(len, parts))
    while size:
        tries = [back(parts[:k] + [p[:at] + p[at + size:]] + parts[k + 1:]) for k, p in enumerate(parts) for at in range(0, len(p), size)][:3000]
        found = difference(ours, reference, tries, options, offsets) if tries else None
        if found:
            parts = [tries[found[0]]] if isinstance(row, str) else list(tries[found[0]])
        size = min(size, max(map(len, parts))) if found else size // 2
    return back(parts)


def show(line):
    if not line or "parts" in line:
        return json.dumps(line)[:1500]
    return "  ".join("%s %s" % (k, str(v[:120])) for k, v in line.items())


def compare(name, ours, reference, rows, options, offsets):
    found = difference(ours, reference, rows, options, offsets)
    if not found:
        mb = sum(len(t.encode()) for r in rows for t in ([r] if isinstance(r, str) else r)) / 1e6
        print("%-24s %8d %s %7.1f MB, %s %s: 0 differences" % (name, len(rows), "texts" if rows and isinstance(rows[0], str) else "pairs", mb,
                                                             "ids and offsets" if offsets else "ids", " ".join(options)), flush=True)
        return True
    row = rows[found[0]]
    if found[2]:
        row = shrink(ours, reference, row, options, offsets)
    _, want, have = difference(ours, reference, [row], options, offsets) or (0, *found[1:])
    print("%s differs %s\n  text   %s\n  theirs %s\n  ours   %s" % (name, " ".join(options), ascii(row)[:3000], show(want), show(have)), flush=True)
    return False


def can_cut(reference, row, options):
    """The library raises where the text that must give way would vanish; we cut nothing there."""
    if "only" not in " ".join(options):
        return True
    set_truncation(reference, options)
    try:
        reference.encode(*row)
    except Exception:
        return False
    return True


CUTS = [["--max-length", "16"], ["--max-length", "9", "--truncation-side", "left"], ["--max-length", "40", "--truncation", "only_second"],
        ["--max-length", "40", "--truncation", "only_first", "--truncation-side", "left"]]
PARTS = [["--max-length", "16", "--stride", "0"], ["--max-length", "20", "--stride", "7"],
         ["--max-length", "20", "--stride", "5", "--truncation-side", "left"]]


def check(name, program, model, reference, real, a, scratch):
    ours = Ours(program, model, scratch)
    reference.no_padding()
    reference.no_truncation()
    own = [t.content for t in reference.get_added_tokens_decoder().values()][:40]
    drawn = list(random_texts(a.random, a.seed, own))
    texts = real + list(long_words()) + drawn
    good = compare(name, ours, reference, texts, [], not a.ids_only)
    pairs = list(zip(texts[::2], texts[1::2]))
    pairs = pairs[::max(1, len(pairs) // a.pairs)] if a.pairs else pairs
    good = good and compare(name, ours, reference, pairs, [], not a.ids_only)
    few = [p for p in pairs if len(p[0]) < 2000 and len(p[1]) < 2000]
    few = few[::max(1, len(few) // 10000)]
    for cut in CUTS:
        enough = [p for p in few if can_cut(reference, p, cut)]
        good = good and compare(name, ours, reference, enough, cut, not a.ids_only)
    for cut in PARTS:
        good = good and compare(name, ours, reference, [p[0] for p in few], cut, not a.ids_only)
    return good


def vocab_txt(model, scratch):
    """vocab.txt by transformers, with and without lower case: (name, folder, reference)."""
    from transformers import BertTokenizer
    from transformers.models.bert.tokenization_bert import load_vocab
    for lower in (True, False):
        (scratch / "vocab.txt").write_bytes((model / "vocab.txt").read_bytes())
        (scratch / "tokenizer_config.json").write_text(json.dumps({"do_lower_case": lower}))
        reference = BertTokenizer(vocab=dict(load_vocab(model / "vocab.txt")), do_lower_case=lower).backend_tokenizer
        yield model.name + (", lower case" if lower else ", cased"), scratch, reference


def references(model, scratch):
    if (model / "tokenizer.json").exists():
        yield model.name, model, Tokenizer.from_file(str(model / "tokenizer.json"))
    elif (model / "vocab.txt").exists():
        yield from vocab_txt(model, scratch)
    else:
        from transformers import AutoTokenizer
        yield model.name, model, AutoTokenizer.from_pretrained(str(model)).backend_tokenizer


def main():
    p = argparse.ArgumentParser()
    p.add_argument("--program", default=ROOT / "build/release/vecsmith")
    p.add_argument("--data", type=pathlib.Path)
    p.add_argument("--random", type=int, default=200000)
    p.add_argument("--pairs", type=int, default=0, help="at most about so many pairs (default: of all texts)")
    p.add_argument("--seed", type=int, default=1)
    p.add_argument("--ids-only", action="store_true", help="leave offsets out")
    p.add_argument("--go-on", action="store_true", help="compare the other tokenizers also after a difference")
    p.add_argument("models", nargs="+", type=pathlib.Path)
    a = p.parse_args()
    real = real_texts(a.data) if a.data else []
    good = True
    with tempfile.TemporaryDirectory() as d:
        for model in a.models:
            for name, folder, reference in references(model, pathlib.Path(d)):
                good = check(name, a.program, folder, reference, real, a, pathlib.Path(d)) and good
                if not good and not a.go_on:
                    sys.exit(1)
    sys.exit(not good)


if __name__ == "__main__":
    main()
