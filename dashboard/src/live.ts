// The client side of the live contract: every event of a job exactly once and in order, through
// cut sockets and restarts of the server. Knows nothing of the page.

import type { Control, LiveEvent, Snapshot } from "./wire";

/** The part of a WebSocket that is used, so that tests can give another one. */
export interface Socket {
  onmessage: ((message: { data: unknown }) => void) | null;
  onclose: ((close: { code: number; reason: string }) => void) | null;
  close(): void;
}

/** Time and chance, so that tests can give others. */
export interface Environment {
  connect(address: string): Socket;
  after(milliseconds: number, action: () => void): () => void;
  random(): number;
}

export type Connection = "connecting" | "online" | "reconnecting" | "degraded" | "finished" | "refused";

export interface Listener {
  event(event: LiveEvent): void;
  /** History before this is gone: everything shown so far is replaced by it. */
  snapshot(snapshot: Snapshot): void;
  connection(state: Connection, code?: number): void;
}

/** The server sends a heartbeat every 20 s: two may be lost. */
const SILENCE = 45_000;
/** The greeting comes at once, if anybody is there. */
const GREETING = 10_000;
/** Events that a heartbeat tells of may still be on their way for so long. */
const OVERTAKEN = 2_000;
const FIRST_PAUSE = 250;
const LONGEST_PAUSE = 10_000;

/** Follows a job until its final event, a refusal, or `stop`. */
export class Live {
  private epoch: string | null = null;
  private last = 0;
  private socket: Socket | null = null;
  private pause = FIRST_PAUSE;
  private cancelSilence = () => {};
  private cancelOvertaken: (() => void) | null = null;
  private cancelPause = () => {};
  private state: Connection = "connecting";

  constructor(
    /** Without `since`, e.g. `ws://host/ws/<job>`. */
    private readonly address: string,
    private readonly listener: Listener,
    private readonly environment: Environment = browser,
  ) {
    this.connect();
  }

  stop(): void {
    this.drop();
    this.cancelPause();
  }

  private connect(): void {
    const since = this.epoch === null ? "" : `?since=${this.epoch}:${this.last}`;
    const socket = this.environment.connect(this.address + since);
    this.socket = socket;
    socket.onmessage = ({ data }) => this.take(data);
    socket.onclose = ({ code }) => this.closed(code);
    this.watch(GREETING);
  }

  /** Restarts the watch over silence. */
  private watch(patience: number): void {
    this.cancelSilence();
    this.cancelSilence = this.environment.after(patience, () => this.reconnect());
  }

  private take(data: unknown): void {
    this.watch(SILENCE);
    let frame: LiveEvent | Control;
    try {
      frame = JSON.parse(String(data)) as LiveEvent | Control;
    } catch {
      // A frame that cannot be read may have been an event: its place is asked for again.
      this.reconnect();
      return;
    }
    switch (frame.type) {
      case "stage":
      case "document":
      case "job":
        return this.event(frame);
      case "snapshot":
        this.epoch = frame.epoch;
        this.last = frame.seq;
        this.listener.snapshot(frame);
        return;
      case "reset":
        // The snapshot that follows replaces the place; until it is there the old one stays, so that
        // a line that breaks in between brings another reset and not the story from its start.
        return;
      case "hello":
        return this.show("online");
      case "hb":
        this.show("online");
        return this.compare(frame.seq);
      case "degraded":
        return this.show("degraded");
      case "bye":
        return this.reconnect(frame.retry_ms);
    }
  }

  private event(event: LiveEvent): void {
    // A new epoch comes with a reset before it; without one its place is unknown.
    if (this.epoch !== null && event.epoch !== this.epoch) return this.reconnect();
    if (event.seq <= this.last) return;
    if (event.seq > this.last + 1) return this.reconnect();
    this.epoch = event.epoch;
    this.last = event.seq;
    this.pause = FIRST_PAUSE;
    this.show("online");
    this.listener.event(event);
    if (event.final) {
      this.drop();
      this.show("finished");
    }
  }

  /** A heartbeat that is ahead of the events: they are waited for, but not for ever. */
  private compare(seq: number): void {
    if (seq <= this.last || this.cancelOvertaken) return;
    this.cancelOvertaken = this.environment.after(OVERTAKEN, () => {
      this.cancelOvertaken = null;
      if (seq > this.last) this.reconnect();
    });
  }

  private closed(code: number): void {
    if (code === 1000) {
      this.drop();
      this.show("finished", code);
    } else if (code >= 4500 && code < 4600) {
      this.drop();
      this.show("refused", code);
    } else {
      this.reconnect();
    }
  }

  private reconnect(atLeast = 0): void {
    this.drop();
    this.show("reconnecting");
    // Many viewers lose the server at the same moment: they must not all come back at once.
    const wait = atLeast + this.pause * (0.5 + this.environment.random());
    this.pause = Math.min(this.pause * 2, LONGEST_PAUSE);
    this.cancelPause();
    this.cancelPause = this.environment.after(wait, () => this.connect());
  }

  /** Forgets the socket: whatever it still delivers is of the past. */
  private drop(): void {
    this.cancelSilence();
    this.cancelOvertaken?.();
    this.cancelOvertaken = null;
    if (this.socket) {
      this.socket.onmessage = null;
      this.socket.onclose = null;
      this.socket.close();
      this.socket = null;
    }
  }

  private show(state: Connection, code?: number): void {
    if (this.state === state) return;
    this.state = state;
    this.listener.connection(state, code);
  }
}

export const browser: Environment = {
  // The browser's events have more fields than are used here.
  connect: (address) => new WebSocket(address) as unknown as Socket,
  after: (milliseconds, action) => {
    const timer = setTimeout(action, milliseconds);
    return () => clearTimeout(timer);
  },
  random: Math.random,
};
