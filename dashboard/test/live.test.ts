import { describe, expect, it } from "vitest";
import { Live, type Connection } from "../src/live";
import type { LiveEvent, Snapshot } from "../src/wire";
import { Clock, control, event, seeded, type FakeSocket } from "./fakes";

function follow(random: () => number = () => 0.5) {
  const clock = new Clock();
  const sockets: FakeSocket[] = [];
  const seen: number[] = [];
  const states: Connection[] = [];
  const snapshots: Snapshot[] = [];
  const live = new Live(
    "ws://server/ws/job",
    {
      event: (got: LiveEvent) => seen.push(got.seq),
      snapshot: (got) => snapshots.push(got),
      connection: (state) => states.push(state),
    },
    { ...clock.environment(sockets), random },
  );
  const socket = () => sockets[sockets.length - 1]!;
  return { clock, sockets, seen, states, snapshots, live, socket };
}

describe("the rule of the cursor", () => {
  it("takes the next, drops the old, and asks again from a hole", () => {
    const { clock, sockets, seen, socket } = follow();
    expect(socket().address).toBe("ws://server/ws/job");
    for (const seq of [1, 2, 2, 1, 3, 5]) socket().deliver(event(seq));
    expect(seen).toEqual([1, 2, 3]);
    clock.advance(10_000);
    expect(sockets).toHaveLength(2);
    expect(socket().address).toBe("ws://server/ws/job?since=a:3");
  });

  it("hears nothing more from a socket it gave up", () => {
    const { clock, sockets, seen } = follow();
    sockets[0]!.deliver(event(2));
    sockets[0]!.deliver(event(1));
    clock.advance(1_000);
    sockets[1]!.deliver(event(1));
    expect(seen).toEqual([1]);
    expect(sockets[0]!.shut).toBe(true);
  });

  it("treats an event of another epoch without a reset as a hole", () => {
    const { clock, seen, socket } = follow();
    socket().deliver(event(1));
    socket().deliver(event(2, "b"));
    clock.advance(1_000);
    expect(socket().address).toContain("since=a:1");
    expect(seen).toEqual([1]);
  });

  it("starts over from the snapshot after a reset", () => {
    const { clock, seen, snapshots, socket } = follow();
    socket().deliver(event(1));
    socket().deliver(control({ type: "reset", reason: "epoch" }));
    socket().deliver(control({ type: "snapshot", epoch: "b", seq: 7 }));
    socket().deliver(event(8, "b"));
    expect(snapshots).toHaveLength(1);
    expect(seen).toEqual([1, 8]);
    socket().end(1012);
    clock.advance(1_000);
    expect(socket().address).toContain("since=b:8");
  });
});

describe("heartbeats", () => {
  it("45 s of silence are a lost connection, a heartbeat in time is not", () => {
    const { clock, sockets, socket, states } = follow();
    socket().deliver(control({ type: "hello", epoch: "a", seq: 0 }));
    clock.advance(44_000);
    socket().deliver(control({ type: "hb", seq: 0 }));
    clock.advance(44_000);
    expect(sockets).toHaveLength(1);
    clock.advance(2_000);
    expect(sockets).toHaveLength(2);
    expect(states).toEqual(["online", "reconnecting"]);
  });

  it("a server that does not greet is left after 10 s", () => {
    const { clock, sockets } = follow();
    clock.advance(9_000);
    expect(sockets).toHaveLength(1);
    clock.advance(2_000);
    expect(sockets).toHaveLength(2);
  });

  it("one that stays ahead for 2 s is a hole", () => {
    const { clock, sockets, socket } = follow();
    socket().deliver(event(1));
    socket().deliver(control({ type: "hb", seq: 2 }));
    clock.advance(1_900);
    expect(sockets).toHaveLength(1);
    clock.advance(500);
    expect(sockets).toHaveLength(2);
  });

  it("one that the events catch up with is none", () => {
    const { clock, sockets, socket } = follow();
    socket().deliver(control({ type: "hb", seq: 1 }));
    clock.advance(1_000);
    socket().deliver(event(1));
    clock.advance(5_000);
    expect(sockets).toHaveLength(1);
  });
});

describe("ends", () => {
  it.each([1000, 4500, 4501, 4503, 4504])("code %i stops", (code) => {
    const { clock, sockets, socket, states } = follow();
    socket().end(code);
    clock.advance(600_000);
    expect(sockets).toHaveLength(1);
    expect(states).toEqual([code === 1000 ? "finished" : "refused"]);
  });

  it.each([1006, 1012, 1013, 4008, 4010, 4011, 4012])("code %i connects anew", (code) => {
    const { clock, sockets, socket } = follow();
    socket().end(code);
    clock.advance(1_000);
    expect(sockets).toHaveLength(2);
  });

  it("the final event ends it, `stop` too", () => {
    const first = follow();
    first.socket().deliver(event(1, "a", true));
    const second = follow();
    second.socket().end(1006);
    second.live.stop();
    for (const { clock, sockets } of [first, second]) {
      clock.advance(600_000);
      expect(sockets).toHaveLength(1);
    }
    expect(first.states).toEqual(["online", "finished"]);
  });

  it("shows degraded until the next event or heartbeat", () => {
    const { socket, states } = follow();
    socket().deliver(control({ type: "hello", epoch: "a", seq: 0 }));
    socket().deliver(control({ type: "degraded" }));
    socket().deliver(event(1));
    expect(states).toEqual(["online", "degraded", "online"]);
  });
});

describe("back-off", () => {
  it("waits longer after each failure, up to a limit, and not all viewers alike", () => {
    const pauses = (chance: number) => {
      const { clock, sockets, socket } = follow(() => chance);
      const waited: number[] = [];
      for (let round = 0; round < 9; round += 1) {
        socket().end(1006);
        const [before, from] = [sockets.length, clock.now];
        while (sockets.length === before) clock.advance(25);
        waited.push(clock.now - from);
      }
      return waited;
    };
    expect(pauses(0.5)).toEqual([250, 500, 1000, 2000, 4000, 8000, 10_000, 10_000, 10_000]);
    expect(pauses(0)[8]).toBe(5_000);
    expect(pauses(0.999)[8]).toBe(15_000);
  });

  it("keeps to the pause of a bye", () => {
    const { clock, sockets, socket } = follow();
    socket().deliver(control({ type: "bye", retry_ms: 3_000 }));
    clock.advance(3_000);
    expect(sockets).toHaveLength(1);
    clock.advance(500);
    expect(sockets).toHaveLength(2);
  });
});

describe("a network that drops, repeats, reorders and cuts", () => {
  it.each(Array.from({ length: 50 }, (_, seed) => seed))("loses nothing, seed %i", (seed) => {
    const chance = seeded(seed);
    const { clock, seen, socket, sockets, states } = follow(chance);
    const total = 200;
    let served: FakeSocket | null = null;
    let queue: number[] = [];
    for (let step = 0; step < 100_000 && states.at(-1) !== "finished"; step += 1) {
      clock.advance(50);
      if (served !== socket()) {
        served = socket();
        const since = Number(/since=a:(\d+)/.exec(served.address)?.[1] ?? 0);
        queue = Array.from({ length: total - since }, (_, index) => since + 1 + index);
      }
      if (served.shut) continue;
      const dice = chance();
      if (queue.length === 0) served.deliver(control({ type: "hb", seq: total }));
      else if (dice < 0.02) queue.shift();
      else if (dice < 0.04 && queue.length > 1) queue.unshift(queue.splice(1, 1)[0]!);
      else if (dice < 0.05) served.end(1006);
      else {
        const next = dice < 0.1 ? queue[0]! : queue.shift()!;
        served.deliver(event(next, "a", next === total));
      }
    }
    expect(seen).toEqual(Array.from({ length: total }, (_, index) => index + 1));
    expect(sockets.length).toBeGreaterThan(1);
  });
});
