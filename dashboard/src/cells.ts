// The fourteen cells of a document: what the live stream and the server's list together say.

import { isProblem, STAGES, type Progressing } from "./feed";
import type { JobDocument, Outcome } from "./wire";

export type CellState = "done" | "running" | "waiting" | "stopped" | "unneeded";

export interface Cell {
  stage: number;
  state: CellState;
  milliseconds: number | undefined;
}

export interface Shown {
  outcome: Outcome | null;
  reached: number;
  attempts: number;
}

/** The newer of both: the list is asked for every other second, the stream is ahead of it. */
export function newest(row: JobDocument, live: Progressing | undefined): Shown {
  const listed = Number.parseInt(row.stage, 10) || 0;
  const attempts = Math.max(row.attempts, live?.attempt ?? 0);
  const outcome = row.outcome ?? live?.outcome ?? null;
  // A new attempt may begin again at an earlier stage: only equal attempts can be compared.
  const reached =
    !live || live.attempt < row.attempts
      ? listed
      : live.attempt > row.attempts
        ? live.reached
        : Math.max(listed, live.reached);
  return { outcome, reached, attempts };
}

export function cells({ outcome, reached, attempts }: Shown, times: Map<number, number>): Cell[] {
  const rest = (stage: number): CellState => {
    if (outcome === null) return stage === reached + 1 && attempts > 0 ? "running" : "waiting";
    return stage === reached + 1 && isProblem(outcome) ? "stopped" : "unneeded";
  };
  return Array.from({ length: STAGES }, (_, index) => {
    const stage = index + 1;
    const state = stage <= reached ? "done" : rest(stage);
    return { stage, state, milliseconds: state === "done" ? times.get(stage) : undefined };
  });
}
