// The stages of a document in words, for those who cannot point at a cell, and its issues.

import * as api from "../api";
import type { Cell } from "../cells";
import { stageWord, useSpeech } from "../language";
import { Trouble } from "../parts";
import { usePolled } from "../polled";
import type { JobDocument } from "../wire";
import { hasPictures, ReadPages } from "./read";

interface Props {
  job: string;
  document: JobDocument;
  strip: Cell[];
}

export function Details({ job, document, strip }: Props) {
  const { say, duration } = useSpeech();
  // The report has the times of a job whose events are gone, too; an open document has none.
  const key = `${job} ${document.index} ${document.outcome}`;
  const { value: report, refusal } = usePolled(
    key,
    () => api.documentReport(job, document.index),
    null,
  );
  return (
    <>
      <Trouble refusal={refusal} />
      <ol className="stages">
        {strip.map(({ stage, state, milliseconds }) => {
          const reported = report?.stages[stage - 1];
          const time = reported?.duration_ms ?? milliseconds;
          return (
            <li key={stage} className={state === "done" ? "" : "faint"}>
              {stage}. {say(stageWord(stage))}: {reported?.details ?? say(`cell.${state}`)}
              {time !== undefined && <span className="faint"> · {duration(time)}</span>}
            </li>
          );
        })}
      </ol>
      {document.issues.length > 0 && <b>{say("issues")}</b>}
      <ul>
        {document.issues.map((issue, index) => (
          <li key={index}>{issue}</li>
        ))}
      </ul>
      {hasPictures(document) && <ReadPages document={document} />}
    </>
  );
}
