#!/usr/bin/env python3
"""How fast the workbench answers: first frame of a large file, key to screen while a job burns, bytes and wake-ups when idle.

    python3 tests/bench/screen.py [--gib 2] [--keys 600] [--size 80x24] [--first] [--log]

Drives build/release/vecsmith (VECSMITH_BIN names another) through a pseudo-terminal of its own. Makes a JSONL file of so many GiB
in a scratch folder (kept with --keep FILE), opens it with the page cache emptied of it and filled with it, and with and without
the cache of its line offsets; then starts a training from the launch form, so that a job of two threads burns, and presses keys
on the screens that a person uses. What is measured is the time from the write of a key to the last byte that the screen sent for
it. A key that changes nothing is not counted. With --first the workbench's own session is put before all others (root only), for machines that
other people use; the job's is not. Needs a release build. --log appends the figures to tests/bench/runs.jsonl.
"""
import argparse, fcntl, json, os, pty, random, select, shutil, signal, statistics, struct, subprocess, sys, tempfile, termios, time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
VECSMITH = os.environ.get("VECSMITH_BIN", os.path.join(ROOT, "build/release/vecsmith"))
QUIET_S = 0.012  # a picture is sent in one go: after so long without a byte it has ended


class Screen:
    """The workbench in a terminal of its own."""

    def __init__(self, argv, cwd, cols, rows, first):
        self.begun = time.perf_counter()
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            if first:
                try:
                    with open("/proc/self/autogroup", "w") as f:
                        f.write("-19")
                except OSError:
                    pass
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("HHHH", rows, cols, 0, 0))
            os.chdir(cwd)
            env = dict(os.environ, TERM="xterm-256color", LC_ALL="C.UTF-8", HOME=cwd,
                       VECSMITH_MODEL=os.path.join(ROOT, "tests/fixtures/model-base"))
            for name in ("VECSMITH_WORKSPACE", "VECSMITH_JOB", "COLUMNS", "LINES"):
                env.pop(name, None)
            os.execve(argv[0], argv, env)
        os.set_blocking(self.fd, False)
        self.sent = b""

    def read(self, limit_s, until=None):
        """Reads until the burst is over, or the text is there; returns the time of the last byte, None when nothing came."""
        last, end, got = None, time.perf_counter() + limit_s, b""
        while True:
            wait = end - time.perf_counter() if last is None or until else min(QUIET_S, end - time.perf_counter())
            if not select.select([self.fd], [], [], max(wait, 0))[0]:
                return last if not until else None
            try:
                data = os.read(self.fd, 1 << 16)
            except OSError:
                return last
            if not data:
                return last
            last = time.perf_counter()
            got += data
            self.sent += data
            if until and until in got:
                until = None

    def drain(self, seconds=0.05):
        while self.read(seconds) is not None:
            pass

    def key(self, keys):
        """Seconds until the picture after these keys was complete; None: it did not change."""
        begun = time.perf_counter()
        os.write(self.fd, keys)
        last = self.read(0.5)
        return None if last is None else last - begun

    def say(self, line):
        for c in line:
            os.write(self.fd, c.encode())
        os.write(self.fd, b"\r")
        self.drain()

    def close(self):
        os.kill(self.pid, signal.SIGTERM)
        os.close(self.fd)
        os.waitpid(self.pid, 0)


def make_file(path, size):
    """Rows of about 1.8 kB, Korean and English, no two alike; every thousandth is broken."""
    rng = random.Random(1)
    words = ["환불은", "영업일", "기준으로", "처리됩니다", "배송비는", "구매자가", "부담합니다", "refund", "within", "three", "days", "고객센터로"]
    text = lambda n: " ".join(rng.choice(words) for _ in range(n))
    tails = ["%s\"], \"neg\": [\"%s\", \"%s\", \"%s\"], \"pos_scores\": [0.9], \"neg_scores\": [0.95, 0.4, 0.1]}\n" %
             (text(40), text(30), text(30), text(30)) for _ in range(64)]
    written, i = 0, 0
    with open(path, "wb") as f:
        while written < size:
            block = "".join("{\"query\": \"질의 %d 환불은 며칠 걸리나요\", \"pos\": [\"%s" % (k, tails[k % 64]) if k % 1000 else "{broken\n"
                            for k in range(i + 1, i + 2001)).encode()
            f.write(block)
            written += len(block)
            i += 2000
        f.flush()
        os.fsync(f.fileno())
    return i, written


def forget(path):
    with open(path, "rb") as f:
        os.posix_fadvise(f.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def first_frames(args, path, scratch, size):
    """name -> milliseconds from the start of the process to the whole first picture."""
    found = {}
    for name, is_cold, is_known in (("cold", True, False), ("warm", False, False), ("warm, offsets cached", False, True)):
        times = []
        for n in range(args.starts):
            work = os.path.join(scratch, "work-known" if is_known else f"work-{name}-{n}")
            os.makedirs(work, exist_ok=True)
            if is_known and n == 0:
                s = Screen([VECSMITH, path], work, *size, args.first)
                s.read(120, b"row 1 of")
                s.close()
            if is_cold:
                forget(path)
            s = Screen([VECSMITH, path], work, *size, args.first)
            last = s.read(30, b"help")
            times.append((last - s.begun) * 1000 if last else float("nan"))
            s.close()
        found[name] = round(statistics.median(times), 1)
        print(f"first frame, {name}: median {found[name]} ms of {args.starts}, most {max(times):.1f}", file=sys.stderr)
    return found


def quantile(values, q):
    values = sorted(values)
    return values[min(len(values) - 1, int(q * len(values)))]


def press(s, groups, n, what):
    """Presses the groups' keys in turn until n of them have changed the picture; milliseconds."""
    times, i = [], 0
    keys = [k for group in groups for k in group]
    while len(times) < n and i < 4 * n:
        took = s.key(keys[i % len(keys)])
        i += 1
        if took is not None:
            times.append(took * 1000)
        time.sleep(random.random() * 0.02)
    print(f"{what}: {len(times)} keys, median {statistics.median(times):.1f} ms, p99 {quantile(times, .99):.1f}, most {max(times):.1f}",
          file=sys.stderr)
    return times


def key_times(args, path, scratch, size):
    rows = os.path.join(ROOT, "tests/fixtures/train_rows.jsonl")
    work = os.path.join(scratch, "work-keys")
    os.makedirs(work)
    s = Screen([VECSMITH, path], work, *size, args.first)
    s.read(30, b"help")
    result = {}
    # the end is there before the index is
    result["G_before_index_ms"] = round((s.key(b"G") or float("nan")) * 1000, 1)
    indexing = [t for t in (s.key(k) for k in [b"k", b"j", b"k", b"k", b"gg", b"j"] * 5) if t is not None]
    result["indexing_keys_ms"] = round(statistics.median(indexing) * 1000, 1) if indexing else None
    s.read(120, b"row ")
    s.drain()
    # a training from the launch form: two threads, thousands of steps a minute, a metrics file that grows
    os.write(s.fd, b"gt")
    s.drain(0.3)
    for line in (f":set data {rows}", ":set max-steps 10000000", ":set batch-size 8", ":set save-steps 100000"):
        s.say(line)
    os.write(s.fd, b"L")
    deadline = time.perf_counter() + 60
    while b"RUNNING" not in s.sent and time.perf_counter() < deadline:
        s.read(1)
    if b"RUNNING" not in s.sent:
        sys.exit("the job did not start: " + s.sent[-2000:].decode(errors="replace"))
    time.sleep(2)
    down, up, half = [b"j"] * 6, [b"k"] * 4, [b"\x04", b"\x15"]
    watch = press(s, [[b")", b"(", b"Y"]], args.keys // 6, "the monitor of the run")
    os.write(s.fd, b"gd")
    s.drain(0.1)
    data = press(s, [down, up, half, [b"\x06", b"\x02"], [b"J", b"K"], [b"G", b"gg"], [b"5000G"], [b" "], [b"\r", b"q"]],
                 args.keys // 2, "the rows")
    os.write(s.fd, b"gn")
    s.drain(0.1)
    beside = press(s, [[b"j", b"k", b"]", b",", b"]", b"b"]], args.keys // 6, "candidates")
    decided = press(s, [[b"a", b"x", b"s", b"]"]], args.keys // 6, "decisions, each on disk before the next candidate")
    os.write(s.fd, b"gdfn_neg > 2\r")
    s.read(5, b"row 1 of")
    filtering = press(s, [[b"j"]], args.keys // 6, "the rows while a filter reads all of them")
    pid = subprocess.run(["pgrep", "-f", "vecsmith-job train .*--max-steps 10000000"], capture_output=True, text=True).stdout.split()
    burning = len(pid) > 0
    for p in pid:
        os.kill(int(p), signal.SIGTERM)
    s.close()
    every = watch + data + beside + filtering # decisions wait for the disk: a figure of their own
    result["decision_ms"] = {"median": round(statistics.median(decided), 1), "p99": round(quantile(decided, .99), 1)}
    result.update(keys=len(every), median_ms=round(statistics.median(every), 1), p99_ms=round(quantile(every, .99), 1),
                  most_ms=round(max(every), 1), job_ran_to_the_end=burning)
    return result


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--gib", type=float, default=2)
    p.add_argument("--keys", type=int, default=600)
    p.add_argument("--starts", type=int, default=7)
    p.add_argument("--size", default="80x24")
    p.add_argument("--keep", help="the file: made when missing, and left where it is")
    p.add_argument("--first", action="store_true")
    p.add_argument("--log", action="store_true")
    args = p.parse_args()
    if not os.access(VECSMITH, os.X_OK):
        sys.exit(f"{VECSMITH} is missing: assets/start builds it")
    size = tuple(map(int, args.size.split("x")))
    scratch = tempfile.mkdtemp(prefix="vecsmith-screen-")
    try:
        path = args.keep or os.path.join(scratch, "large.jsonl")
        if not os.path.exists(path):
            print(f"making {args.gib} GiB", file=sys.stderr)
            make_file(path, int(args.gib * 2**30))
        row = {"bench": "screen", "date": time.strftime("%Y-%m-%d"), "unit": "milliseconds", "size": args.size,
               "file_gib": round(os.path.getsize(path) / 2**30, 2), "cpus": os.cpu_count(), "put_first": args.first}
        row["first_frame"] = first_frames(args, path, scratch, size)
        row.update(key_times(args, path, scratch, size))
        print(json.dumps(row))
        if args.log:
            with open(os.path.join(HERE, "runs.jsonl"), "a", encoding="utf-8") as f:
                f.write(json.dumps(row) + "\n")
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


if __name__ == "__main__":
    main()
