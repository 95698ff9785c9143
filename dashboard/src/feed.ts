// What the live stream has told of a job so far, for the page to draw.

import type { Connection, Listener } from "./live";
import { Observed } from "./observed";
import type { EventJob, LiveEvent, Outcome, Snapshot } from "./wire";

export const STAGES = 14;

export interface Line {
  /** Null for the lines of a snapshot: it does not say which events they were. */
  seq: number | null;
  text: string;
  /** Of a stage: the lines of several documents come mixed. */
  document: string | null;
  tone: "plain" | "bad" | "last";
}

export interface Progressing {
  /** Number of the last finished stage. */
  reached: number;
  attempt: number;
  outcome: Outcome | null;
  /** Milliseconds of each finished stage by its number, where measured. */
  times: Map<number, number>;
}

/** A bad end of a document; retrying may help. */
export const isProblem = (outcome: Outcome | null | undefined) =>
  outcome === "failed" || outcome === "needs_attention" || outcome === "too_short";

export class Feed extends Observed implements Listener {
  lines: Line[] = [];
  documents = new Map<number, Progressing>();
  job: EventJob | null = null;
  state: Connection = "connecting";
  /** Lines before the first are gone. */
  gap = false;

  event(event: LiveEvent): void {
    this.job = event.job;
    const bad = isProblem(event.outcome) || event.stage === "error";
    const tone = event.final ? "last" : bad ? "bad" : "plain";
    const document = event.type === "stage" ? (event.document?.name ?? null) : null;
    this.lines.push({ seq: event.seq, text: event.log, document, tone });
    if (event.document) {
      const document = this.document(event.document.index);
      document.attempt = event.document.attempt;
      document.reached = Number.parseInt(event.stage, 10) || 0;
      if (event.type === "stage" && event.duration_ms !== undefined) {
        document.times.set(document.reached, event.duration_ms);
      }
      document.outcome = event.outcome ?? null;
    }
    this.changed();
  }

  snapshot(snapshot: Snapshot): void {
    this.job = snapshot.job;
    this.lines = snapshot.log_tail.map((text) => ({
      seq: null,
      text,
      document: null,
      tone: "plain",
    }));
    this.documents.clear();
    this.gap = true;
    this.changed();
  }

  connection(state: Connection): void {
    this.state = state;
    this.changed();
  }

  private document(index: number): Progressing {
    let document = this.documents.get(index);
    if (!document) {
      document = { reached: 0, attempt: 0, outcome: null, times: new Map() };
      this.documents.set(index, document);
    }
    return document;
  }
}
