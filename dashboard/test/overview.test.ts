import { describe, expect, it } from "vitest";
import { Overview } from "../src/overview";
import { Clock, FakeSocket } from "./fakes";

function scene() {
  const clock = new Clock();
  const sockets: FakeSocket[] = [];
  const environment = { ...clock.environment(sockets), random: () => 0.5 };
  const overview = new Overview("ws://x/ws", (action) => action(), environment);
  const last = () => sockets[sockets.length - 1]!;
  return { clock, sockets, overview, last };
}

const event = (id: string, progress: number) => ({
  type: "stage",
  job_id: id,
  seq: progress,
  job: { status: "running", done: 0, failed: 0, skipped: 0, total: 2, progress, eta_s: null },
});

describe("the overview of all jobs", () => {
  it("holds the newest state of each", () => {
    const { overview, last } = scene();
    let told = 0;
    overview.watch(() => (told += 1));
    last().deliver(event("a", 7));
    last().deliver(event("b", 1));
    last().deliver(event("a", 14));
    expect(overview.jobs.get("a")?.progress).toBe(14);
    expect(overview.jobs.get("b")?.progress).toBe(1);
    expect(told).toBe(3);
  });

  it("passes over what is no event", () => {
    const { overview, last } = scene();
    last().deliver({ type: "pong" });
    last().onmessage?.({ data: "{" });
    expect(overview.jobs.size).toBe(0);
  });

  it("comes back, later each time, and forgets what may be old", () => {
    const { clock, sockets, overview, last } = scene();
    last().deliver(event("a", 7));
    last().end(1012);
    expect(overview.jobs.size).toBe(0);
    clock.advance(499);
    expect(sockets.length).toBe(1);
    clock.advance(1);
    expect(sockets.length).toBe(2);
    last().end(1006);
    clock.advance(999);
    expect(sockets.length).toBe(2);
    clock.advance(1);
    expect(sockets.length).toBe(3);
  });

  it("takes a silent line for a dead one, and ends when it is told to", () => {
    const { clock, sockets, overview, last } = scene();
    clock.advance(60_000 + 500);
    expect(sockets.length).toBe(2);
    expect(sockets[0]!.shut).toBe(true);
    overview.stop();
    expect(last().shut).toBe(true);
    clock.advance(600_000);
    expect(sockets.length).toBe(2);
  });
});
