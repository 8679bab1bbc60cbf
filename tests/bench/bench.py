#!/usr/bin/env python3
"""Runs vecsmith and its Python peer on the same input, interleaved, and prints the ratio.

    python3 tests/bench/bench.py encode --venv VENV [--pairs 7] [--dtype float32|bfloat16] [--threads 1]
    python3 tests/bench/bench.py score  --venv VENV [--candidates 100]
    python3 tests/bench/bench.py mine   --venv VENV
    python3 tests/bench/bench.py train  --venv VENV [--dtype ...] [--batch-size 32] [--max-length 128]
    python3 tests/bench/bench.py start  --venv VENV

VENV holds sentence-transformers (tests/bench/requirements.txt names the versions that were measured). Machines are
noisy, so nothing absolute is claimed: each pair runs ours and theirs one after the other, a figure is the median of the
ratios, and the machine's GEMM peak is measured in the same minute. What is counted is CPU seconds of the process, and of
those the *difference* between a large and a small run of the same command, so start-up falls out on both sides.
Needs a release build (assets/start makes it). Results are appended to tests/bench/runs.jsonl with --log.
"""
import argparse, json, os, statistics, subprocess, sys, tempfile, time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
VECSMITH = os.environ.get("VECSMITH_BIN", os.path.join(ROOT, "build/release/vecsmith"))


class Cost:
    """What one process cost: wall and CPU seconds, peak resident bytes, its output."""

    def __init__(self, wall, cpu, rss, out):
        self.wall, self.cpu, self.rss, self.out = wall, cpu, rss, out


def run(argv, threads, quiet=True):
    env = dict(os.environ, OMP_NUM_THREADS=str(threads), MKL_NUM_THREADS=str(threads), TOKENIZERS_PARALLELISM="false",
               HF_HUB_OFFLINE="1")
    for name in ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE"):
        env.pop(name, None)
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as log:
        began = time.monotonic()
        p = subprocess.Popen(argv, stdout=out, stderr=log if quiet else None, env=env)
        _, status, usage = os.wait4(p.pid, 0)
        p.returncode = os.waitstatus_to_exitcode(status)
        wall = time.monotonic() - began
        out.seek(0)
        if p.returncode:
            log.seek(0)
            sys.exit(f"{' '.join(argv)}\nended with {p.returncode}:\n{log.read().decode(errors='replace')[-2000:]}")
        return Cost(wall, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024, out.read().decode(errors="replace"))


def gemm_peak(venv, threads):
    """GFLOP/s of an fp32 and a bf16 product of the sizes an encoder makes, by the peer's own torch."""
    code = ("import torch,time\ntorch.set_num_threads(%d)\n"
            "for t in (torch.float32,torch.bfloat16):\n"
            "  a=torch.randn(2048,384).to(t);b=torch.randn(384,1536).to(t);best=0\n"
            "  for _ in range(8):\n"
            "    s=time.perf_counter()\n"
            "    for _ in range(10): a@b\n"
            "    best=max(best,10*2*2048*384*1536/(time.perf_counter()-s)/1e9)\n"
            "  print(round(best))\n" % threads)
    f32, bf16 = run([os.path.join(venv, "bin/python"), "-c", code], threads).out.split()
    return {"f32_gflops": int(f32), "bf16_gflops": int(bf16)}


def read_texts(path, n):
    texts = []
    with open(path, encoding="utf-8", newline="\n") as f:
        for line in f:
            row = json.loads(line)
            texts.append((row.get("title", "") + " " + row["text"]).strip())
            if len(texts) == n:
                break
    return texts


def write_texts(path, texts):
    with open(path, "w", encoding="utf-8") as f:
        for t in texts:
            f.write(json.dumps({"text": t}, ensure_ascii=False) + "\n")


def report(name, pairs, unit, extra, args):
    """pairs: [(ours, theirs)] of one unit, smaller is better."""
    ratios = [theirs / ours for ours, theirs in pairs]
    row = {"bench": name, "date": time.strftime("%Y-%m-%d"), "unit": unit, "ratio_median": round(statistics.median(ratios), 3),
           "ratio_min": round(min(ratios), 3), "ratio_max": round(max(ratios), 3), "pairs": len(pairs),
           "ours": round(statistics.median(o for o, _ in pairs), 4), "theirs": round(statistics.median(t for _, t in pairs), 4),
           "threads": args.threads, **extra}
    print(json.dumps(row))
    if args.log:
        with open(os.path.join(HERE, "runs.jsonl"), "a", encoding="utf-8") as f:
            f.write(json.dumps(row) + "\n")


def peer(args, script, *rest):
    return [os.path.join(args.venv, "bin/python"), os.path.join(HERE, script), *map(str, rest)]


def progress(i, n, ours, theirs):
    print(f"pair {i + 1} of {n}: ours {ours:.3f}, theirs {theirs:.3f}, ratio {theirs / ours:.2f}", file=sys.stderr)


def bench_encode(args, tmp):
    texts = read_texts(args.data or os.path.join(ROOT, "../shared/data/ko-retrieval/corpus.jsonl"), args.n)
    big, small, out = (os.path.join(tmp, f) for f in ("big.jsonl", "small.jsonl", "out.npy"))
    write_texts(big, texts)
    write_texts(small, texts[:1])
    dtypes = {"ours": args.dtype, "theirs": args.peer_dtype or args.dtype}

    def ours(path):
        return run([VECSMITH, "encode", "--model", args.model, "--in", path, "--out", out, "--threads", str(args.threads),
                    "--dtype", dtypes["ours"], "--no-cache"], args.threads)

    def theirs(path):
        return run(peer(args, "peer_encode.py", args.model, path, out + ".peer.npy", dtypes["theirs"], args.threads), args.threads)

    pairs, rss = [], (0, 0)
    for i in range(args.pairs):
        a, b = ours(big), theirs(big)
        o, t = a.cpu - ours(small).cpu, b.cpu - theirs(small).cpu
        pairs.append((o, t))
        rss = (a.rss, b.rss)
        progress(i, args.pairs, o, t)
    extra = {"texts": len(texts), "model": os.path.basename(args.model), "dtype": dtypes["ours"], "peer_dtype": dtypes["theirs"],
             "rss_ours_mb": rss[0] >> 20, "rss_theirs_mb": rss[1] >> 20, **gemm_peak(args.venv, args.threads)}
    report("encode", pairs, "CPU seconds", extra, args)


def bench_score(args, tmp):
    """Queries with --candidates passages each, by a random cross-encoder of the model's sizes; scores must agree."""
    folder = os.path.join(args.data or os.path.join(ROOT, "../shared/data/ko-retrieval"))
    passages = read_texts(os.path.join(folder, "corpus.jsonl"), 4 * args.candidates)
    with open(os.path.join(folder, "queries.jsonl"), encoding="utf-8", newline="\n") as f:
        queries = [json.loads(line)["text"] for _, line in zip(range(args.n), f)]
    reranker, big, small = (os.path.join(tmp, f) for f in ("reranker", "big.jsonl", "small.jsonl"))
    run([os.path.join(args.venv, "bin/python"), os.path.join(HERE, "make_reranker.py"), args.model, reranker], args.threads)
    rows = [{"query": q, "pos": [passages[(37 * i) % len(passages)]],
             "neg": [passages[(37 * i + k) % len(passages)] for k in range(1, args.candidates)]} for i, q in enumerate(queries)]
    for path, some in ((big, rows), (small, [{**rows[0], "neg": []}])):
        with open(path, "w", encoding="utf-8") as f:
            f.writelines(json.dumps(r, ensure_ascii=False) + "\n" for r in some)
    dtypes = {"ours": args.dtype, "theirs": args.peer_dtype or args.dtype}
    out = os.path.join(tmp, "scored.jsonl")

    def ours(path):
        return run([VECSMITH, "score", "--model", reranker, "--in", path, "--out", out, "--threads", str(args.threads), "--dtype",
                    dtypes["ours"], "--no-cache", "--name", "r"], args.threads)

    def theirs(path):
        return run(peer(args, "peer_score.py", reranker, path, out + ".peer.json", dtypes["theirs"], args.threads), args.threads)

    pairs, rss, worst = [], (0, 0), 0.0
    for i in range(args.pairs):
        a, b = ours(big), theirs(big)
        with open(out, encoding="utf-8") as f:
            got = [s for line in f for r in [json.loads(line)] for s in r["pos_scores"] + r["neg_scores"]]
        worst = max(worst, max(abs(x - y) for x, y in zip(got, json.load(open(out + ".peer.json")))))
        o, t = a.cpu - ours(small).cpu, b.cpu - theirs(small).cpu
        pairs.append((o, t))
        rss = (a.rss, b.rss)
        progress(i, args.pairs, o, t)
    extra = {"queries": len(rows), "candidates": args.candidates, "model": os.path.basename(args.model) + " sizes, random",
             "dtype": dtypes["ours"], "peer_dtype": dtypes["theirs"], "largest_difference": float(f"{worst:.2g}"),
             "rss_ours_mb": rss[0] >> 20, "rss_theirs_mb": rss[1] >> 20, **gemm_peak(args.venv, args.threads)}
    report("score", pairs, "CPU seconds", extra, args)


def bench_train(args, tmp):
    data = args.data or os.path.join(ROOT, "../shared/data/ko-retrieval/train.jsonl")
    few, many = 3, 3 + args.steps

    def ours(steps):
        out = os.path.join(tmp, f"run{time.monotonic_ns()}")
        return run([VECSMITH, "train", "--model", args.model, "--data", data, "--out", out, "--max-steps", str(steps),
                    "--batch-size", str(args.batch_size), "--group-size", "1", "--max-length", str(args.max_length), "--lr", "2e-5",
                    "--temperature", "0.05", "--dtype", args.dtype, "--threads", str(args.threads), "--no-cache",
                    *(["--lora"] if args.lora else [])], args.threads)

    def theirs(steps):
        return run(peer(args, "peer_train.py", args.model, data, os.path.join(tmp, "peer"), steps, args.batch_size, args.max_length,
                        args.peer_dtype or args.dtype, args.threads, int(args.lora)), args.threads)

    pairs, rss = [], (0, 0)
    for i in range(args.pairs):
        a, b = ours(many), theirs(many)
        o, t = (a.cpu - ours(few).cpu) / args.steps, (b.cpu - theirs(few).cpu) / args.steps
        pairs.append((o, t))
        rss = (a.rss, b.rss)
        progress(i, args.pairs, o, t)
    extra = {"batch": args.batch_size, "max_length": args.max_length, "model": os.path.basename(args.model), "dtype": args.dtype,
             "lora": args.lora, "rss_ours_mb": rss[0] >> 20, "rss_theirs_mb": rss[1] >> 20,
             "rss_ratio": round(rss[0] / rss[1], 3), **gemm_peak(args.venv, args.threads)}
    report("train", pairs, "CPU seconds a step", extra, args)


def bench_mine(args, tmp):
    data = args.data or os.path.join(ROOT, "../shared/data/ko-retrieval/train.jsonl")
    rows = os.path.join(tmp, "rows.jsonl")
    with open(data, encoding="utf-8", newline="\n") as f, open(rows, "w", encoding="utf-8") as g:
        g.writelines(line for _, line in zip(range(args.n), f))
    workspace = os.path.join(tmp, "w")

    def ours(*more):
        return run([VECSMITH, "mine", "--model", args.model, "--in", rows, "--out", os.path.join(tmp, "o.jsonl"), "--range", "10-210",
                    "--negatives", "15", "--threads", str(args.threads), "--dtype", args.dtype, *more], args.threads)

    os.makedirs(os.path.join(workspace, ".vecsmith"))
    pairs = []
    for i in range(args.pairs):
        o, t = ours("--no-cache"), run(peer(args, "peer_mine.py", args.model, rows, args.peer_dtype or args.dtype, args.threads),
                                       args.threads)
        pairs.append((o.cpu, t.cpu))
        progress(i, args.pairs, o.cpu, t.cpu)
    ours("--workspace", workspace)
    cached = [ours("--workspace", workspace).wall for _ in range(5)]
    report("mine", pairs, "CPU seconds, start-up included", {"rows": args.n, "model": os.path.basename(args.model),
           "second_run_wall_s": round(statistics.median(cached), 3), "dtype": args.dtype, **gemm_peak(args.venv, args.threads)}, args)


def bench_start(args, tmp):
    one = os.path.join(tmp, "one.jsonl")
    write_texts(one, ["서울은 대한민국의 수도이다."])
    pairs = []
    for i in range(args.pairs):
        o = run([VECSMITH, "encode", "--model", args.model, "--in", one, "--out", os.path.join(tmp, "o.npy"), "--no-cache", "--threads",
                 str(args.threads)], args.threads)
        t = run(peer(args, "peer_encode.py", args.model, one, os.path.join(tmp, "p.npy"), "float32", args.threads), args.threads)
        pairs.append((o.wall, t.wall))
        progress(i, args.pairs, o.wall, t.wall)
    report("start to first vector", pairs, "wall seconds", {"model": os.path.basename(args.model)}, args)
    first = []
    data = args.data or os.path.join(ROOT, "../shared/data/ko-retrieval/train.jsonl")
    for i in range(min(args.pairs, 3)):
        first.append((first_step_ours(args, data, os.path.join(tmp, f"s{i}")),
                      first_step_peer(args, data, os.path.join(tmp, "peer"))))
        progress(i, 3, *first[-1])
    report("start to first training step", first, "wall seconds", {"model": os.path.basename(args.model)}, args)


def first_step_ours(args, data, out):
    """Until the first line of metrics.jsonl is on disk; the run is ended then."""
    began = time.monotonic()
    p = subprocess.Popen([VECSMITH, "train", "--model", args.model, "--data", data, "--out", out, "--max-steps", "50", "--batch-size",
                          "16", "--group-size", "1", "--max-length", "128", "--threads", str(args.threads)],
                         stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    metrics = os.path.join(out, "metrics.jsonl")
    while p.poll() is None and not (os.path.exists(metrics) and os.path.getsize(metrics)):
        time.sleep(0.005)
    took = time.monotonic() - began
    p.kill()
    p.wait()
    return took


def first_step_peer(args, data, out):
    said = run(peer(args, "peer_train.py", args.model, data, out, 1, 16, 128, "float32", args.threads, 0), args.threads).out
    return float(json.loads(said.splitlines()[-1])["first_step_s"])


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("what", choices=["encode", "score", "mine", "train", "start"])
    p.add_argument("--venv", required=True)
    p.add_argument("--model", default=os.path.join(ROOT, "build/models/minilm-en"))
    p.add_argument("--data")
    p.add_argument("--pairs", type=int, default=7)
    p.add_argument("--n", type=int, default=300, help="texts or rows")
    p.add_argument("--candidates", type=int, default=100)
    p.add_argument("--steps", type=int, default=6)
    p.add_argument("--threads", type=int, default=1)
    p.add_argument("--dtype", default="float32")
    p.add_argument("--peer-dtype")
    p.add_argument("--batch-size", type=int, default=32)
    p.add_argument("--max-length", type=int, default=128)
    p.add_argument("--lora", action="store_true")
    p.add_argument("--log", action="store_true", help="append the result to tests/bench/runs.jsonl")
    args = p.parse_args()
    with tempfile.TemporaryDirectory() as tmp:
        {"encode": bench_encode, "score": bench_score, "mine": bench_mine, "train": bench_train, "start": bench_start}[args.what](args, tmp)


main()
