// A socket and a clock that tests move by hand.

import type { Environment, Socket } from "../src/live";
import type { Control, EventJob, LiveEvent } from "../src/wire";

export class FakeSocket implements Socket {
  onmessage: Socket["onmessage"] = null;
  onclose: Socket["onclose"] = null;
  shut = false;

  constructor(readonly address: string) {}

  deliver(frame: object): void {
    this.onmessage?.({ data: JSON.stringify(frame) });
  }

  /** The other side closes. */
  end(code: number): void {
    this.shut = true;
    this.onclose?.({ code, reason: "" });
  }

  close(): void {
    this.shut = true;
  }
}

export class Clock {
  now = 0;
  private timers: { at: number; action: () => void }[] = [];

  advance(milliseconds: number): void {
    const until = this.now + milliseconds;
    for (;;) {
      const due = this.timers.filter(({ at }) => at <= until).sort((a, b) => a.at - b.at)[0];
      if (!due) break;
      this.timers = this.timers.filter((timer) => timer !== due);
      this.now = due.at;
      due.action();
    }
    this.now = until;
  }

  environment(sockets: FakeSocket[]): Omit<Environment, "random"> {
    return {
      connect: (address) => {
        const socket = new FakeSocket(address);
        sockets.push(socket);
        return socket;
      },
      after: (milliseconds, action) => {
        const timer = { at: this.now + milliseconds, action };
        this.timers.push(timer);
        return () => {
          this.timers = this.timers.filter((other) => other !== timer);
        };
      },
    };
  }
}

const job: EventJob = {
  status: "running",
  done: 0,
  failed: 0,
  skipped: 0,
  total: 1,
  progress: 0,
  eta_s: null,
};

export function event(seq: number, epoch = "a", final = false): LiveEvent {
  return {
    type: final ? "job" : "stage",
    job_id: "job",
    epoch,
    seq,
    ts: "2026-01-01T00:00:00Z",
    stage: final ? "complete" : "1/14",
    log: `event ${seq}`,
    progress: 7,
    job,
    ...(final ? { final: true as const } : {}),
  };
}

/** A control message with only the fields that the client looks at. */
export function control(frame: { type: Control["type"] } & Record<string, unknown>): object {
  return frame;
}

/** The same numbers from 0 to 1 for the same seed (a linear congruential generator). */
export function seeded(seed: number): () => number {
  let state = (seed * 2_654_435_761 + 1) >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
