"""What goes on while processes are killed: jobs are submitted, norms are rewritten, events followed."""

import random
import threading
import time
import urllib.parse
import uuid

from own_system import FINAL, Refused, Unreachable

PAUSE = 0.1


class History:
    """Events of one epoch as a client sees them, from its first one or from a snapshot on."""

    def __init__(self, epoch, after, reset=None):
        self.epoch, self.after, self.reset = epoch, after, reset
        self.last = after
        self.finals = 0
        self.ends = {}
        self.attempts = set()
        self.problems = []

    def take(self, event):
        if event["epoch"] != self.epoch:
            self.problems.append(f"event {event['seq']} is of epoch {event['epoch']}, not {self.epoch}")
        if event["seq"] != self.last + 1:
            self.problems.append(f"gap: {self.last} is followed by {event['seq']} in epoch {self.epoch}")
        if self.finals:
            self.problems.append(f"event {event['seq']} comes after the final one")
        self.last = event["seq"]
        self.finals += bool(event.get("final"))
        document = event.get("document")
        if document:
            index = document["index"]
            self.attempts.add((index, document["attempt"]))
            if event["type"] == "document":
                self.ends[index] = self.ends.get(index, 0) + 1


class Watcher(threading.Thread):
    """Follows one job to its final event, whatever happens to the api and to Redis."""

    def __init__(self, system, job, moved):
        super().__init__(daemon=True)
        self.system, self.job, self.moved = system, job, moved
        self.histories = [History(None, 0)]
        self.ended = threading.Event()
        self.leave = threading.Event()
        self.problems = []

    def run(self):
        while not self.leave.is_set():
            try:
                page = read_events(self.system, self.job, self.histories[-1], wait=5)
            except Unreachable:
                time.sleep(PAUSE)
                continue
            except Refused as refused:
                # 503 while Redis is away; anything else is no answer to a known job.
                if refused.status != 503:
                    self.problems.append(f"events: {refused}")
                time.sleep(PAUSE)
                continue
            take_page(self.histories, page)
            if page["events"]:
                self.moved()
            if page["ended"]:
                self.ended.set()
                return


def read_events(system, job, history, wait=0):
    query = {"format": "json", "limit": 1000, "wait": wait}
    if history.epoch is not None:
        query["since"] = f"{history.epoch}:{history.last}"
    return system.call("GET", f"/jobs/{job}/events?{urllib.parse.urlencode(query)}", limit=30)


def take_page(histories, page):
    """Adds a page to the last history; begins another one where the server says so."""
    if page.get("reset"):
        snapshot = page["snapshot"]
        histories.append(History(snapshot["epoch"], snapshot["seq"], page["reset"]))
    history = histories[-1]
    if history.epoch is None:
        history.epoch = page["epoch"]
    for event in page["events"]:
        history.take(event)


class Job:
    """A job that was accepted with 202."""

    def __init__(self, system, id, revisions, moved):
        self.id = id
        # The revisions that lay there when it was submitted: it must train these or later ones.
        self.revisions = revisions
        # A cancel of ours may come too late, or be lost with Redis: then the job completes.
        self.may_be_cancelled = False
        self.watcher = Watcher(system, id, moved)
        self.watcher.start()


class Submitter(threading.Thread):
    """Keeps several jobs open until it is told to stop; rewrites norms before each of them."""

    def __init__(self, system, folders, seed, open_jobs, log):
        super().__init__(daemon=True)
        self.system, self.folders, self.open_jobs, self.log = system, folders, open_jobs, log
        self.chance = random.Random(f"{seed}:jobs")
        self.stopping = threading.Event()
        self.jobs = []
        self.unanswered = 0
        self.problems = []
        self.last_move = time.time()
        self.longest_silence = 0.0
        self.lock = threading.Lock()

    def moved(self):
        with self.lock:
            now = time.time()
            silence, self.last_move = now - self.last_move, now
            if silence > self.longest_silence:
                self.longest_silence = silence
                self.log("longest silence so far", seconds=round(silence, 1))

    def open(self):
        return [job for job in self.jobs if not job.watcher.ended.is_set()]

    def run(self):
        try:
            while not self.stopping.is_set():
                if len(self.open()) >= self.open_jobs:
                    time.sleep(PAUSE)
                else:
                    self.submit()
        except Exception as error:
            self.problems.append(f"no more jobs were submitted: {error!r}")

    def submit(self):
        chance = self.chance
        places = chance.sample(sorted(self.folders), min(len(self.folders), chance.choice((1, 1, 2))))
        norms = [norm for place in places for norm in self.folders[place]]
        for norm in norms:
            if chance.random() < 0.4:
                norm.write()
        body = {
            "sources": [{"path": str(place)} for place in places],
            "force": chance.random() < 0.3,
            "priority": chance.choice(("high", "normal", "normal", "low")),
        }
        # With a key a lost answer is asked for again; without one the request is given up.
        key = str(uuid.UUID(int=chance.getrandbits(128))) if chance.random() < 0.7 else None
        twice = chance.random() < 0.1
        meddling = chance.choices((None, "cancel", "pause"), (88, 6, 6))[0], chance.uniform(0, 12)
        revisions = {norm: norm.revision for norm in norms}
        accepted = self.post(body, key)
        if accepted is None:
            self.unanswered += 1
            return
        if key and twice:
            again = self.post(body, key)
            if again and again["job_id"] != accepted["job_id"]:
                self.problems.append(f"one key, two jobs: {accepted['job_id']}, {again['job_id']}")
        job = Job(self.system, accepted["job_id"], revisions, self.moved)
        self.jobs.append(job)
        if meddling[0]:
            threading.Thread(target=self.meddle, args=(job, *meddling), daemon=True).start()
        self.log("job", job=accepted["job_id"], sources=[place.name for place in places], force=body["force"])
        self.moved()

    def post(self, body, key):
        headers = {"Idempotency-Key": key} if key else {}
        while True:
            try:
                return self.system.call("POST", "/train", body, headers)
            except Refused as refused:
                if refused.status != 503:
                    self.problems.append(f"train: {refused}")
                    return None
            except Unreachable:
                if not key:
                    return None
            if self.stopping.is_set():
                return None
            time.sleep(PAUSE)

    def meddle(self, job, action, delay):
        """Cancels a job, or pauses it for a while."""
        time.sleep(delay)
        job.may_be_cancelled = action == "cancel"
        self.tell(job, action)
        if action == "pause":
            time.sleep(5)
            self.tell(job, "resume")

    def tell(self, job, action):
        while not job.watcher.ended.is_set():
            try:
                self.system.call("POST", f"/jobs/{job.id}/{action}")
                self.log(action, job=job.id)
                return
            except Refused as refused:
                if refused.status == 409:
                    return
            except Unreachable:
                pass
            time.sleep(PAUSE)

    def retry(self, job):
        """The failed documents of an ended job once more; `None` when nothing failed."""
        try:
            accepted = self.system.call("POST", f"/jobs/{job.id}/retry")
        except Refused as refused:
            if refused.status == 409:
                return None
            raise
        retried = Job(self.system, accepted["job_id"], job.revisions, self.moved)
        self.jobs.append(retried)
        self.moved()
        return retried


def is_final(system, job):
    return system.call("GET", f"/jobs/{job}")["status"] in FINAL
