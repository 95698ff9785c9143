// One document of a job: its strip of fourteen stages and how it ended.

import { useState } from "react";
import { cells, newest, type Cell } from "../cells";
import { stageWord, useSpeech } from "../language";
import { OutcomeBadge } from "../parts";
import type { Progressing } from "../feed";
import type { JobDocument } from "../wire";
import { Details } from "./details";

interface Props {
  job: string;
  document: JobDocument;
  progressing: Progressing | undefined;
}

const NO_TIMES: Map<number, number> = new Map();

export function DocumentRow({ job, document, progressing }: Props) {
  const [open, setOpen] = useState(false);
  const { say, number, duration } = useSpeech();
  const shown = newest(document, progressing);
  const strip = cells(shown, progressing?.times ?? NO_TIMES);
  const facts = [
    document.pages !== null && `${say("pages")}: ${number(document.pages)}`,
    document.chunks !== null && `${say("chunks")}: ${number(document.chunks)}`,
    document.quality !== null && `${say("quality")}: ${number(document.quality)}`,
    document.duration_ms !== null && duration(document.duration_ms),
    shown.attempts > 1 && `${say("attempts")}: ${number(shown.attempts)}`,
  ].filter((fact) => fact !== false);
  return (
    <li className="card document" data-index={document.index}>
      <div className="row">
        <span className="name" title={document.path}>
          {document.name}
        </span>
        <OutcomeBadge outcome={shown.outcome} />
      </div>
      <ol className="strip" aria-label={say("stages")}>
        {strip.map((cell) => (
          <StageCell key={cell.stage} cell={cell} />
        ))}
      </ol>
      {facts.length > 0 && <p className="faint">{facts.join(" · ")}</p>}
      {document.message && (
        <p className={`message outcome-${shown.outcome ?? "open"}`}>
          {document.message} {document.code && <code>{document.code}</code>}
        </p>
      )}
      <details onToggle={({ currentTarget }) => setOpen(currentTarget.open)}>
        <summary>
          {say("details")}
          {document.issues.length > 0 && ` · ${say("issues")}: ${number(document.issues.length)}`}
        </summary>
        {open && <Details job={job} document={document} strip={strip} />}
      </details>
    </li>
  );
}

function StageCell({ cell: { stage, state, milliseconds } }: { cell: Cell }) {
  const { say, duration } = useSpeech();
  const title = say(stageWord(stage));
  const time = milliseconds === undefined ? "" : `, ${duration(milliseconds)}`;
  const text = `${stage}. ${title}: ${say(`cell.${state}`)}${time}`;
  return (
    <li className={`cell cell-${state}`} title={text} data-stage={stage} data-state={state}>
      <span aria-hidden="true">
        {stage}
        <small>{milliseconds === undefined ? "" : duration(milliseconds)}</small>
      </span>
      <span className="spoken">{text}</span>
    </li>
  );
}
