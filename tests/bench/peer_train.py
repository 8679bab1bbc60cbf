"""peer_train.py MODEL ROWS.jsonl OUT STEPS BATCH MAX_LENGTH DTYPE THREADS LORA: sentence-transformers' trainer, in-batch negatives.

Random batches, its own dropout, AdamW, linear schedule; prints seconds from process start to the end of the first step."""
import json, sys, time

began = time.monotonic()
model, path, out, steps, batch, max_length, dtype, threads, lora = sys.argv[1:]
import torch

torch.set_num_threads(int(threads))
from datasets import Dataset
from sentence_transformers import SentenceTransformer, SentenceTransformerTrainer, SentenceTransformerTrainingArguments, losses
from transformers import TrainerCallback

with open(path, encoding="utf-8", newline="\n") as f:
    rows = [json.loads(line) for line in f]
data = Dataset.from_list([{"anchor": r["query"], "positive": r["pos"][0]} for r in rows])
m = SentenceTransformer(model, device="cpu")
m.max_seq_length = int(max_length)
if int(lora):
    from peft import LoraConfig

    m.add_adapter(LoraConfig(r=16, lora_alpha=32, target_modules=["query", "key", "value", "dense"]))
seen = []


class Clock(TrainerCallback):
    def on_step_end(self, *args, **kwargs):
        seen.append(time.monotonic() - began)


args = SentenceTransformerTrainingArguments(output_dir=out, max_steps=int(steps), per_device_train_batch_size=int(batch),
                                            learning_rate=2e-5, bf16=dtype == "bfloat16", use_cpu=True, save_strategy="no", report_to=[],
                                            logging_strategy="no", disable_tqdm=True)
trainer = SentenceTransformerTrainer(model=m, args=args, train_dataset=data, callbacks=[Clock()],
                                     loss=losses.MultipleNegativesRankingLoss(m, scale=20.0))
trainer.train()
print(json.dumps({"first_step_s": seen[0]}))
