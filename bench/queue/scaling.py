"""Up to a thousand simulated workers on one Redis: python3 bench/queue/scaling.py [--seconds 15]

Four processes share the workers; each worker has its own connections, claims, beats and sweeps and
one slot; a document is a sleep of 100 ms to 1 s. Twenty equal jobs have more documents than can be
done. Prints a table in Markdown.
"""

import argparse
import json
import os
import subprocess
import time
from pathlib import Path

import report
import run

PROCESSES = 4
JOBS = 20
SETTLE_S = 4


def measure(redis, port, program, workers, seconds):
    redis.call("FLUSHALL")
    redis.call("FUNCTION", "FLUSH")
    drivers = []
    for number in range(PROCESSES):
        share = workers // PROCESSES + (number < workers % PROCESSES)
        command = [program, f"redis://127.0.0.1:{port}", share, seconds, JOBS if number == 0 else 0]
        driver = subprocess.Popen(["taskset", "-c", run.DRIVER_CORE, *map(str, command)],
                                  stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        drivers.append(driver)
        driver.stdout.readline()

    def go():
        for driver in drivers:
            driver.stdin.write("\n")
            driver.stdin.flush()

    def lines():
        return [json.loads(driver.stdout.readline()) for driver in drivers]

    go()
    lines(), lines()
    time.sleep(SETTLE_S)
    redis.call("CONFIG", "RESETSTAT")
    redis.call("CONFIG", "SET", "slowlog-log-slower-than", "1000")
    redis.call("CONFIG", "SET", "slowlog-max-len", "10000")
    redis.call("SLOWLOG", "RESET")
    before = run.redis_cost(redis.info())
    go()
    results = lines()
    after = run.redis_cost(redis.info())
    slow = [entry for entry in redis.call("SLOWLOG", "GET", "10000") if entry[3][0] == "EVALSHA"]
    scripts = redis.call("INFO", "commandstats")
    for driver in drivers:
        driver.wait(timeout=30)
    return summary(workers, seconds, results, before, after, slow, scripts)


def summary(workers, seconds, results, before, after, slow, scripts):
    jobs = {}
    for result in results:
        for job, documents in result["documents"].items():
            jobs[job] = jobs.get(job, 0) + documents
    documents = sum(jobs.values())
    slept = sum(result["slept_s"] for result in results)
    claims = [took / 1000 for result in results for took in result["claims_us"]]
    shares = list(jobs.values()) + [0] * (JOBS - len(jobs))
    ideal = workers * documents / slept
    evalsha = next(line for line in scripts.splitlines() if line.startswith("cmdstat_evalsha:"))
    mean = float(evalsha.split("usec_per_call=")[1].split(",")[0])
    return {
        "workers": workers, "per_second": documents / seconds, "ideal": ideal,
        "share": documents / seconds / ideal,
        "claim_p50_ms": report.quantile(claims, 0.5), "claim_p99_ms": report.quantile(claims, 0.99),
        "redis_cpu": (after[0] - before[0]) / seconds,
        "script_mean_ms": mean / 1000,
        "script_max_ms": max((entry[2] for entry in slow), default=1000) / 1000,
        "scripts_over_5_ms": sum(entry[2] > 5000 for entry in slow),
        "jain": sum(shares) ** 2 / (len(shares) * sum(n * n for n in shares)),
    }


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--seconds", type=int, default=15)
    parser.add_argument("--workers", default="10,100,300,1000")
    parser.add_argument("--out", type=Path, default=run.HERE, help="folder of scaling.json")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    target = Path(os.environ.get("CARGO_TARGET_DIR", run.HERE / "rust/target")).resolve()
    subprocess.run(["cargo", "build", "--release", "--locked"], cwd=run.HERE / "rust",
                   env={**os.environ, "CARGO_TARGET_DIR": str(target)}, check=True)
    process, port, redis = run.start_redis()
    rows = []
    try:
        for workers in map(int, options.workers.split(",")):
            rows.append(measure(redis, port, target / "release/scaling", workers, options.seconds))
            print(json.dumps(rows[-1]), flush=True)
    finally:
        process.terminate()
        process.wait()
    rounded = [{name: round(value, 4) for name, value in row.items()} for row in rows]
    text = ",\n".join(json.dumps(row) for row in rounded)
    (options.out / "scaling.json").write_text(f"[\n{text}\n]\n")
    print(table(rows))


def table(rows):
    titles = ["workers", "documents/s", "ideal", "of ideal", "claim p50 ms", "claim p99 ms",
              "Redis CPU", "script mean ms", "longest ms", "over 5 ms", "Jain"]
    return report.table(titles, [[
        f"{row['workers']:,}", f"{row['per_second']:,.0f}", f"{row['ideal']:,.0f}",
        f"{row['share']:.1%}", f"{row['claim_p50_ms']:.1f}", f"{row['claim_p99_ms']:.1f}",
        f"{row['redis_cpu']:.0%}", f"{row['script_mean_ms']:.2f}", f"{row['script_max_ms']:.1f}",
        str(row["scripts_over_5_ms"]), f"{row['jain']:.4f}"] for row in rows])


if __name__ == "__main__":
    main()
