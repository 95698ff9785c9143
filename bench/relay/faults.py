"""What breaks while 100 viewers watch one job with 50 messages a second for eight seconds."""

import time

from scenarios import Stage

VIEWERS, RATE, SECONDS = 100, 50, 8
# From the first message to the fault.
BEFORE_S = 2


def subscription_killed(stage):
    """the server's subscription is killed once"""
    time.sleep(BEFORE_S)
    stage.redis.call("CLIENT", "KILL", "TYPE", "pubsub")


def subscription_killed_often(stage):
    """the same, five times a second for 3 s"""
    time.sleep(BEFORE_S)
    for _ in range(15):
        stage.redis.call("CLIENT", "KILL", "TYPE", "pubsub")
        time.sleep(0.2)


def redis_unreachable(stage):
    """the server does not reach Redis for 3 s; the publisher does"""
    time.sleep(BEFORE_S)
    stage.proxy.ask("cut")
    time.sleep(3)
    stage.proxy.ask("pass")


def subscription_silent(stage):
    """the subscription's line stays open but is dead for 5 s"""
    time.sleep(BEFORE_S)
    stage.proxy.ask("mute")
    time.sleep(5)
    stage.proxy.ask("pass")


def server_killed(stage):
    """the server is killed (-9) and started again"""
    time.sleep(BEFORE_S)
    stage.server.kill()
    stage.server.start()


def lines_broken(stage):
    """all viewers lose their lines and come back after 2 s"""
    time.sleep(BEFORE_S)
    stage.viewers.ask("drop")
    time.sleep(2)
    stage.viewers.ask("return 0")


FAULTS = (subscription_killed, subscription_killed_often, redis_unreachable, subscription_silent,
          server_killed, lines_broken)
COUNTED = ("delivered", "lost", "repeated", "reordered", "dark_s")


def run(machine, system, fault):
    """The figures of one fault: lost, repeated, reordered, seconds dark."""
    with Stage(machine, system, VIEWERS, score=True, proxied=True) as stage:
        stage.open()
        stage.publish(RATE, RATE)
        stage.begin(RATE * SECONDS, RATE)
        fault(stage)
        figures = stage.end()
        return {name: figures[name] for name in COUNTED}


def dead_readers(machine, system):
    """five viewers never read, beside 20 that do; 1,000 messages a second, 5 MB for each"""
    with Stage(machine, system, viewers=20, score=True) as stage:
        stage.open()
        stage.viewers.ask("dead 5")
        time.sleep(1)
        before = stage.server.memory_kib()["rss"]
        figures = stage.publish(1000 * SECONDS, 1000)
        grown = stage.server.memory_kib()["rss"] - before
        return {**{name: figures[name] for name in COUNTED}, "grown_mib": grown / 1024}


def late(machine, system):
    """viewers come when 300 messages were published, and 200 more follow"""
    with Stage(machine, system, VIEWERS, score=True, proxied=True) as stage:
        stage.publisher.ask("300 300")
        stage.open()
        figures = stage.publish(200, RATE)
        return {name: figures[name] for name in COUNTED}


SCORED = {fault.__name__: (fault.__doc__, lambda machine, system, fault=fault: run(machine, system, fault))
          for fault in FAULTS} | {function.__name__: (function.__doc__, function)
                                  for function in (dead_readers, late)}
