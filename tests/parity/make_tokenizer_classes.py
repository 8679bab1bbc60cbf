"""Writes engine/text/unicode_*.c: the character classes of the Hugging Face tokenizers library.

Its crates carry Unicode tables of different ages (categories of Unicode 8, normal forms of 9, case and words of
the newest), so no Unicode library agrees with it on every character. This script asks the library itself about
every scalar value, through normalisers, pre-tokenisers and added tokens that make one class visible.

    python tests/parity/make_tokenizer_classes.py engine/text     (three minutes)

libutf8proc is asked as well, by its shared library: where the two disagree on normal forms, engine/text follows this one.
"""
import ctypes
import pathlib
import struct
import sys
import unicodedata

import tokenizers
from tokenizers import AddedToken, Tokenizer, models, normalizers, pre_tokenizers

ALL = [c for c in range(0x110000) if not 0xD800 <= c < 0xE000]


def double_array(keys):
    """{bytes: value} -> a Darts array as sentencepiece stores it."""
    root = {}
    for key, value in keys.items():
        node = root
        for b in key:
            node = node.setdefault(b, {})
        node[0] = value
    units, used, low = {0: 0}, {0}, [1]
    todo = [(0, root)]
    while todo:
        at, node = todo.pop()
        base = low[0]
        while any(base ^ label in used for label in node):
            base += 1
        if base > low[0] + 3000:
            low[0] += 2000
        assert at ^ base < 1 << 21
        units[at] |= (at ^ base) << 10 | (0 in node) << 8
        for label, child in node.items():
            used.add(base ^ label)
            if label == 0:
                units[base] = 0x80000000 | child
            else:
                units[base ^ label] = label
                todo.append((base ^ label, child))
    size = (max(units) | 255) + 1
    return b"".join(struct.pack("<I", units.get(i, 0)) for i in range(size))


def charsmap(mapping):
    """{text: text} -> the bytes of a precompiled_charsmap."""
    texts, keys = b"", {}
    for key, value in mapping.items():
        keys[key.encode()] = len(texts)
        texts += value.encode() + b"\0"
    trie = double_array(keys)
    return struct.pack("<I", len(trie)) + trie + texts


def precompiled(mapping):
    return normalizers.Precompiled(charsmap(mapping)).normalize_str


def bert(clean=False, cjk=False, strip=False, lower=False):
    return normalizers.BertNormalizer(clean, cjk, strip, lower).normalize_str


def inside(normalize):
    return {c: normalize("a" + chr(c) + "b")[1:-1] for c in ALL}


def prepends(extend, control):
    plain = [c for c in ALL if c not in extend and c not in control and c != ord("a") and c < 0xE1000
             and unicodedata.category(chr(c)) != "Co"
             and not (0xAC00 <= c < 0xD7A4 or 0x3400 <= c < 0xA000 or 0x20000 <= c < 0xE0000)]
    found = set()
    for i in range(1, len(plain), 4096):
        part = plain[i:i + 4096]
        n = precompiled({chr(c): "]" for c in part})
        found |= {c for c in part if n(chr(c) + "a") != "]a"}
    return found


def classes():
    clean = inside(bert(clean=True))
    nfd = inside(bert(strip=True))
    words = pre_tokenizers.BertPreTokenizer().pre_tokenize_str
    pieces = {c: len(words("a" + chr(c) + "b")) for c in ALL}
    t = Tokenizer(models.WordLevel({"?": 0}, unk_token="?"))
    t.add_tokens([AddedToken("qq", single_word=True, normalized=False)])
    strip = {c for c in ALL if nfd[c] == ""}
    around_a, around_c = precompiled({"a": "["}), precompiled({"\u00a9": "["})
    after_p = precompiled({"\u0600": "["})
    extend = {c for c in ALL if c and around_a("a" + chr(c)) == "["}
    # NUL, which no entry of a charsmap can hold, is one; "\0\u0343\u0343" shows it under a map of U+0343.
    control = {0} | {c for c in ALL if 0 < c < 0x10000 and after_p("\u0600" + chr(c)) != "["}
    yield "UC_SPACE", {c for c in ALL if pieces[c] == 2}
    yield "UC_PUNCT", {c for c in ALL if pieces[c] == 3}
    yield "UC_OTHER", {c for c in ALL if clean[c] == ""}
    yield "UC_CJK", {c for c, v in inside(bert(cjk=True)).items() if v != chr(c)}
    yield "UC_WORD", {c for c in ALL if len(t.encode(chr(c) + "qq").ids) == 1}
    yield "UC_STRIPPED", strip
    yield "UC_DECOMPOSES", {c for c in ALL if nfd[c] not in ("", chr(c)) and not 0xAC00 <= c < 0xD7A4}
    yield "UC_REORDERS", {c for c in ALL if c not in strip and unicodedata.combining(chr(c)) and reorders(c)}
    yield "UC_EXTEND", extend
    yield "UC_PREPEND", prepends(extend, control)
    yield "UC_CONTROL", control
    yield "UC_PICTURE", {c for c in ALL if around_c("\u00a9\u200d" + chr(c)) != "[" + chr(c)} - extend


def matches(regex):
    """The scalar values that the library's regular expressions find in a class."""
    text = "".join(map(chr, ALL))
    kept = pre_tokenizers.Split(tokenizers.Regex(regex), "removed").pre_tokenize_str(text)
    rest = {c for piece, _ in kept for c in map(ord, piece)}
    return set(ALL) - rest


def letters():
    yield "UC_UPPER", matches(r"[\p{Lu}\p{Lt}]")
    yield "UC_LOWER", matches(r"\p{Ll}")
    yield "UC_CASELESS", matches(r"[\p{Lm}\p{Lo}]")


def marks():
    text = "".join(map(chr, ALL))
    numeric = {ord(piece) for piece, _ in pre_tokenizers.Digits(True).pre_tokenize_str(text) if len(piece) == 1}
    yield "UC_MARK", matches(r"\p{M}")
    yield "UC_NUMBER", matches(r"\p{N}")
    yield "UC_SYMBOL", matches(r"[\p{P}\p{S}]")
    yield "UC_NUMERIC", numeric - {c for c in ALL if len(pre_tokenizers.Digits(True).pre_tokenize_str("a" + chr(c))) == 1}
    yield "UC_COMBINING", set(ALL) - set(map(ord, normalizers.StripAccents().normalize_str(text)))
    assert unicodedata.unidata_version == "14.0.0", "Oniguruma 6.9.8 knows Unicode 14"
    yield "UC_RECENT", {c for c in matches(r"[\p{L}\p{M}\p{N}\p{P}\p{S}]") if unicodedata.category(chr(c)) == "Cn"}


class Newer:
    """Normal forms as libutf8proc has them, of a newer Unicode version."""

    def __init__(self):
        self.lib = ctypes.CDLL("libutf8proc.so.2")
        self.lib.utf8proc_get_property.restype = ctypes.POINTER(ctypes.c_int16)
        self.lib.utf8proc_decompose_char.restype = ctypes.c_ssize_t

    def combines(self, c):
        return self.lib.utf8proc_get_property(c)[1] != 0  # category, then the combining class

    def decomposed(self, c):
        out, boundary = (ctypes.c_int32 * 32)(), ctypes.c_int(0)
        n = self.lib.utf8proc_decompose_char(c, out, 32, 1 << 4 | 1 << 2, ctypes.byref(boundary))
        return "".join(map(chr, out[:n]))


def forms():
    newer, nfkd, nfc, nfd = Newer(), normalizers.NFKD().normalize_str, normalizers.NFC().normalize_str, normalizers.NFD().normalize_str
    kept = {c for c in ALL if nfkd(chr(c)) == chr(c)}

    def sorts(c):
        return nfd("a\u0345" + chr(c)) != "a\u0345" + chr(c) or nfd("a" + chr(c) + "\u0334") != "a" + chr(c) + "\u0334"

    combining = {c for c in ALL if (newer.combines(c) or unicodedata.combining(chr(c))) and sorts(c)}
    for c in ALL:
        assert c in kept or newer.decomposed(c) == nfkd(chr(c)), hex(c)
        assert c not in combining or newer.combines(c), hex(c)
    odd = {c for c in kept if newer.decomposed(c) != chr(c)} | {c for c in ALL if newer.combines(c) and c not in combining}
    seconds = set(range(0x1161, 0x1176)) | set(range(0x11A8, 0x11C3))
    for c in ALL:
        d = nfd(chr(c))
        if len(d) > 1 and nfc(d) == chr(c) and not 0xAC00 <= c < 0xD7A4:
            seconds.add(ord(d[-1]))
    yield "UC_FORMLESS", odd
    yield "UC_UNSTABLE", combining | seconds | {c for c in ALL if nfc(chr(c)) != chr(c)}


def scripts():
    """[(first, last, script)]: runs of characters that UnicodeScripts keeps together; numbers are given in order of
    appearance, and 0 is what belongs to any script."""
    pieces = lambda s: pre_tokenizers.UnicodeScripts().pre_tokenize_str(s)
    text = "".join(map(chr, ALL))
    any_script = {c for c in ALL if not pieces(chr(c))}
    heads, known = [], []
    for piece, _ in pieces("".join(c for c in text if ord(c) not in any_script)):
        script = next((i for i, r in enumerate(known) if len(pieces(r + piece[0])) == 1), len(known))
        if script == len(known):
            known.append(piece[0])
        heads += [(ord(c), script + 1) for c in piece]
    runs = []
    for c, script in heads:
        if runs and runs[-1][1] == c - 1 and runs[-1][2] == script:
            runs[-1][1] = c
        else:
            runs.append([c, c, script])
    return runs


def reorders(c):
    """Whether the library knows that this mark, which it does not strip, has a combining class."""
    n, x = bert(strip=True), chr(c)
    return n("a\u302e" + x) != "a\u302e" + x or n("a" + x + "\U0001D165") != "a" + x + "\U0001D165"


def ranges(members):
    out = []
    for c in sorted(members):
        if out and out[-1][1] == c - 1:
            out[-1][1] = c
        else:
            out.append([c, c])
    return out


def lower_runs():
    runs = []
    for c, v in inside(bert(lower=True)).items():
        if v == chr(c) or len(v) > 1:
            continue
        delta = ord(v) - c
        if runs:
            first, last, step, d = runs[-1]
            if d == delta and c - last in ((1, 2) if step == 0 else (step,)):
                runs[-1] = (first, c, c - last, d)
                continue
        runs.append((c, c, 0, delta))
    return [(a, b, max(s, 1), d) for a, b, s, d in runs]


def fill(items, width=88):
    line = "\t"
    for item in items:
        if len(line) + len(item) > width:
            yield line.rstrip()
            line = "\t"
        line += item + " "
    yield line.rstrip()


def file_of(name, what, found):
    """The lines of one file: a list of ranges a class, and the table of them under `name`."""
    yield "/* %s, as the tokenizers library" % what
    yield " * %s has them; made by" % tokenizers.__version__
    yield " * tests/parity/make_tokenizer_classes.py, which asks it about every scalar value. */"
    yield '#include "text/uclass.h"\n\n/* clang-format off */'
    found = [f for f in found if f[1]]
    for flag, members in found:
        yield "static const uint32_t %s[][2] = {" % flag.lower()[3:]
        yield from fill("{0x%X,0x%X}," % tuple(r) for r in ranges(members))
        yield "};"
    yield "const struct uclass_ranges %s[] = {" % name
    for flag, _ in found:
        yield "\t{%s, %s, sizeof(%s) / sizeof(*%s)}," % (flag, *[flag.lower()[3:]] * 3)
    yield "\t{0, NULL, 0},\n};"


def main():
    folder = pathlib.Path(sys.argv[1])
    found = list(classes())
    clusters = [f for f in found if f[0] in ("UC_WORD", "UC_EXTEND", "UC_PREPEND", "UC_CONTROL", "UC_PICTURE")]
    pieces = [f for f in found if f not in clusters]
    lines = list(file_of("uclass_pieces", "What normalisers and pre-tokenisers ask of a character", pieces))
    lines.append("const struct uclass_case uclass_lower[] = {")
    lines += fill("{0x%X,0x%X,%d,%d}," % r for r in lower_runs())
    lines.append("};\nconst size_t uclass_n_lower = sizeof(uclass_lower) / sizeof(*uclass_lower);")
    (folder / "unicode_pieces.c").write_text("\n".join(lines) + "\n")
    lines = file_of("uclass_clusters", "Words and grapheme clusters", clusters)
    (folder / "unicode_clusters.c").write_text("\n".join(lines) + "\n")
    lines = file_of("uclass_letters", "Letters", letters())
    (folder / "unicode_letters.c").write_text("\n".join(lines) + "\n")
    lines = list(file_of("uclass_marks", "Marks, numbers, symbols, and normal forms", [*marks(), *forms()]))
    (folder / "unicode_marks.c").write_text("\n".join(lines) + "\n")
    lines = ["/* Scripts, as UnicodeScripts of the tokenizers library", " * %s has them; made by" % tokenizers.__version__,
             " * tests/parity/make_tokenizer_classes.py. */", '#include "text/uclass.h"\n\n/* clang-format off */',
             "const struct uclass_script uclass_scripts[] = {"]
    lines += fill("{0x%X,0x%X,%d}," % tuple(r) for r in scripts())
    lines.append("};\nconst size_t uclass_n_scripts = sizeof(uclass_scripts) / sizeof(*uclass_scripts);")
    (folder / "unicode_scripts.c").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
