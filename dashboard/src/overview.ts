// The newest state of every job that moves, from the stream of all jobs. That stream has no history:
// what was missed is in the list, which is asked for anew after every connection.

import { browser, type Environment, type Socket } from "./live";
import type { EventJob, LiveEvent } from "./wire";

/** Quiet for so long is as good as dead; a new connection costs nearly nothing. */
const SILENCE = 60_000;
const FIRST_PAUSE = 500;
const LONGEST_PAUSE = 10_000;

export class Overview {
  jobs = new Map<string, EventJob>();
  /** Grows with every change and is what the page compares. */
  version = 0;
  private readonly viewers = new Set<() => void>();
  private scheduled = false;
  private socket: Socket | null = null;
  private pause = FIRST_PAUSE;
  private cancelSilence = () => {};
  private cancelPause = () => {};

  /** `soon` gathers the changes of one picture: a busy server tells of thousands in a second. */
  constructor(
    private readonly address: string,
    private readonly soon: (action: () => void) => void,
    private readonly environment: Environment = browser,
  ) {
    this.connect();
  }

  watch = (viewer: () => void): (() => void) => {
    this.viewers.add(viewer);
    return () => this.viewers.delete(viewer);
  };

  stop(): void {
    this.drop();
    this.cancelPause();
  }

  private connect(): void {
    const socket = this.environment.connect(this.address);
    this.socket = socket;
    socket.onmessage = ({ data }) => this.take(String(data));
    socket.onclose = () => this.reconnect();
    this.listen();
  }

  private listen(): void {
    this.cancelSilence();
    this.cancelSilence = this.environment.after(SILENCE, () => this.reconnect());
  }

  private take(data: string): void {
    this.listen();
    let event: Partial<LiveEvent>;
    try {
      event = JSON.parse(data) as Partial<LiveEvent>;
    } catch {
      return;
    }
    if (!event.job_id || !event.job) return;
    this.pause = FIRST_PAUSE;
    this.jobs.set(event.job_id, event.job);
    this.changed();
  }

  private reconnect(): void {
    this.drop();
    // States that were missed must not stand over those of the list.
    this.jobs.clear();
    this.changed();
    const wait = this.pause * (0.5 + this.environment.random());
    this.pause = Math.min(this.pause * 2, LONGEST_PAUSE);
    this.cancelPause();
    this.cancelPause = this.environment.after(wait, () => this.connect());
  }

  private drop(): void {
    this.cancelSilence();
    if (this.socket) {
      this.socket.onmessage = null;
      this.socket.onclose = null;
      this.socket.close();
      this.socket = null;
    }
  }

  private changed(): void {
    this.version += 1;
    if (this.scheduled) return;
    this.scheduled = true;
    this.soon(() => {
      this.scheduled = false;
      for (const viewer of this.viewers) viewer();
    });
  }
}
