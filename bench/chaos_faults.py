"""Random faults: drawn from a seed before the run, then done one after the other."""

import os
import random
import signal
import threading
import time

# kind: (weight, seconds until it is whole again)
KINDS = {
    "worker kill": (52, (0.05, 4)),
    "worker term": (10, (0.05, 2)),
    "worker stop, short": (5, (1, 8)),
    "worker stop > lease": (7, (11, 16)),
    "api kill": (10, (0.05, 2)),
    "api term": (3, (0.05, 1)),
    "redis kill": (8, (0.05, 3)),
    "redis term": (2, (0.05, 2)),
    "redis stop > lease": (1, (11, 14)),
    # The last second of the log never reached the disk.
    "redis power cut": (2, (0.05, 2)),
    # Another disk: nothing is left.
    "redis emptied": (1, (0.05, 2)),
}
GAP_MEAN, GAP_RANGE = 2.0, (0.2, 7.0)


class Fault:
    def __init__(self, chance):
        self.kind = chance.choices(list(KINDS), [weight for weight, _ in KINDS.values()])[0]
        self.gap = min(GAP_RANGE[1], max(GAP_RANGE[0], chance.expovariate(1 / GAP_MEAN)))
        self.down = chance.uniform(*KINDS[self.kind][1])
        self.which = chance.randrange(1000)


def schedule(seed, count):
    chance = random.Random(f"{seed}:faults")
    return [Fault(chance) for _ in range(count)]


class Faults:
    """Does the faults; every process is left alone until it is whole again."""

    def __init__(self, system, log):
        self.system, self.log = system, log
        self.broken = set()
        self.lock = threading.Lock()
        self.menders = []
        self.problems = []
        self.sizes = []
        self.done = {}
        self.stopping = threading.Event()
        threading.Thread(target=self.measure_log, daemon=True).start()

    def measure_log(self):
        """How long the append-only file was when: a power cut goes back to such a length."""
        folder = self.system.folder / "redis" / "appendonlydir"
        while not self.stopping.is_set():
            try:
                lengths = {path: path.stat().st_size for path in folder.glob("*.incr.aof")}
                self.sizes = [*self.sizes[-30:], (time.time(), lengths)]
            except OSError:
                pass
            time.sleep(0.05)

    def choose(self, fault):
        """The process of a fault: a healthy one; a worker's place is taken by the next one."""
        system = self.system
        if fault.kind.startswith("worker"):
            start = fault.which % len(system.workers)
            candidates = system.workers[start:] + system.workers[:start]
        else:
            candidates = [system.api if fault.kind.startswith("api") else system.redis]
        while True:
            for process in candidates:
                with self.lock:
                    if process.name in self.broken:
                        continue
                    if not process.is_up():
                        self.problems.append(f"{process.name} ended by itself:\n{process.tail()}")
                        process.start()
                        continue
                    self.broken.add(process.name)
                    return process
            time.sleep(0.05)

    def run(self, faults):
        for fault in faults:
            time.sleep(fault.gap)
            process = self.choose(fault)
            self.log("fault", kind=fault.kind, process=process.name, down=round(fault.down, 2))
            self.done[fault.kind] = self.done.get(fault.kind, 0) + 1
            mender = threading.Thread(target=self.strike, args=(fault, process), daemon=True)
            mender.start()
            self.menders.append(mender)

    def strike(self, fault, process):
        try:
            if " stop" in fault.kind:
                process.signal(signal.SIGSTOP)
                time.sleep(fault.down)
                process.signal(signal.SIGCONT)
            else:
                number = signal.SIGTERM if "term" in fault.kind else signal.SIGKILL
                process.end(number)
                if fault.kind == "redis power cut":
                    self.forget_last_second(fault)
                elif fault.kind == "redis emptied":
                    for path in (self.system.folder / "redis" / "appendonlydir").iterdir():
                        path.unlink()
                time.sleep(fault.down)
                process.start()
            self.log("whole", process=process.name)
        except Exception as error:
            self.problems.append(f"{fault.kind} of {process.name}: {error!r}")
        finally:
            with self.lock:
                self.broken.discard(process.name)

    def forget_last_second(self, fault):
        """Cuts the log back to a length that it had up to a second ago, even inside a command."""
        back = time.time() - fault.which / 1000
        older = [lengths for at, lengths in list(self.sizes) if at <= back]
        for path, length in (older[-1] if older else {}).items():
            if path.exists() and 0 < length < path.stat().st_size:
                self.log("cut", bytes=path.stat().st_size - length)
                os.truncate(path, length)

    def wait_whole(self):
        for mender in self.menders:
            mender.join()
        self.stopping.set()
