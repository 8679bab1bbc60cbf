"""Writes tests/fixtures/tokenizer/pairs.jsonl: what FlagEmbedding and Qwen3-Reranker's model card make of pairs, with
the small tokenizers beside it.

    python tests/parity/make_pair_gold.py

A line: tokenizer, rule (as in pair_budget.h), lengths [query, passage, whole], training, query, passage, ids. The
decoder rerankers' ids come from FlagEmbedding's own classes; an encoder's are cut and joined by the tokenizers library,
because with transformers 5 FlagEmbedding goes through text and back, which changes ids.
"""
import json
import pathlib
import shutil
import sys
import tempfile
import types

from FlagEmbedding.abc.finetune.reranker.AbsDataset import AbsLLMRerankerTrainDataset
from FlagEmbedding.inference.reranker.decoder_only.base import DatasetForReranker
from tokenizers import Tokenizer
from transformers import AutoTokenizer

OUT = pathlib.Path(__file__).resolve().parents[1] / "fixtures" / "tokenizer"
QUERIES = ["", "When does the ferry leave?", "배는 언제 떠나나요?", "a b c " * 30]
PASSAGES = ["", "The ferry leaves the harbour at seven.", "배는 아침 일곱 시에 항구를 떠나 등대에 불이 켜지기 전에 돌아옵니다.", "no gulls, " * 60,
            "Dogs travel free\nbicycles do not"]
PAIRS = [(q, p) for q in QUERIES for p in PASSAGES]
HEAD = ("<|im_start|>system\nJudge whether the Document meets the requirements based on the Query and the Instruct provided. "
        "Note that the answer can only be \"yes\" or \"no\".<|im_end|>\n<|im_start|>user\n")
TAIL = "<|im_end|>\n<|im_start|>assistant\n<think>\n\n</think>\n\n"
TASK = "Given a web search query, retrieve relevant passages that answer the query"


def bare(name):
    t = Tokenizer.from_file(str(OUT / name / "tokenizer.json"))
    t.no_padding()
    t.no_truncation()
    return t


def scoring(max_length, query_max):
    return [query_max or max_length * 3 // 4, max_length, max_length]


def encoder(name, lengths, strategy):
    t = bare(name)
    for query, passage in PAIRS:
        t.no_truncation()
        q, p = (t.encode(x, add_special_tokens=False) for x in (query, passage))
        if strategy == "only_second":
            q.truncate(lengths[0])
            p.truncate(lengths[1])
        t.enable_truncation(lengths[2], strategy=strategy)
        yield query, passage, t.post_process(q, p).ids


def flag_tokenizer(name, folder):
    shutil.copy(OUT / name / "tokenizer.json", folder)
    config = {"tokenizer_class": "PreTrainedTokenizerFast", "bos_token": "<s>", "eos_token": "</s>", "pad_token": "<pad>", "unk_token": "<unk>"}
    (pathlib.Path(folder) / "tokenizer_config.json").write_text(json.dumps(config))
    return AutoTokenizer.from_pretrained(folder)


def yes_scoring(name, folder, lengths):
    t = flag_tokenizer(name, folder)
    cut = lambda x, n: t(x, add_special_tokens=False, max_length=n, truncation=True)
    data = DatasetForReranker([cut("A: " + q, lengths[0]) for q, _ in PAIRS], [cut("B: " + p, lengths[1]) for _, p in PAIRS], folder,
                              lengths[2])
    for i, (query, passage) in enumerate(PAIRS):
        yield query, passage, data[i]["input_ids"]


def yes_training(name, folder, query_max, passage_max):
    t = flag_tokenizer(name, folder)
    args = types.SimpleNamespace(train_group_size=2, knowledge_distillation=False, query_max_len=query_max, passage_max_len=passage_max,
                                 query_instruction_for_rerank="A: ", query_instruction_format="{}{}", passage_instruction_for_rerank="B: ",
                                 passage_instruction_format="{}{}", shuffle_ratio=0, sep_token="\n")
    for query, passage in PAIRS:
        me = types.SimpleNamespace(args=args, tokenizer=t, dataset=[{"query": query, "pos": [passage], "neg": [passage]}],
                                   max_length=query_max + passage_max, sep_inputs=t("\n", add_special_tokens=False)["input_ids"],
                                   _shuffle_text=lambda x: x)
        rows = AbsLLMRerankerTrainDataset.__getitem__(me, 0)
        rows = rows[0] if isinstance(rows, tuple) else rows
        yield query, passage, rows[0]["input_ids"]


def yes_no(name, max_length):
    t = bare(name)
    head, tail = (t.encode(x, add_special_tokens=False).ids for x in (HEAD, TAIL))
    t.enable_truncation(max_length - len(head) - len(tail))
    for query, passage in PAIRS:
        middle = t.encode("<Instruct>: %s\n<Query>: %s\n<Document>: %s" % (TASK, query, passage)).ids
        yield query, passage, head + middle + tail


def main():
    rows = []

    def put(name, rule, lengths, training, pairs):
        rows.extend({"tokenizer": name, "rule": rule, "lengths": lengths, "training": training, "query": q, "passage": p, "ids": ids}
                    for q, p, ids in pairs)

    for name in ("wordpiece", "unigram"):
        for max_length, query_max in ((20, 0), (64, 0), (64, 8)):
            lengths = scoring(max_length, query_max)
            put(name, "only_second", lengths, False, encoder(name, lengths, "only_second"))
        put(name, "longest_first", scoring(24, 0), False, encoder(name, scoring(24, 0), "longest_first"))
    with tempfile.TemporaryDirectory() as folder:
        for max_length, query_max in ((24, 0), (100, 0), (100, 10)):
            lengths = scoring(max_length, query_max)
            put("unigram", "yes", lengths, False, yes_scoring("unigram", folder, lengths))
        for query_max, passage_max in ((60, 220), (100, 150)):
            put("unigram", "yes", [query_max, passage_max, 0], True, yes_training("unigram", folder, query_max, passage_max))
    for max_length in (420, 1000):
        put("unigram", "yes_no", scoring(max_length, 0), False, yes_no("unigram", max_length))
    with open(OUT / "pairs.jsonl", "w") as f:
        f.writelines(json.dumps(r, ensure_ascii=False, separators=(",", ":")) + "\n" for r in rows)
    print("%d pairs" % len(rows), file=sys.stderr)


if __name__ == "__main__":
    main()
