"""Writes tests/fixtures/tokenizer/: small tokenizers of our own making, and what the Hugging Face tokenizers
library does with nasty texts.

    NAME/tokenizer.json (or vocab.txt)   trained here, on sentences below; one variant of options each
    NAME/gold.jsonl                      {"text", "ids"[, "pair", "types"][, "max_length"]} a line
    gold-minilm-en.jsonl, gold-me5-small.jsonl   the same for the default models, which stay in build/models
    classes.json                         hashes of what normalisers and pre-tokenisers do to every scalar value

    python tests/parity/make_tokenizer_gold.py build/models
"""
import base64
import json
import pathlib
import sys
import unicodedata

import xxhash
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers
from transformers import BertTokenizer

from make_tokenizer_classes import charsmap

HERE = pathlib.Path(__file__).resolve().parent
OUT = HERE.parent / "fixtures" / "tokenizer"

SENTENCES = """
The ferry leaves the harbour at seven and returns before the lighthouse is lit.
A ticket bought on the day costs more than one that was booked a week ahead.
Dogs travel free, bicycles do not; ask the purser about prams and wheelchairs.
Please don't feed the gulls: they remember faces, and they never forgive.
How do I change the name on a booking? You can't, but a new one is cheap.
Cafés, naïve façades, Zürich, coöperation and smörgåsbord: accents everywhere.
배는 아침 일곱 시에 항구를 떠나 등대에 불이 켜지기 전에 돌아옵니다.
당일에 사는 표는 일주일 전에 예약한 표보다 비쌉니다.
강아지는 무료로 탈 수 있지만 자전거는 요금을 내야 합니다.
예약한 이름을 바꾸려면 어떻게 해야 하나요? 새로 예약하는 것이 더 쌉니다.
갈매기에게 먹이를 주지 마세요. 한번 본 얼굴은 잊지 않습니다.
파도가 높은 날에는 운항이 취소될 수 있으며 환불은 사흘 안에 됩니다.
船は朝七時に港を出ます。切符は前日までに予約してください。
渡轮早上七点离开港口，灯塔亮之前返回。
เรือออกจากท่าเวลาเจ็ดโมงเช้า
Паром уходит в семь утра и возвращается до темноты.
12345 67890 3.14159 2024-05-17 10:30 €25.00 +82-2-1234-5678
""".strip().split("\n")

NASTY = [
    "", " ", "  ", "\t", "\n", "\r\n", " \r\n ", "a\r\nb", "a\rb", "a\r\n\u0301b", "\u0000", "a\u0000b", "\u3000",
    "\u00a0", "a\u00a0b", "\u200b", "a\u200bb", "\ufeff", "\ufeffBOM first", "\u0085", "a\u0085b", "a\u2028b\u2029c",
    "\ufffd", "a\ufffdb", "\u00ad", "so\u00adft", "\u0301", " \u0301", "a \u0301b", "\u0301a", "e\u0301", "e\u0301\u0327",
    "a\u0315\u0300\u05ae\u0300\u0062", "\u302e\U0001d165", "\u1112\u1161\u11ab\u1100\u1173\u11af", "한글", "각\u1100", "ㄱㄴㄷㅏㅑ",
    "ㅋㅋㅋㅋㅋ ㅠㅠ", "\u1100\u1161\u0308", "\u1100\u0301", "\uac00\u11a8", "\uac01\u11a8", "ﾊﾝｸﾞﾙ ﾡﾢ", "Ａｂｃ １２３", "ﬁne ﬂow", "№ ½ ²",
    "™ © ® ©\u200d☂", "İstanbul Iı", "ǅ ẞ ß ΣΑΣ", "\u1c89\ua7dc\U00016ea0", "naïve café", "nai\u0308ve cafe\u0301", "Ǻ ǻ Ḗ",
    "日本語テスト", "中文，标点。", "\U00020000\U0002b81f\U0002b820\U0002ceb0", "\uf900\ufa6d\U0002f800", "ภาษาไทยไม่มีช่องว่าง", "हिन्दी क्षि",
    "עִבְרִית", "العَرَبِيَّة \u0600 \u06dd1", "\u0600 a", "a\u0600", "\u0890\u0891x", "👨‍👩‍👧‍👦 👍🏽 🇰🇷🇺🇸 ❤️", "👨\u200d", "\U0001f468\u0301",
    "a" * 99, "a" * 100, "a" * 101, "가" * 200, "no" * 300, "x\u0301" * 120, "!" * 50, "a b " * 60, " " * 40 + "end", "end" + " " * 40,
    "[CLS]", "[SEP] [MASK]", " [MASK] ", "a[MASK]b", "x [MASK]  [MASK] y", "[mask]", "<s>", "</s>", "<mask>", "a <mask> b", "a<mask>b",
    "<unk>", "[UNK]", "<pad>[PAD]", "<s></s>", "x<unk>y", "한<unk>국", "▁", "▁a", "a▁b", " ▁", "▁▁", "##ing", "##", "don't", "3.14",
    "http://a.b/c?d=e&f=g#h", "user@example.com", "C++ && D--", "\u2013\u2014\u2018quoted\u2019", "\u0e33\u0e31", "\u007f\u0080\u009f",
    "\ue000\uf8ff\U000f0000", "\U000e0001\U000e0020", "\U0001d173\U0001d17a", "tab\tand\nnewline\x0bvt\x0cff", "\x1c\x1d\x1e\x1f",
    "  two  spaces   three  ", "mixed\u2003em\u2009thin space", "\u180e mongolian", "q\u0323\u0307", "q\u0307\u0323", "Å \u212b", "Ω \u2126",
    "ab cd ef", "AB CD ef", "abab", "ab", "ababab ab ab", "wordab", "ab word", "TOK tok Tok", "xTOKx TOK TOKx", "new  thing here",
    "NEW THING", "new thing", "the\u0301 ferry", "THE FERRY", "<0x41>", "\U0001f600 unknown \U00012000\U00012001",
] + SENTENCES

PAIRS = [("", ""), ("a", ""), ("", "b"), ("The ferry leaves", "the harbour at seven"), ("배는 아침", "등대에 불이 켜지기 전에 돌아옵니다"),
         (SENTENCES[0], SENTENCES[1]), (SENTENCES[6], SENTENCES[2]), ("x", SENTENCES[0])]
LENGTHS = [3, 4, 5, 6, 8, 9, 13, 20]


def small_charsmap():
    """NFKC of some blocks, white space to a space, controls to nothing: the shape of nmt_nfkc, a hundredth of its
    size. Compositions of two code points are entries too, as there."""
    m = {}
    for lo, hi in [(0xA0, 0x180), (0x1E00, 0x1F00), (0x2100, 0x2190), (0x3131, 0x318F), (0xFB00, 0xFB07), (0xFF01, 0xFFE7),
                   (0xF900, 0xF920)]:
        for c in map(chr, range(lo, hi)):
            n = unicodedata.normalize("NFKC", c)
            if n != c:
                m[c] = n
            d = unicodedata.normalize("NFD", c)
            if len(d) == 2 and unicodedata.normalize("NFC", d) == c:
                m[d] = c
    for c in "\t\n\r\u0085\u00a0\u1680\u2028\u2029\u3000":
        m[c] = " "
    for c in [*range(1, 9), 11, 12, *range(14, 32), 127, 0x200B, 0xFEFF]:
        m[chr(c)] = " " if c == 0x200B else ""
    return charsmap(m)


def wordpiece_vocab():
    t = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    t.normalizer = normalizers.BertNormalizer(lowercase=False)
    t.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    lower = [s.lower() for s in SENTENCES] + [unicodedata.normalize("NFD", s.lower()) for s in SENTENCES]
    specials = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    t.train_from_iterator(SENTENCES + lower, trainers.WordPieceTrainer(
        vocab_size=700, special_tokens=specials, show_progress=False, limit_alphabet=420))
    return sorted(t.get_vocab().items(), key=lambda v: v[1])


def unigram_vocab():
    t = Tokenizer(models.Unigram())
    t.pre_tokenizer = pre_tokenizers.Metaspace()
    t.train_from_iterator(SENTENCES * 3, trainers.UnigramTrainer(
        vocab_size=800, special_tokens=["<s>", "<pad>", "</s>", "<unk>", "<mask>"], unk_token="<unk>",
        show_progress=False, max_piece_length=8))
    return [[p, s] for p, s in json.loads(t.to_str())["model"]["vocab"] if p != "a\u0301"]


def added(id, content, special=True, **flags):
    return {"id": id, "content": content, "single_word": False, "lstrip": False, "rstrip": False,
            "normalized": not special, "special": special, **flags}


def template(cls, sep, ids, pair):
    def special(name, type_id):
        return {"SpecialToken": {"id": name, "type_id": type_id}}

    def sequence(name, type_id):
        return {"Sequence": {"id": name, "type_id": type_id}}

    items = {"A": lambda k: sequence("A", k), "B": lambda k: sequence("B", k), "c": lambda k: special(cls, k),
             "s": lambda k: special(sep, k)}
    return {"type": "TemplateProcessing", "single": [items[x](0) for x in "cAs"],
            "pair": [items[x](int(k)) for x, k in pair],
            "special_tokens": {n: {"id": n, "ids": [i], "tokens": [n]} for n, i in zip((cls, sep), ids)}}


def tokenizer(model, normalizer, pre, post, tokens):
    return {"version": "1.0", "truncation": {"direction": "Right", "max_length": 7, "strategy": "LongestFirst", "stride": 0},
            "padding": {"strategy": {"Fixed": 16}, "direction": "Right", "pad_to_multiple_of": None, "pad_id": 0,
                        "pad_type_id": 0, "pad_token": "[PAD]"},
            "added_tokens": tokens, "normalizer": normalizer, "pre_tokenizer": pre, "post_processor": post,
            "decoder": None, "model": model}


def bert(clean, cjk, accents, lower):
    return {"type": "BertNormalizer", "clean_text": clean, "handle_chinese_chars": cjk, "strip_accents": accents,
            "lowercase": lower}


def wordpiece_variants():
    vocab = dict(wordpiece_vocab())
    n = len(vocab)
    model = {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
             "max_input_chars_per_word": 100, "vocab": vocab}
    specials = [added(vocab[t], t) for t in ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")]
    pre = {"type": "BertPreTokenizer"}
    post = template("[CLS]", "[SEP]", (vocab["[CLS]"], vocab["[SEP]"]), [("c", 0), ("A", 0), ("s", 0), ("B", 1), ("s", 1)])
    bert_post = {"type": "BertProcessing", "sep": ["[SEP]", vocab["[SEP]"]], "cls": ["[CLS]", vocab["[CLS]"]]}
    yield "wordpiece", tokenizer(model, bert(True, True, None, True), pre, post, specials)
    yield "wordpiece-cased", tokenizer(model, bert(False, False, False, False), pre, bert_post, specials)
    yield "wordpiece-added", tokenizer(
        model, {"type": "Sequence", "normalizers": [bert(True, True, False, True)]}, pre, None, specials[:4] + [
            added(vocab["[MASK]"], "[MASK]", lstrip=True, rstrip=True), added(n, "TOK", False, normalized=True, single_word=True),
            added(n + 1, "ab", False, normalized=False), added(n + 2, "abab", False, normalized=False, single_word=True),
            added(n + 3, "new thing", False, rstrip=True), added(n + 4, "The", False, normalized=True, lstrip=True)])
    return vocab


def unigram_variants():
    pieces = unigram_vocab()
    ids = {p: i for i, (p, _) in enumerate(pieces)}
    model = {"type": "Unigram", "unk_id": ids["<unk>"], "vocab": pieces, "byte_fallback": False}
    specials = [added(ids[t], t, lstrip=t == "<mask>") for t in ("<s>", "<pad>", "</s>", "<unk>", "<mask>")]
    precompiled = {"type": "Precompiled", "precompiled_charsmap": base64.b64encode(small_charsmap()).decode()}
    runs = {"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": "\u2581"}

    def metaspace(scheme, split=True):
        return {"type": "Metaspace", "replacement": "\u2581", "prepend_scheme": scheme, "split": split}

    def sequence(kind, *members):
        return {"type": "Sequence", kind: list(members)}

    post = template("<s>", "</s>", (ids["<s>"], ids["</s>"]), [("c", 0), ("A", 0), ("s", 0), ("s", 0), ("B", 0), ("s", 0)])
    roberta = {"type": "RobertaProcessing", "sep": ["</s>", ids["</s>"]], "cls": ["<s>", ids["<s>"]], "trim_offsets": True,
               "add_prefix_space": True}
    strip = {"type": "Strip", "strip_left": False, "strip_right": True}
    yield "unigram", tokenizer(model, sequence("normalizers", precompiled, runs), metaspace("always"), post, specials)
    yield "unigram-strip", tokenizer(model, sequence("normalizers", precompiled, strip, runs), metaspace("always"), post, specials)
    yield "unigram-plain", tokenizer(model, precompiled, metaspace("always"), roberta, specials)
    yield "unigram-words", tokenizer(
        model, precompiled, sequence("pretokenizers", {"type": "WhitespaceSplit"},
                                     {"type": "Metaspace", "replacement": "\u2581", "add_prefix_space": True}), post, specials)
    bytes_of = [["<0x%02X>" % b, -20.0 - b / 256] for b in range(256) if b != 0xF0]
    yield "unigram-bytes", tokenizer(
        {**model, "vocab": pieces + bytes_of, "byte_fallback": True},
        sequence("normalizers", {"type": "Lowercase"}, {"type": "Replace", "pattern": {"String": "ab"}, "content": "the"}),
        metaspace("first"), roberta, specials + [added(len(pieces) + 255, "TOK", False, normalized=True)])
    yield "unigram-never", tokenizer(model, {"type": "Strip", "strip_left": True, "strip_right": True},
                                     metaspace("never", False), None, specials)


def gold(t):
    t.no_padding()
    t.no_truncation()
    for text in NASTY:
        yield {"text": text, "ids": t.encode(text).ids}
    for a, b in PAIRS:
        e = t.encode(a, b)
        yield {"text": a, "pair": b, "ids": e.ids, "types": e.type_ids}
    for n in LENGTHS:
        t.enable_truncation(n)
        for a, b in PAIRS[3:]:
            yield {"text": a, "max_length": n, "ids": t.encode(a).ids}
            if n > 4:
                e = t.encode(a, b)
                yield {"text": a, "pair": b, "max_length": n, "ids": e.ids, "types": e.type_ids}


def write_jsonl(path, rows):
    with open(path, "w") as f:
        for row in rows:
            f.write(json.dumps(row, separators=(",", ":")) + "\n")


def write_vocab_txt(vocab):
    d = OUT / "vocab-txt"
    d.mkdir(exist_ok=True)
    (d / "vocab.txt").write_text("".join(t + "\n" for t in vocab))
    config = {"do_lower_case": False, "tokenize_chinese_chars": False, "strip_accents": None}
    (d / "tokenizer_config.json").write_text(json.dumps(config) + "\n")
    t = BertTokenizer(vocab=dict(vocab), **config)
    write_jsonl(d / "gold.jsonl", gold(t.backend_tokenizer))


def classes():
    """Per block of 4096 scalar values: XXH3 of what becomes of "a" + c + "b" for each c, joined by NUL."""
    def pieces(p):
        return lambda s: "\1".join(x for x, _ in p.pre_tokenize_str(s))

    functions = {
        "clean": normalizers.BertNormalizer(True, False, False, False).normalize_str,
        "cjk": normalizers.BertNormalizer(False, True, False, False).normalize_str,
        "strip": normalizers.BertNormalizer(False, False, True, False).normalize_str,
        "lower": normalizers.BertNormalizer(False, False, False, True).normalize_str,
        "bert": pieces(pre_tokenizers.BertPreTokenizer()),
        "spaces": pieces(pre_tokenizers.WhitespaceSplit()),
    }
    out = {}
    for name, f in functions.items():
        out[name] = []
        for block in range(0, 0x110000, 4096):
            text = "\0".join(f("a" + chr(c) + "b") for c in range(block, block + 4096) if not 0xD800 <= c < 0xE000)
            out[name].append(xxhash.xxh3_64_hexdigest(text.encode()))
    return out


def main():
    OUT.mkdir(parents=True, exist_ok=True)
    for variants in (wordpiece_variants(), unigram_variants()):
        for name, spec in variants:
            d = OUT / name
            d.mkdir(exist_ok=True)
            text = json.dumps(spec, ensure_ascii=False, separators=(",", ":"))
            (d / "tokenizer.json").write_text(text + "\n")
            write_jsonl(d / "gold.jsonl", gold(Tokenizer.from_str(text)))
            if name == "wordpiece":
                write_vocab_txt(spec["model"]["vocab"])
    for name in ("minilm-en", "me5-small"):
        t = Tokenizer.from_file(str(pathlib.Path((sys.argv[1:] or ["build/models"])[0]) / name / "tokenizer.json"))
        write_jsonl(OUT / ("gold-%s.jsonl" % name), gold(t))
    rows = classes()
    (OUT / "classes.json").write_text(json.dumps(rows, separators=(",", ":")).replace("],", "],\n") + "\n")


if __name__ == "__main__":
    main()
