// What the server sends (spec: api.md). Fields that no page uses are left out.

export interface EventJob {
  status: JobStatus;
  done: number;
  failed: number;
  skipped: number;
  total: number;
  progress: number;
  eta_s: number | null;
}

export interface LiveEvent {
  type: "stage" | "document" | "job";
  job_id: string;
  epoch: string;
  seq: number;
  ts: string;
  stage: string;
  log: string;
  progress: number;
  document?: { id: string; name: string; index: number; attempt: number };
  outcome?: Outcome;
  code?: string;
  message?: string;
  duration_ms?: number;
  job: EventJob;
  final?: true;
}

export interface Snapshot {
  type: "snapshot";
  epoch: string;
  seq: number;
  job: EventJob;
  documents: DocumentCounts;
  log_tail: string[];
}

/** Messages beside the events. */
export type Control =
  | Snapshot
  | { type: "hello"; epoch: string; seq: number }
  | { type: "reset"; reason: string }
  | { type: "hb"; seq: number }
  | { type: "degraded" }
  | { type: "bye"; retry_ms: number }
  | { type: "pong" };

export const OUTCOMES = [
  "failed",
  "needs_attention",
  "too_short",
  "completed_with_warnings",
  "completed",
  "skipped_duplicate",
  "cancelled",
] as const;
export type Outcome = (typeof OUTCOMES)[number];
export type DocumentCounts = Record<Outcome | "total", number>;

export type JobStatus =
  | "queued"
  | "running"
  | "paused"
  | "cancelling"
  | "cancelled"
  | "completed"
  | "completed_with_errors"
  | "failed";

export const isEnded = (status: JobStatus) =>
  ["cancelled", "completed", "completed_with_errors", "failed"].includes(status);

export interface Job {
  job_id: string;
  status: JobStatus;
  collection: string;
  created_at: string;
  progress: number;
  documents: DocumentCounts;
  queue_position: number | null;
  eta_s: number | null;
  error: string | null;
  retry_of?: string;
}

export interface JobDocument {
  id: string;
  name: string;
  path: string;
  index: number;
  outcome: Outcome | null;
  code: string | null;
  message: string | null;
  /** The last finished one, `"7/14"`. */
  stage: string;
  attempts: number;
  pages: number | null;
  chunks: number | null;
  duration_ms: number | null;
  quality: number | null;
  issues: string[];
}

/** Exists once the document has ended. */
export interface DocumentReport {
  /** The finished ones, in order from the first. */
  stages: { duration_ms: number; details: string }[];
}

export interface TrainRequest {
  sources: { path: string }[];
  collection: string;
  priority: "high" | "normal" | "low";
  force: boolean;
}

/** What a job would find. */
export type Plan = Record<"new" | "changed" | "same" | "unsupported" | "bytes", number>;
