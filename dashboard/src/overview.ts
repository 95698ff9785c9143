// The newest state of every job that moves, from the stream of all jobs. That stream has no history:
// what was missed is in the list, which the page asks for again and again.

import { browser, type Environment, type Socket } from "./live";
import { Observed } from "./observed";
import type { EventJob, LiveEvent } from "./wire";

/** Quiet for so long is as good as dead; a new connection costs nearly nothing. */
const SILENCE = 60_000;
const FIRST_PAUSE = 500;
const LONGEST_PAUSE = 10_000;

export class Overview extends Observed {
  jobs = new Map<string, EventJob>();
  private socket: Socket | null = null;
  private pause = FIRST_PAUSE;
  private cancelSilence = () => {};
  private cancelPause = () => {};

  constructor(
    private readonly address: string,
    soon: (action: () => void) => void,
    private readonly environment: Environment = browser,
  ) {
    super(soon);
    this.connect();
  }

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
}
