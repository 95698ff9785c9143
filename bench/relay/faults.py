"""What breaks while 100 viewers watch one job with 50 messages a second for ten seconds."""

import time

from scenarios import Stage

VIEWERS, RATE, SECONDS = 100, 50, 10


def subscription_killed(stage):
    """the server's subscription is killed once"""
    time.sleep(3)
    stage.redis.call("CLIENT", "KILL", "TYPE", "pubsub")


def subscription_killed_often(stage):
    """the same, five times a second for 3 s"""
    time.sleep(3)
    for _ in range(15):
        stage.redis.call("CLIENT", "KILL", "TYPE", "pubsub")
        time.sleep(0.2)


def redis_unreachable(stage):
    """the server does not reach Redis for 3 s; the publisher does"""
    time.sleep(3)
    stage.proxy.ask("cut")
    time.sleep(3)
    stage.proxy.ask("pass")


def subscription_silent(stage):
    """the subscription's line stays open but is dead for 5 s"""
    time.sleep(2)
    stage.proxy.ask("mute")
    time.sleep(5)
    stage.proxy.ask("pass")


def server_killed(stage):
    """the server is killed (-9) and started again"""
    time.sleep(3)
    stage.server.kill()
    stage.server.start()


def lines_broken(stage):
    """all viewers lose their lines and come back after 2 s"""
    time.sleep(3)
    stage.viewers.ask("drop")
    time.sleep(2)
    stage.viewers.ask("return 0")


def dead_reader(stage):
    """five viewers never read"""
    stage.viewers.ask("dead 5")


FAULTS = (subscription_killed, subscription_killed_often, redis_unreachable, subscription_silent,
          server_killed, lines_broken, dead_reader)


def run(machine, system, fault):
    """The figures of one fault: lost, repeated, reordered, seconds dark."""
    with Stage(machine, system, VIEWERS, score=True, proxied=True) as stage:
        stage.open()
        stage.publish(RATE, RATE)
        stage.begin(RATE * SECONDS, RATE)
        fault(stage)
        figures = stage.end()
        return {name: figures[name] for name in ("delivered", "lost", "repeated", "reordered", "dark_s")}


def late(machine, system):
    """viewers come when 300 messages were published, and 200 more follow"""
    with Stage(machine, system, VIEWERS, score=True, proxied=True) as stage:
        stage.publisher.ask("300 300")
        stage.open()
        figures = stage.publish(200, RATE)
        return {name: figures[name] for name in ("delivered", "lost", "repeated", "reordered", "dark_s")}


SCORED = {fault.__name__: (fault.__doc__, lambda machine, system, fault=fault: run(machine, system, fault))
          for fault in FAULTS} | {"late": (late.__doc__, late)}
