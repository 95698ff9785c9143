"""What is measured: each function runs one cell of the table on a stage that is set for it."""

import time

from machine import OTHERS_CORE, Redis, Server, Talker, kernel_kib, kib_of_proc

SETTLE_S = 1


class Stage:
    """A Redis, a server, a publisher and a crowd of viewers, all new."""

    def __init__(self, machine, system, viewers, jobs=1, watches_all=False, score=False,
                 proxied=False):
        self.machine, self.system, self.viewers_count, self.jobs_count = machine, system, viewers, jobs
        self.redis = Redis()
        self.proxy = Talker([machine.program("proxy"), self.redis.address]) if proxied else None
        redis_address = self.proxy.answer()["address"] if proxied else self.redis.address
        self.server = Server(machine, system, redis_address)
        words = ["all"] if watches_all else []
        # Only Centrifuge can write to its streams: a second process of it does, beside Redis.
        self.entrance = (Server(machine, system, self.redis.address, OTHERS_CORE)
                         if system == "centrifuge" else None)
        target = self.entrance.address if self.entrance else self.redis.address
        self.publisher = Talker([machine.program("publisher"), system, target, str(jobs), *words])
        names = self.publisher.answer()["jobs"]
        # Ours may lose nothing anywhere; of the others it is counted.
        words += ["score"] if score and system != "ours" else []
        self.viewers = Talker([machine.program("viewers"), system, self.server.address,
                               str(viewers), *words], first=names)
        self.published = 0

    def __enter__(self):
        return self

    def __exit__(self, kind, *_):
        self.publisher.end()
        code = self.viewers.end()
        if self.proxy:
            self.proxy.end()
        self.server.stop()
        if self.entrance:
            self.entrance.stop()
        self.redis.stop()
        if kind is None and code != 0:
            raise SystemExit(f"{self.system}: a viewer missed, repeated or reordered a message")

    def open(self):
        opened = self.viewers.ask("open")
        if opened["joined"] != self.viewers_count:
            raise SystemExit(f"{self.system}: {opened} of {self.viewers_count} joined")
        time.sleep(SETTLE_S)
        return opened

    def begin(self, each, rate):
        """Starts publishing `each` messages for every job, `rate` a second for all together."""
        self.viewers.ask("begin")
        self.publisher.send(f"{each} {rate}")

    def end(self):
        """Waits for the publisher, then for the viewers; the figures."""
        late = self.publisher.answer()
        self.published = late["published"]
        self.viewers.ask("stop")
        waited = self.viewers.ask(f"wait {self.published}")
        figures = self.viewers.ask(f"end {self.published}")
        return {**figures, "late_p99_us": late["late_p99_us"], "behind_s": waited["seconds"]}

    def publish(self, each, rate):
        self.begin(each, rate)
        return self.end()


def idle(machine, system):
    """10,000 viewers of 100 jobs in which nothing happens."""
    count = 10_000
    with Stage(machine, system, count, jobs=100) as stage:
        before, kernel_before, proc_before = stage.server.memory_kib(), kernel_kib(), kib_of_proc()
        opened = stage.open()
        time.sleep(30)
        joined = stage.viewers.ask("joined")["joined"]
        if joined != count:
            raise SystemExit(f"{system}: only {joined} of {count} idle sockets are left")
        after, kernel_after, proc_after = stage.server.memory_kib(), kernel_kib(), kib_of_proc()
        of_proc = (proc_after - proc_before) / count / 2
        return {
            "rss_kib": (after["rss"] - before["rss"]) / count,
            "pss_kib": (after["pss"] - before["pss"]) / count,
            # Both ends are on this machine.
            "kernel_kib": (kernel_after - kernel_before) / count / 2 - of_proc,
            "of_proc_kib": of_proc,
            "empty_kib": before["rss"], "open_s": opened["seconds"],
        }


def flow(machine, system, viewers, jobs, rate, seconds, watches_all=False):
    """A steady flow; every message has to arrive, once and in order."""
    with Stage(machine, system, viewers, jobs, watches_all) as stage:
        stage.open()
        stage.publish(max(1, int(rate / jobs)), rate)
        before = stage.server.cpu_seconds()
        figures = stage.publish(int(rate * seconds / jobs), rate)
        program, kernel = (
            (now - then) * 1e6 / figures["delivered"]
            for then, now in zip(before, stage.server.cpu_seconds()))
        memory = stage.server.memory_kib()
        return {**figures, "cpu_us": program + kernel, "program_us": program, "kernel_us": kernel,
                "rss_mib": memory["rss"] / 1024, "own_mib": memory["own"] / 1024}


def fan(machine, system):
    """One job, 1,000 viewers, 40 messages a second."""
    return flow(machine, system, viewers=1000, jobs=1, rate=40, seconds=5)


def many(machine, system):
    """500 jobs with four viewers each, 3,000 messages a second."""
    return flow(machine, system, viewers=2000, jobs=500, rate=3000, seconds=5)


def everything(machine, system):
    """200 viewers of all of 20 jobs, 60 messages a second."""
    return flow(machine, system, viewers=200, jobs=20, rate=60, seconds=5, watches_all=True)


def resumed(machine, system, jobs, rate):
    """100 viewers miss 500 messages of their job and come back one after another."""
    with Stage(machine, system, viewers=100, jobs=jobs, score=True) as stage:
        stage.open()
        stage.publish(10, max(100, 10 * jobs))
        stage.viewers.ask("drop")
        stage.publisher.ask(f"500 {rate}")
        return came_back(stage, stage.viewers.ask("resume 510"), 510)


def resume(machine, system):
    """All of one job."""
    return resumed(machine, system, jobs=1, rate=2000)


def resume_cold(machine, system):
    """Each of a job of its own, away for so long that the server has forgotten it."""
    return resumed(machine, system, jobs=100, rate=7000)


def storm(machine, system):
    """10,000 viewers of 100 jobs lose their server, miss five messages and come back at once to one
    that has just started."""
    with Stage(machine, system, viewers=10_000, jobs=100, score=True) as stage:
        stage.open()
        stage.publish(1, 100)
        stage.viewers.ask("drop")
        stage.publisher.ask("5 1000")
        stage.server.kill()
        stage.server.start()
        reads, cpu = stage.redis.reads_of_histories(), sum(stage.server.cpu_seconds())
        figures = stage.viewers.ask("return 6")
        figures["reads_a_job"] = (stage.redis.reads_of_histories() - reads) / 100
        figures["cpu_s"] = sum(stage.server.cpu_seconds()) - cpu
        return came_back(stage, figures, 6)


def came_back(stage, figures, published):
    """The figures, with what was lost; with ours everybody has to be whole."""
    if stage.system == "ours" and figures["whole"] != stage.viewers_count:
        raise SystemExit(f"ours: {figures}")
    ended = stage.viewers.ask(f"end {published}")
    return {**figures, **{name: ended[name] for name in ("lost", "repeated", "reordered")}}


MEASURED = {"idle": idle, "fan": fan, "many": many, "everything": everything, "resume": resume,
            "resume_cold": resume_cold, "storm": storm}
