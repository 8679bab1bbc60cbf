#!/usr/bin/env python3
"""make_metrics.py: writes tests/fixtures/eval/{qrels.txt,run.txt,expected.json}: a small run with
graded, negative and missing judgements, ties and queries of every awkward kind, and what pytrec_eval
(trec_eval's own code) says of it. mrr@k, which trec_eval lacks, is recip_rank of the ranking cut at k.
Needs: pytrec_eval."""
import json, os, random
import pytrec_eval

KS = [1, 3, 5, 10, 20, 50, 100, 1000]
HERE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "fixtures", "eval")


def make():
    rng = random.Random(20)
    docs = [f"d{i}" for i in range(80)] + ["가나", "가", "z", "Z9"]
    qrels, run = {}, {}
    for i in range(10):
        q = f"q{i}"
        judged = rng.sample(docs, rng.randint(1, 25))
        qrels[q] = {d: rng.choice([0, 0, 1, 1, 2, 3, -1]) for d in judged}
        # Scores of one decimal: ties abound, and float32 holds them apart.
        run[q] = {d: round(rng.random() * 4, 1) for d in rng.sample(docs, rng.randint(1, 60))}
    qrels["none-relevant"] = {"d1": 0, "d2": 0}
    run["none-relevant"] = {"d1": 1.0, "d3": 0.5}
    qrels["never-ranked"] = {"d1": 1}
    run["never-judged"] = {"d1": 1.0}
    qrels["all-tied"] = {"d10": 1, "d2": 2}
    run["all-tied"] = {d: 7.0 for d in docs}
    return qrels, run


def main():
    qrels, run = make()
    with open(os.path.join(HERE, "qrels.txt"), "w", encoding="utf-8") as f:
        f.writelines(f"{q} 0 {d} {g}\n" for q, js in qrels.items() for d, g in js.items())
    with open(os.path.join(HERE, "run.txt"), "w", encoding="utf-8") as f:
        f.writelines(f"{q} Q0 {d} 0 {s} fixture\n" for q, ds in run.items() for d, s in ds.items())
    cut = ",".join(map(str, KS))
    measures = {f"ndcg_cut.{cut}", f"recall.{cut}", f"P.{cut}", "map", "recip_rank"}
    got = pytrec_eval.RelevanceEvaluator(qrels, measures).evaluate(run)
    expected = {}
    for q, m in got.items():
        e = expected[q] = {"map": m["map"], "mrr": m["recip_rank"]}
        for k in KS:
            e[f"ndcg@{k}"] = m[f"ndcg_cut_{k}"]
            e[f"recall@{k}"] = m[f"recall_{k}"]
            e[f"precision@{k}"] = m[f"P_{k}"]
            e[f"mrr@{k}"] = m["recip_rank"] if m["recip_rank"] * k >= 1 - 1e-9 else 0.0
    with open(os.path.join(HERE, "expected.json"), "w", encoding="utf-8") as f:
        json.dump(expected, f, ensure_ascii=False, indent=0)
        f.write("\n")


if __name__ == "__main__":
    main()
