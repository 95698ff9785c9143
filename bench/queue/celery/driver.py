"""The Celery driver: driver.py <redis url> <workload> <count> <concurrency>.

Protocol: see ../run.py. Acknowledged after the work, one document prefetched per slot, no results,
threads as the pool (a hundred processes would measure the machine, not the queue).
"""

import json
import os
import sys
import threading
import time

import redis
from celery import Celery, signals

URL, WORKLOAD = sys.argv[1], sys.argv[2]
COUNT, CONCURRENCY = int(sys.argv[3]), int(sys.argv[4])

app = Celery("documents", broker=URL)
app.conf.update(
    task_acks_late=True,
    worker_prefetch_multiplier=1,
    task_ignore_result=True,
    broker_connection_retry_on_startup=True,
    worker_hijack_root_logger=False,
    worker_redirect_stdouts=False,
    worker_send_task_events=False,
)
lock = threading.Lock()
first = None
ended = 0
submitted, waits, shares = {}, [], [0] * 20
half_time = threading.Event()
picked = threading.Event()
picked_at = 0.0


@app.task(name="document")
def document(job, index):
    """Handles a document as the workload says."""
    global first, ended, picked_at
    started = time.perf_counter()
    if WORKLOAD == "pickup":
        picked_at = started
        picked.set()
        return
    if WORKLOAD == "behind":
        if job in submitted:
            waits.append((started - submitted[job]) * 1000)
        time.sleep(0.02)
    elif WORKLOAD == "share":
        time.sleep(0.002)
    with lock:
        first = first or started
        ended += 1
        if WORKLOAD == "share" and not half_time.is_set():
            shares[job] += 1
            if ended == 10 * COUNT:
                half_time.set()


def enqueue(job, documents):
    with app.producer_pool.acquire(block=True) as producer:
        for index in range(documents):
            document.apply_async((job, index), producer=producer)


def ready():
    print(json.dumps({"ready": True}), flush=True)
    sys.stdin.readline()


def finish(result):
    print(json.dumps(result), flush=True)
    os._exit(0)


def wait_until_acknowledged():
    """A document has ended when the broker has its acknowledgement."""
    client = redis.Redis.from_url(URL)
    while ended < COUNT or client.hlen("unacked"):
        time.sleep(0.005)


def drain():
    wait_until_acknowledged()
    finish({"seconds": time.perf_counter() - first})


def pick():
    picked.clear()
    start = time.perf_counter()
    enqueue(0, 1)
    picked.wait(30)
    time.sleep(0.005)
    return (picked_at - start) * 1000


def pickup():
    pick()
    ready()
    finish({"waits_ms": [pick() for _ in range(COUNT)]})


def behind():
    for small in range(1, 21):
        time.sleep(0.1)
        submitted[small] = time.perf_counter()
        enqueue(small, 1)
    while len(waits) < 20:
        time.sleep(0.005)
    finish({"waits_ms": waits})


def share():
    half_time.wait()
    finish({"shares": shares})


if WORKLOAD in ("drain", "behind"):
    enqueue(0, COUNT)
elif WORKLOAD == "share":
    for job_number in range(20):
        enqueue(job_number, COUNT)
if WORKLOAD != "pickup":
    ready()


@signals.worker_ready.connect
def start(**_):
    work = {"drain": drain, "pickup": pickup, "behind": behind, "share": share}[WORKLOAD]
    threading.Thread(target=work, daemon=True).start()


app.Worker(
    pool="threads", concurrency=CONCURRENCY, loglevel="ERROR", quiet=True,
    without_mingle=True, without_gossip=True,
).start()
