"""Writes tests/fixtures/rerankers/NAME: tiny random rerankers with their tokenizers, and in scores.json what the
reference implementations say of the pairs in it:

    gemma, gemma2   FlagEmbedding's FlagLLMReranker (the "Yes" logit; gemma2 with capped logits)
    qwen3           the code of Qwen3-Reranker's model card over transformers ("yes" minus "no")
    qwen2-head      transformers' Qwen2ForSequenceClassification, pairs cut longest_first
    xlm-roberta     FlagReranker's rule under transformers 4 (query cut to its share, then the passage), over transformers;
                    under transformers 5 FlagEmbedding takes a detour over decoded text, which moves tokens

Run from the repository's root with a Python that has torch, transformers, tokenizers and FlagEmbedding:
    python tests/parity/make_reranker_gold.py
"""
import json
import pathlib
import shutil

import torch
import transformers as tf
from FlagEmbedding import FlagLLMReranker
from tokenizers import Tokenizer, models, pre_tokenizers, processors, trainers

ROOT = pathlib.Path(__file__).resolve().parent.parent / "fixtures/rerankers"
PAIRS = [["what is a panda?", "The giant panda is a bear species endemic to China."], ["hi", ""], ["", "a b c"],
         ["what is a panda?", "hi"], ["판다는 무엇인가?", "대왕판다는 중국에만 사는 곰이다."],
         ["a long question " * 12, "a long answer " * 3], ["q", "a very long passage indeed " * 20],
         ["both are long here " * 10, "the passage is long as well " * 10], ["hi", "The giant panda is a bear species endemic to China."]]
SPECIAL = ["<pad>", "<s>", "</s>", "<|im_start|>", "<|im_end|>", "<|endoftext|>"]


def tokenizer_files(path, template=None, **special):
    t = Tokenizer(models.BPE())
    t.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    words = ["Yes", "yes", "no", "A: ", "B: ", "<think>\n\n</think>\n\n", "the passage is a question panda answer"] * 3
    t.train_from_iterator(words + [p for pair in PAIRS[:5] for p in pair], trainers.BpeTrainer(
        vocab_size=320, special_tokens=SPECIAL, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False))
    if template:
        ids = [(s, t.token_to_id(s)) for s in ("<s>", "</s>")]
        t.post_processor = processors.TemplateProcessing(single=template[0], pair=template[1], special_tokens=ids)
    fast = tf.PreTrainedTokenizerFast(tokenizer_object=t, **special)
    fast.save_pretrained(path)
    return fast


def randomise(model, seed):
    g = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, p in model.named_parameters():
            noise = torch.randn(p.shape, generator=g)
            p.copy_((0.1 if "gemma" in type(model).__name__.lower() else 1) + 0.2 * noise if "norm" in name.lower() else 0.3 * noise)
    return model.eval()


def fresh(name):
    path = ROOT / name
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir(parents=True)
    return path


SMALL = dict(vocab_size=320, hidden_size=12, num_hidden_layers=2, num_attention_heads=2, num_key_value_heads=1, head_dim=6,
             intermediate_size=16, max_position_embeddings=512, attn_implementation="eager")


def finish(path, model, runs):
    model.save_pretrained(path)
    for f in ("generation_config.json",):
        (path / f).unlink(missing_ok=True)
    (path / "model.safetensors").chmod(0o644)
    out = {"pairs": PAIRS, "runs": [{"max_length": m, "query_max_length": q, "scores": [float(s) for s in scores]}
                                    for m, q, scores in runs]}
    (path / "scores.json").write_text(json.dumps(out, ensure_ascii=False, indent=0) + "\n")


def make_yes(name, config, seed):
    path = fresh(name)
    tokenizer_files(path, bos_token="<s>", eos_token="</s>", pad_token="<pad>")
    model = randomise(tf.AutoModelForCausalLM.from_config(config), seed)
    finish(path, model, [])
    judge = FlagLLMReranker(str(path), use_fp16=False, devices="cpu", query_instruction_for_rerank="A: ",
                            passage_instruction_for_rerank="B: ")
    runs = [(m, q, judge.compute_score(PAIRS, max_length=m, query_max_length=q or None, normalize=False, batch_size=4))
            for m, q in ((0, 0), (64, 0), (64, 20)) for m in [m or 200]]
    finish(path, model, runs)


def make_qwen3():
    path = fresh("qwen3")
    t = tokenizer_files(path, eos_token="<|endoftext|>", pad_token="<pad>")
    model = randomise(tf.AutoModelForCausalLM.from_config(tf.Qwen3Config(**SMALL, tie_word_embeddings=True)), 7)
    prefix = ("<|im_start|>system\nJudge whether the Document meets the requirements based on the Query and the Instruct provided. "
              "Note that the answer can only be \"yes\" or \"no\".<|im_end|>\n<|im_start|>user\n")
    suffix = "<|im_end|>\n<|im_start|>assistant\n<think>\n\n</think>\n\n"
    head, tail = (t.encode(s, add_special_tokens=False) for s in (prefix, suffix))
    yes, no = (t.encode(w, add_special_tokens=False)[0] for w in ("yes", "no"))
    instruction = "Given a web search query, retrieve relevant passages that answer the query"

    def score(query, passage, most):
        text = f"<Instruct>: {instruction}\n<Query>: {query}\n<Document>: {passage}"
        middle = t(text, padding=False, truncation="longest_first", return_attention_mask=False,
                   max_length=most - len(head) - len(tail))["input_ids"]
        logits = model(input_ids=torch.tensor([head + middle + tail])).logits[0, -1]
        return logits[yes] - logits[no]

    with torch.no_grad():
        finish(path, model, [(m, 0, [score(q, p, m) for q, p in PAIRS]) for m in (512, 320)])


def make_head():
    path = fresh("qwen2-head")
    t = tokenizer_files(path, ("$A </s>", "$A </s> $B </s>"), eos_token="</s>", pad_token="</s>")
    settings = {**SMALL, "pad_token_id": t.pad_token_id, "num_labels": 1}
    del settings["head_dim"]
    model = randomise(tf.AutoModelForSequenceClassification.from_config(tf.Qwen2Config(**settings)), 8)

    def score(query, passage, most):
        ids = t(query, passage, truncation="longest_first", max_length=most, return_tensors="pt")["input_ids"]
        return model(input_ids=ids, attention_mask=torch.ones_like(ids)).logits[0, 0]

    with torch.no_grad():
        finish(path, model, [(m, 0, [score(q, p, m) for q, p in PAIRS]) for m in (512, 24)])


def make_xlm_roberta():
    path = fresh("xlm-roberta")
    t = tokenizer_files(path, ("<s> $A </s>", "<s> $A </s> </s> $B </s>"), bos_token="<s>", eos_token="</s>", cls_token="<s>",
                    sep_token="</s>", pad_token="<pad>")
    config = tf.XLMRobertaConfig(vocab_size=320, hidden_size=12, num_hidden_layers=2, num_attention_heads=2, intermediate_size=16,
                                 max_position_embeddings=130, type_vocab_size=1, num_labels=1, pad_token_id=0)
    model = randomise(tf.AutoModelForSequenceClassification.from_config(config), 9)

    def score(query, passage, most, q_most):
        q, p = (t.encode(x, add_special_tokens=False) for x in (query, passage))
        q = q[:q_most]
        p = p[:max(0, most - 4 - len(q))]
        ids = torch.tensor([[1] + q + [2, 2] + p + [2]])
        return model(input_ids=ids, attention_mask=torch.ones_like(ids)).logits[0, 0]

    with torch.no_grad():
        finish(path, model, [(m, q, [score(a, b, m, q) for a, b in PAIRS]) for m, q in ((100, 75), (48, 12))])


if __name__ == "__main__":
    torch.set_num_threads(1)
    make_yes("gemma", tf.GemmaConfig(**SMALL, bos_token_id=1, eos_token_id=2, pad_token_id=0), 5)
    make_yes("gemma2", tf.Gemma2Config(**SMALL, bos_token_id=1, eos_token_id=2, pad_token_id=0, final_logit_softcapping=2.0,
                                       attn_logit_softcapping=3.0, query_pre_attn_scalar=6, sliding_window=32), 6)
    make_qwen3()
    make_head()
    make_xlm_roberta()
    print(sum(f.stat().st_size for f in ROOT.rglob("*") if f.is_file()), "bytes in", ROOT)
