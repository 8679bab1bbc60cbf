"""Writes tests/fixtures/tokenizer/spm-*/: tiny sentencepiece models, and what the tokenizers that transformers makes of
them do with nasty texts. The .model files are trained only where they are missing: training is not the same everywhere.

    python tests/parity/make_sentencepiece_gold.py
"""
import io
import json
import pathlib
import tempfile
import types

import sentencepiece
from tokenizers import AddedToken, processors
from transformers.convert_slow_tokenizer import GemmaConverter, LlamaConverter, XLMRobertaConverter, generate_merges

from make_tokenizer_gold import OUT, SENTENCES, gold, write_jsonl

RULES = [("Ａ", "A"), ("ﬁ", "fi"), ("㎏", "kg"), ("\u3000", " "), ("\t", " "), ("\n", " "), ("e\u0301", "\u00e9"), ("\u200b", " "), ("½", "1/2")]


class Extractor:
    """What SentencePieceExtractor does when it is handed the scores (transformers 4)."""

    def __init__(self, model):
        self.sp = sentencepiece.SentencePieceProcessor(model_file=str(model))

    def extract(self, scores):
        vocab = {self.sp.id_to_piece(i): i for i in range(self.sp.get_piece_size())}
        if "\t" not in vocab and "<0x09>" in vocab:
            vocab["\t"] = vocab["<0x09>"]
        return vocab, generate_merges(vocab, dict(scores))


def train(path, **options):
    if path.exists():
        return
    with tempfile.NamedTemporaryFile("w", suffix=".tsv") as rules:
        for a, b in RULES:
            rules.write(" ".join("%X" % ord(c) for c in a) + "\t" + " ".join("%X" % ord(c) for c in b) + "\n")
        rules.flush()
        if options.pop("has_rules", False):
            options["normalization_rule_tsv"] = rules.name
        else:
            options["normalization_rule_name"] = "identity"
        model = io.BytesIO()
        sentencepiece.SentencePieceTrainer.train(sentence_iterator=iter(SENTENCES * 3), model_writer=model, minloglevel=2, num_threads=1,
                                                 hard_vocab_limit=False, **options)
    path.write_bytes(model.getvalue())


def convert(converter, path, names, **attributes):
    """The converter's tokenizer, with the special tokens that the fast class adds."""
    ids = {i: t for i, t in enumerate(names)}
    slow = types.SimpleNamespace(vocab_file=str(path), convert_ids_to_tokens=ids.get, convert_tokens_to_ids={t: i for i, t in ids.items()}.get,
                                 pad_token="<pad>", eos_token="<eos>", bos_token="<bos>", **attributes)
    patched = type(converter.__name__, (converter,), {"SpmExtractor": Extractor})
    t = patched(slow).converted()
    t.add_special_tokens([AddedToken(n, special=True, normalized=False, lstrip=n == "<mask>") for n in names])
    return t


def wrap(t, bos, eos=None):
    ids = [(x, t.token_to_id(x)) for x in (bos, eos) if x]
    single = " ".join([bos + ":0", "$A:0"] + ([eos + ":0"] if eos else []))
    pair = single + " " + " ".join([bos + ":1", "$B:1"] + ([eos + ":1"] if eos else []))
    t.post_processor = processors.TemplateProcessing(single=single, pair=pair, special_tokens=ids)
    return t


def write(name, file, config, training, make):
    d = OUT / name
    d.mkdir(exist_ok=True)
    train(d / file, **training)
    for path, text in config.items():
        (d / path).write_text(json.dumps(text) + "\n")
    write_jsonl(d / "gold.jsonl", gold(make(d / file)))


def main():
    llama = dict(model_type="bpe", vocab_size=600, byte_fallback=True, remove_extra_whitespaces=False, split_digits=True,
                 user_defined_symbols=["<tool>", "new thing"])
    write("spm-xlm-roberta", "sentencepiece.bpe.model", {"tokenizer_config.json": {"tokenizer_class": "XLMRobertaTokenizer"}},
          dict(model_type="unigram", vocab_size=500, has_rules=True),
          lambda m: convert(XLMRobertaConverter, m, ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]))
    write("spm-llama", "tokenizer.model", {"tokenizer_config.json": {"tokenizer_class": "LlamaTokenizer", "add_eos_token": True}}, llama,
          lambda m: wrap(convert(LlamaConverter, m, ["<unk>", "<s>", "</s>"]), "<s>", "</s>"))
    write("spm-mistral", "tokenizer.model", {"tokenizer_config.json": {"legacy": False, "bos_token": {"content": "<s>"}},
                                             "config.json": {"model_type": "mistral"}}, llama,
          lambda m: wrap(convert(LlamaConverter, m, ["<unk>", "<s>", "</s>"], legacy=False), "<s>"))
    write("spm-gemma", "tokenizer.model", {"tokenizer_config.json": {"tokenizer_class": "GemmaTokenizerFast"}},
          dict(model_type="bpe", vocab_size=600, byte_fallback=True, add_dummy_prefix=False, remove_extra_whitespaces=False,
               allow_whitespace_only_pieces=True, pad_id=0, eos_id=1, bos_id=2, unk_id=3, pad_piece="<pad>", eos_piece="<eos>",
               bos_piece="<bos>", user_defined_symbols=["<mask>", "▁▁", "▁▁▁", "\n", "\n\n", "<start_of_turn>"]),
          lambda m: wrap(convert(GemmaConverter, m, ["<pad>", "<eos>", "<bos>", "<unk>"]), "<bos>"))


if __name__ == "__main__":
    main()
