// Small pieces that several pages show.

import type { Refusal } from "./api";
import { useSpeech } from "./language";
import { OUTCOMES, type DocumentCounts, type JobStatus, type Outcome } from "./wire";

export function Trouble({ refusal }: { refusal: Refusal | null }) {
  const { say } = useSpeech();
  if (!refusal) return null;
  const text = refusal.status === 0 ? say("unreachable") : refusal.message;
  return (
    <p className="trouble" role="alert">
      {text} {refusal.retryAfter !== null && say("repeatAfter", { n: refusal.retryAfter })}
    </p>
  );
}

export function Status({ status }: { status: JobStatus }) {
  return <span className={`badge status-${status}`}>{useSpeech().say(`status.${status}`)}</span>;
}

export function OutcomeBadge({ outcome }: { outcome: Outcome | null }) {
  const name = outcome ?? "open";
  return <span className={`badge outcome-${name}`}>{useSpeech().say(`outcome.${name}`)}</span>;
}

export function Progress({ percent }: { percent: number }) {
  const { number, say } = useSpeech();
  return (
    <div className="progress">
      <progress max={100} value={percent} aria-label={say("progress")} />
      <span>{number(percent)} %</span>
    </div>
  );
}

/** Outcomes that occurred, with their counts. */
export function Counts({ documents }: { documents: DocumentCounts }) {
  const { say } = useSpeech();
  return (
    <ul className="counts">
      {OUTCOMES.filter((outcome) => documents[outcome] > 0).map((outcome) => (
        <li key={outcome} className={`outcome-${outcome}`}>
          {say(`outcome.${outcome}`)}: <b>{documents[outcome]}</b>
        </li>
      ))}
    </ul>
  );
}

export const ended = (documents: DocumentCounts) =>
  OUTCOMES.reduce((sum, outcome) => sum + documents[outcome], 0);
