"""Writes tests/fixtures/tokenizer/options.jsonl: one tiny tokenizer for each option of a tokenizer.json, and what
the Hugging Face tokenizers library makes of nasty texts with it.

    {"name": ..., "tokenizer": "<a tokenizer.json as a string>", "gold": [[ids, offsets], ...]}

cuts.jsonl: texts and pairs cut by every strategy, and all parts of them, with some of these tokenizers:

    {"name": ..., "text": ..., "pair": ..., "limits": [max_length, cut, left, stride, no_special], "parts": [ids, ...]}

The first line of options.jsonl has no tokenizer but "texts", to which the golds belong. Offsets are bytes, begin and end of each token in one
list; the library counts code points in Python. A pair is a list of two texts.

    python tests/parity/make_tokenizer_options.py
    python tests/parity/make_tokenizer_options.py DIR     every tokenizer as DIR/NAME/tokenizer.json, for the long comparison
"""
import base64
import json
import pathlib
import random
import sys

from tokenizers import Tokenizer, models, pre_tokenizers, trainers

from make_tokenizer_gold import SENTENCES, added, bert, small_charsmap, template

HERE = pathlib.Path(__file__).resolve().parent
OUT = HERE.parent / "fixtures" / "tokenizer" / "options.jsonl"
CUTS = OUT.with_name("cuts.jsonl")

TEXTS = [
    "", " ", "a", "  two  spaces ", "Hello, World! don't", "배는 아침\u3000일곱 시에", "\u1107\u1162\u1102\u1173\u11ab cafe\u0301 caf\u00e9",
    "x\u0085y\u00a0z\u2028w", "a\u0315\u0300\u05aeb\u0327\u0301", "tab\tnew\nline\r\n\r\n  end", "e\u0301\u0323 \u0344 \u1e69",
    "\U0001f468\u200d\U0001f469\u200d\U0001f467 \U0001f1f0\U0001f1f7", "\u0000\u0001\u007f\u200b\ufeff\ufffdq", "ab abab TOK xTOKx <m> <m>  a<m>b",
    "12345 \u0661\u0662 \u2167 \u00bd", "CamelCase HTMLParser ABCdef \uac00Aa", "\u65e5\u672c\u3042\u30a2\u30fc \u4e2d\u6587 Mixed \u0442\u0435\u0441\u0442",
    "\ufb01\ufb03 \uff21\uff42 \u2460 \u33a1 \ufdfa", "\u0130\u0049 \u1e9e \u03a3", "--a-_-b.. (c) [d]", "'S '\u017f we'LL I'M 'ReX", "\u2581a\u2581\u2581b \u2581",
    "The ferry leaves the harbour", ["The ferry", "leaves the"], ["", " b"], ["배는", "caf\u00e9 \u0301x"], "unknown \U00012000\U00012001 z", "aaaaaaaaaa" * 6,
    "\u0e40\u0e23\u0e37\u0e2d \u0939\u093f\u0928\u094d\u0926\u0940", "\u0300\u0300x \u302e\U0001d165", " x", "x ", "<0x41>\n</w>##a",
]


def sequence(kind, *members):
    return {"type": "Sequence", kind: list(members)}


def whole(model, normalizer=None, pre=None, post=None, tokens=()):
    return {"version": "1.0", "truncation": None, "padding": None, "added_tokens": list(tokens), "normalizer": normalizer,
            "pre_tokenizer": pre, "post_processor": post, "decoder": {"type": "Fuse"}, "model": model}


def bpe(vocab, merges, **options):
    return {"type": "BPE", "dropout": None, "unk_token": None, "continuing_subword_prefix": None, "end_of_word_suffix": None,
            "fuse_unk": False, "byte_fallback": False, "ignore_merges": False, "vocab": vocab, "merges": merges, **options}


def bytes_model():
    """Every byte is a token: shows what a normaliser made."""
    return bpe({"<0x%02X>" % b: b for b in range(256)}, [], byte_fallback=True)


def words_model():
    """Nearly every piece is unknown: shows where a pre-tokeniser cuts."""
    return {"type": "WordLevel", "vocab": {w: i for i, w in enumerate(["?", "a", "ab", "\u2581a", "Hello", "12345", "\u0120a"])}, "unk_token": "?"}


def trained(pre, size, **options):
    t = Tokenizer(models.BPE(**options))
    t.pre_tokenizer = pre
    t.train_from_iterator(SENTENCES, trainers.BpeTrainer(
        vocab_size=size, show_progress=False, initial_alphabet=sorted(pre_tokenizers.ByteLevel.alphabet()) if "unk_token" not in options
        else [], special_tokens=["<unk>"] if "unk_token" in options else [], limit_alphabet=60,
        **{k: v for k, v in options.items() if k in ("continuing_subword_prefix", "end_of_word_suffix")}))
    model = json.loads(t.to_str())["model"]
    return model


def regex(pattern):
    return {"Regex": pattern}


def split(pattern, behavior="Isolated", invert=False):
    return {"type": "Split", "pattern": pattern, "behavior": behavior, "invert": invert}


def byte_level(prefix=False, use_regex=True, trim=True):
    return {"type": "ByteLevel", "add_prefix_space": prefix, "trim_offsets": trim, "use_regex": use_regex}


def replace(pattern, content):
    return {"type": "Replace", "pattern": pattern, "content": content}


CL100K = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|%s| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
UPPER, LOWER = r"[\p{Lu}\p{Lt}\p{Lm}\p{Lo}\p{M}]", r"[\p{Ll}\p{Lm}\p{Lo}\p{M}]"
O200K = r"[^\r\n\p{L}\p{N}]?" + UPPER + "*" + LOWER + r"+%s|[^\r\n\p{L}\p{N}]?" + UPPER + "+" + LOWER + \
    r"*%s|%s| ?[^\s\p{L}\p{N}]+[\r\n/]*|\s*[\r\n]+|\s+(?!\S)|\s+"
CONTRACTIONS = "(?i:'s|'t|'re|'ve|'m|'ll|'d)?"
DEEPSEEK = [r"\p{N}{1,3}", "[\u4e00-\u9fa5\u3040-\u309f\u30a0-\u30ff]+",
            "[!\"#$%&'()*+,\\-./:;<=>?@\\[\\\\\\]^_`{|}~][A-Za-z]+|[^\r\n\\p{L}\\p{P}\\p{S}]?[\\p{L}\\p{M}]+| ?[\\p{P}\\p{S}]+[\r\n]*|"
            "\\s*[\r\n]+|\\s+(?!\\S)|\\s+"]
PATTERNS = {
    "gpt2": r"'s|'t|'re|'ve|'m|'ll|'d| ?\p{L}+| ?\p{N}+| ?[^\s\p{L}\p{N}]+|\s+(?!\S)|\s+",
    "cl100k": CL100K % r"\p{N}{1,3}", "qwen": CL100K % r"\p{N}",
    "qwen35": r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?[\p{L}\p{M}]+|\p{N}| ?[^\s\p{L}\p{M}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+",
    "o200k": O200K % (CONTRACTIONS, CONTRACTIONS, r"\p{N}{1,3}"), "tekken": O200K % ("", "", r"\p{N}"),
}
BEHAVIORS = ["Removed", "Isolated", "MergedWithPrevious", "MergedWithNext", "Contiguous"]


def normalizers():
    yield "bert", bert(True, True, None, True)
    yield "bert-accents", bert(False, False, True, False)
    for name in ("NFC", "NFD", "NFKC", "NFKD", "Lowercase", "StripAccents", "Nmt", "ByteLevel"):
        yield name.lower(), {"type": name}
    yield "nfd-strip-accents", sequence("normalizers", {"type": "NFD"}, {"type": "StripAccents"}, {"type": "Lowercase"})
    yield "nfd-nfc", sequence("normalizers", {"type": "NFD"}, sequence("normalizers", {"type": "NFC"}))
    yield "strip", {"type": "Strip", "strip_left": True, "strip_right": True}
    yield "strip-left", {"type": "Strip", "strip_left": True, "strip_right": False}
    yield "prepend", {"type": "Prepend", "prepend": "\u2581\u2581x"}
    yield "replace", sequence("normalizers", {"type": "Prepend", "prepend": "\u2581"}, replace({"String": " "}, "\u2581"))
    yield "replace-longer", replace({"String": "ab"}, "\uac00xyz")
    yield "replace-nothing", replace({"String": "a"}, "")
    yield "replace-regex", replace(regex(r"\s+|(?<=a)b"), "--")
    yield "replace-empty-match", replace(regex(r"x*"), "-")
    yield "replace-run", replace(regex(" {2,}"), "\u2581")
    yield "precompiled", {"type": "Precompiled", "precompiled_charsmap": base64.b64encode(small_charsmap()).decode()}


def pretokenizers():
    for name in ("BertPreTokenizer", "Whitespace", "WhitespaceSplit", "UnicodeScripts"):
        yield name.lower(), {"type": name}
    for b in BEHAVIORS:
        yield "punctuation-" + b.lower(), {"type": "Punctuation", "behavior": b}
        yield "split-" + b.lower(), split(regex(r"[a\s]|b+"), b)
        yield "split-invert-" + b.lower(), split(regex(r"\w+"), b, True)
        yield "split-string-" + b.lower(), split({"String": "a"}, b, b == "Removed")
    yield "split-empty", split(regex("b*"), "MergedWithPrevious")
    for name, pattern in PATTERNS.items():
        yield "split-" + name, split(regex(pattern))
        yield "split-" + name + "-removed", split(regex(pattern), "Removed", True)
    yield "split-deepseek", sequence("pretokenizers", *(split(regex(p)) for p in DEEPSEEK))
    yield "digits", {"type": "Digits", "individual_digits": False}
    yield "digits-individual", {"type": "Digits", "individual_digits": True}
    yield "char-delimiter", {"type": "CharDelimiterSplit", "delimiter": "a"}
    yield "fixed-length", {"type": "FixedLength", "length": 3}
    for scheme in ("always", "first", "never"):
        yield "metaspace-" + scheme, {"type": "Metaspace", "replacement": "\u2581", "prepend_scheme": scheme, "split": True}
        yield "metaspace-whole-" + scheme, {"type": "Metaspace", "replacement": "_", "prepend_scheme": scheme, "split": False}
    yield "digits-then-metaspace", sequence("pretokenizers", {"type": "Digits", "individual_digits": True},
                                            {"type": "Metaspace", "replacement": "\u2581", "prepend_scheme": "first", "split": True})
    yield "byte-level", byte_level()
    yield "byte-level-prefix", byte_level(True)
    yield "byte-level-plain", byte_level(False, False)
    yield "words-then-byte-level", sequence("pretokenizers", {"type": "WhitespaceSplit"}, byte_level(True))


def tokenizers():
    for name, n in normalizers():
        yield "normalizer-" + name, whole(bytes_model(), n)
    for name, p in pretokenizers():
        yield "pretokenizer-" + name, whole(words_model(), None, p)
    special = added(0, "<m>", lstrip=True, rstrip=True)
    word = added(0, "TOK", False, single_word=True, normalized=False)
    low = added(0, "tok", False, normalized=True)
    yield "added", whole(words_model(), {"type": "Lowercase"}, {"type": "WhitespaceSplit"}, None, [special, added(0, "ab", normalized=False)])
    yield "added-normalized", whole(words_model(), {"type": "Lowercase"}, None, None, [low, added(0, "A", normalized=True, lstrip=True)])
    yield "added-in-words", whole(
        {"type": "WordPiece", "unk_token": "?", "continuing_subword_prefix": "##", "max_input_chars_per_word": 9,
         "vocab": {w: i for i, w in enumerate(["?", "a", "b", "##b", "##a", "the", "-", "x", "##x"])}}, bert(True, True, None, True),
        {"type": "BertPreTokenizer"}, None, [low, special, added(0, "hello", False, single_word=True)])
    yield "added-in-metaspace", whole(
        {"type": "Unigram", "unk_id": 0, "vocab": [["?", 0.0], ["\u2581", -2.0], ["\u2581a", -3.0], ["a", -2.5], ["b", -2.6], ["ab", -4.0],
                                                   ["\u2581the", -6.0], ["x", -3.0]]},
        {"type": "Precompiled", "precompiled_charsmap": base64.b64encode(small_charsmap()).decode()},
        {"type": "Metaspace", "replacement": "\u2581", "prepend_scheme": "always", "split": True}, None,
        [added(0, "<m>", True, lstrip=True, normalized=True), added(0, "TOK", False, single_word=True)])
    yield "added-word", whole(words_model(), {"type": "NFD"}, byte_level(True), byte_level(True), [word, special])

    level = trained(pre_tokenizers.ByteLevel(add_prefix_space=False), 330)
    old = {**level, "merges": [" ".join(m) for m in level["merges"]]}
    some = {"roberta": {"type": "RobertaProcessing", "sep": ["<s>", 1], "cls": ["<c>", 2], "trim_offsets": True, "add_prefix_space": True},
            "roberta-plain": {"type": "RobertaProcessing", "sep": ["<s>", 1], "cls": ["<c>", 2], "trim_offsets": False, "add_prefix_space": False},
            "bert": {"type": "BertProcessing", "sep": ["<s>", 1], "cls": ["<c>", 2]},
            "byte-level": byte_level(True), "byte-level-no-prefix": byte_level(False), "byte-level-no-trim": byte_level(True, True, False),
            "sequence": sequence("processors", byte_level(False), template("<c>", "<s>", (2, 1), [("c", 0), ("A", 0), ("s", 1), ("B", 1)]))}
    for name, post in some.items():
        yield "post-" + name, whole(old if name == "bert" else level, None, byte_level("no" not in name), post, [special])
    yield "bpe-ignore-merges", whole({**level, "ignore_merges": True, "vocab": {**level["vocab"], "\u0120leaves": 330, "don't": 331}},
                                     None, byte_level())
    yield "bpe-byte-level-normalizer", whole(level, sequence("normalizers", {"type": "NFC"}, {"type": "ByteLevel"}))
    yield "bpe-whole-texts", whole(level, None, byte_level(False, False))
    for name, pattern in PATTERNS.items():
        yield "bpe-" + name, whole(level, {"type": "NFC"} if name == "qwen" else None,
                                   sequence("pretokenizers", split(regex(pattern)), byte_level(False, False)), byte_level(False))
    yield "bpe-deepseek", whole(level, sequence("normalizers"), sequence(
        "pretokenizers", *(split(regex(p)) for p in DEEPSEEK), byte_level(False, False)), byte_level(True, True, False), [low, special])

    words = pre_tokenizers.WhitespaceSplit()
    unk = trained(words, 120, unk_token="<unk>")
    yield "bpe-unk", whole(unk, None, {"type": "WhitespaceSplit"})
    yield "bpe-fuse-unk", whole({**unk, "fuse_unk": True}, None, {"type": "WhitespaceSplit"})
    yield "bpe-no-unk", whole({**unk, "unk_token": None}, None, {"type": "WhitespaceSplit"})
    yield "bpe-prefix", whole(trained(words, 160, unk_token="<unk>", continuing_subword_prefix="##"), None, {"type": "WhitespaceSplit"})
    yield "bpe-suffix", whole(trained(words, 160, unk_token="<unk>", end_of_word_suffix="</w>"), None, {"type": "WhitespaceSplit"})
    metaspace = {"type": "Metaspace", "replacement": "\u2581", "prepend_scheme": "first", "split": False}
    marked = trained(pre_tokenizers.Metaspace(), 140, unk_token="<unk>")
    n = len(marked["vocab"])
    fallback = {**marked["vocab"], **{"<0x%02X>" % b: n + b for b in range(256)}}
    sp = sequence("normalizers", {"type": "Prepend", "prepend": "\u2581"}, replace({"String": " "}, "\u2581"))
    yield "bpe-fallback", whole({**marked, "vocab": fallback, "byte_fallback": True, "fuse_unk": True}, sp, None, None, [special])
    yield "bpe-fallback-metaspace", whole({**marked, "vocab": fallback, "byte_fallback": True}, None, metaspace)
    fallback = {t: i for t, i in fallback.items() if t not in ("<0xEA>", "<0xF0>")}
    fallback = {t: i for i, t in enumerate(fallback)}
    for fuse in (False, True):
        yield "bpe-fallback-holes" + "-fused" * fuse, whole({**marked, "vocab": fallback, "byte_fallback": True, "fuse_unk": fuse}, sp)


def main():
    if len(sys.argv) > 1:
        for name, t in tokenizers():
            folder = pathlib.Path(sys.argv[1]) / name
            folder.mkdir(parents=True, exist_ok=True)
            (folder / "tokenizer.json").write_text(json.dumps(t))
        return
    made = list(tokenizers())
    with open(CUTS, "w") as f:
        f.writelines(json.dumps(row, separators=(",", ":"), ensure_ascii=False) + "\n" for row in cuts(made))
    with open(OUT, "w") as f:
        f.write(json.dumps({"texts": TEXTS}, separators=(",", ":")) + "\n")
        for name, t in made:
            text = json.dumps(t, separators=(",", ":"), ensure_ascii=False)
            gold = [rows(Tokenizer.from_str(text), x) for x in TEXTS]
            f.write(json.dumps({"name": name, "tokenizer": text, "gold": gold}, separators=(",", ":"), ensure_ascii=False) + "\n")


def cuts(made):
    """Where the library has an answer of its own kind: a text of which nothing stays is one part there, however long."""
    r = random.Random(5)
    words = "The ferry leaves 배는 아침 don't caf\u00e9 <m>".split()
    wanted = {"post-roberta", "post-sequence", "post-byte-level", "bpe-fallback"}
    for name, spec in made:
        if name not in wanted:
            continue
        t, free = Tokenizer.from_str(json.dumps(spec)), Tokenizer.from_str(json.dumps(spec))
        for i in range(60):
            pair = [" ".join(r.choice(words) for _ in range(r.randrange(9))) for _ in range(1 + i % 2)]
            length, cut, left, stride, bare = r.randrange(4, 20), r.randrange(1 + len(pair)), r.randrange(2), r.choice([0, 0, 1, 2]), r.randrange(2)
            room = length - (0 if bare else t.num_special_tokens_to_add(len(pair) == 2))
            sizes = [len(free.encode(x, add_special_tokens=False).ids) for x in pair]
            kept = [n - max(0, sum(sizes) - room) for n in sizes][cut - 1:cut] if cut else [room // 2]
            if room < 4 or min(kept) <= stride or stride >= room // 2:
                continue
            t.enable_truncation(length, stride=stride, strategy=["longest_first", "only_first", "only_second"][cut],
                                direction=["right", "left"][left])
            e = t.encode(*pair, add_special_tokens=not bare)
            if sum(sizes) > room and cut == 0 and 0 in [e.sequence_ids.count(k) for k in range(len(pair)) if sizes[k]]:
                continue
            yield {"name": name, "text": pair[0], **({"pair": pair[1]} if len(pair) == 2 else {}),
                   "limits": [length, cut, left, stride, bare], "parts": [x.ids for x in [e, *e.overflowing]]}


def rows(t, x):
    pair = x if isinstance(x, list) else [x, None]
    e = t.encode(*pair)
    bytes_of = [[len(p[:i].encode()) for i in range(len(p) + 1)] if p else [0] for p in pair]
    offsets = []
    for (begin, end), which in zip(e.offsets, e.sequence_ids):
        offsets += [bytes_of[which or 0][begin], bytes_of[which or 0][end]]
    return [e.ids, offsets]


if __name__ == "__main__":
    main()
