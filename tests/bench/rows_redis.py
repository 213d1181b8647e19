#!/usr/bin/python3
"""Dedup claims through Redis, beside redis-benchmark doing SET NX at the same pipeline depth, both against the same server."""
import os
import re
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "lib"))
from bench import CLIENT, SERVER, TOP, alternate, pin, quick, row, title  # noqa: E402
from lab import Redis  # noqa: E402

PROGRAM = os.path.join(TOP, "build", "release", "bench", "bench_claims")


def claims(redis, depth, count):
    """(claims a second, CPU us of the client for each) of our dedup module."""
    redis.ask("FLUSHALL")
    done = subprocess.run(["taskset", "-c", SERVER, PROGRAM, redis.path, str(depth), str(count)], capture_output=True, text=True, check=True)
    return [float(x) for x in done.stdout.split()]


def benchmark(redis, depth, count):
    """SET key token NX PX ms with keys of the same length, one connection."""
    redis.ask("FLUSHALL")
    done = subprocess.run(["taskset", "-c", SERVER, "redis-benchmark", "-s", redis.path, "-c", "1", "-P", str(depth), "-n", str(count),
                           "-r", "1000000000", "SET", "tocsin:claim:00000000000000000000__rand_int__", "c:0123456789abcdef", "NX", "PX",
                           "30000"], capture_output=True, text=True, check=True)
    found = re.findall(r"([\d.]+) requests per second", done.stdout)
    if not found:
        raise SystemExit(done.stdout + done.stderr)
    return float(found[-1])


def main():
    title("dedup claims through Redis, one connection; Redis on the other core")
    folder = tempfile.mkdtemp(prefix="tocsin-bench-")
    redis = Redis(folder)
    try:
        redis.start()
        pin(redis.process.pid, CLIENT)
        for depth in (1, 100, 1000):
            count = quick(20000, 200000) if depth > 1 else quick(5000, 50000)
            ours, theirs = alternate(lambda d=depth, c=count: claims(redis, d, c), lambda d=depth, c=count: benchmark(redis, d, c))
            row(f"claims, {depth} at a time", [x[0] for x in ours], theirs, "claims/s", ">=0.8" if depth > 1 else "",
                f"redis-benchmark -P {depth} SET NX PX")
            row(f"claims, {depth} at a time: our CPU", [x[1] for x in ours], unit="us/claim")
    finally:
        redis.stop()
        shutil.rmtree(folder, ignore_errors=True)


main()
