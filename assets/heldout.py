#!/usr/bin/env python3
"""heldout.py ROWS.jsonl OUT [QUERIES]: keeps a part of the rows for evaluation.

Writes OUT/train.jsonl (the other lines, byte for byte, in their order) and OUT/heldout/, a BEIR folder whose corpus is
every passage of every row and whose queries are the held-out ones (default: a tenth of all, 20 to 300).

Rows that share a query or a positive stay together, so that no held-out question or answer is trained on. Groups are
drawn by the hash of their texts: the same file gives the same parts on every machine. Lines that are no usable
row (a query and at least one positive) go to train.jsonl, where each command says what it makes of them.

Standard library only, Python 3.8 or newer.
"""
import hashlib
import json
import os
import sys


def text_key(text):
    return " ".join(text.split()).casefold()


def read_row(line):
    """(query, positives, negatives) or None."""
    try:
        row = json.loads(line)
    except ValueError:
        return None
    if not isinstance(row, dict) or not isinstance(row.get("query"), str) or not row["query"].strip():
        return None
    lists = []
    for field in ("pos", "neg"):
        texts = row.get(field) or []
        texts = [texts] if isinstance(texts, str) else texts
        if not isinstance(texts, list) or not all(isinstance(t, str) for t in texts):
            return None
        lists.append([t for t in texts if t.strip()])
    return (row["query"], *lists) if lists[0] else None


def group_rows(rows):
    """Lists of row numbers: rows that share a query or a positive, over any number of steps."""
    parent = list(range(len(rows)))

    def root(i):
        while parent[i] != i:
            parent[i] = parent[parent[i]]
            i = parent[i]
        return i

    first = {}
    for i, row in enumerate(rows):
        if not row:
            continue
        for key in [("query", text_key(row[0]))] + [("pos", text_key(p)) for p in row[1]]:
            parent[root(i)] = root(first.setdefault(key, i))
    groups = {}
    for i, row in enumerate(rows):
        if row:
            groups.setdefault(root(i), []).append(i)
    return list(groups.values())


def draw(rows, n_wanted):
    """Numbers of the held-out rows. A group with more than a quarter of what is wanted stays in training."""

    def drawn_by(group):
        texts = sorted(text_key(rows[i][0]) for i in group)
        return hashlib.sha256("\n".join(texts).encode("utf-8", "surrogatepass")).digest()

    out, n_queries = set(), 0
    for group in sorted(group_rows(rows), key=drawn_by):
        n = len({text_key(rows[i][0]) for i in group})
        if n <= max(1, n_wanted // 4) and n_queries + n <= n_wanted:
            out.update(group)
            n_queries += n
    return out


def write_beir(folder, rows, heldout):
    passages, queries, qrels = {}, {}, {}
    for i, row in enumerate(rows):
        if not row:
            continue
        for text in row[1] + row[2]:
            passages.setdefault(text_key(text), (f"p{len(passages) + 1}", text))
        if i in heldout:
            query, _ = queries.setdefault(text_key(row[0]), (f"q{len(queries) + 1}", row[0]))
            for text in row[1]:
                qrels[query, passages[text_key(text)][0]] = 1
    os.makedirs(os.path.join(folder, "qrels"))
    for name, table in (("corpus", passages), ("queries", queries)):
        with open(os.path.join(folder, name + ".jsonl"), "w", encoding="utf-8", errors="replace") as f:
            for key, text in table.values():
                record = {"_id": key, "title": "", "text": text} if name == "corpus" else {"_id": key, "text": text}
                f.write(json.dumps(record, ensure_ascii=False) + "\n")
    with open(os.path.join(folder, "qrels", "test.tsv"), "w", encoding="utf-8") as f:
        f.write("query-id\tcorpus-id\tscore\n")
        f.writelines(f"{q}\t{p}\t{score}\n" for (q, p), score in qrels.items())
    return len(queries), len(passages)


def main():
    if len(sys.argv) not in (3, 4):
        raise SystemExit(__doc__)
    source, out = sys.argv[1:3]
    with open(source, "rb") as f:
        lines = f.read().splitlines(keepends=True)
    rows = [read_row(line) for line in lines]
    n_all = len({text_key(row[0]) for row in rows if row})
    n_wanted = int(sys.argv[3]) if len(sys.argv) == 4 else min(max(n_all // 10, 20), 300)
    heldout = draw(rows, n_wanted)
    if not heldout or 2 * len(heldout) > len(lines):
        raise SystemExit(f"heldout.py: {source} has {n_all} queries, too few to keep {n_wanted} for evaluation: "
                         "give a BEIR folder with --eval")
    os.makedirs(out, exist_ok=True)
    n_queries, n_passages = write_beir(os.path.join(out, "heldout"), rows, heldout)
    with open(os.path.join(out, "train.jsonl"), "wb") as f:
        f.writelines(line for i, line in enumerate(lines) if i not in heldout)
    print(f"{len(lines) - len(heldout)} rows to train on; {n_queries} queries over {n_passages} passages held out")


if __name__ == "__main__":
    main()
