// The documents of a job: what went wrong first, then all by their order, page by page.

import { useState } from "react";
import * as api from "../api";
import { isProblem, type Feed } from "../feed";
import { useSpeech } from "../language";
import { Trouble } from "../parts";
import { usePolled } from "../polled";
import { OUTCOMES, type DocumentCounts, type JobDocument, type Outcome } from "../wire";
import { DocumentRow } from "./document";

const PAGE = 50;
const REFRESH = 2_000;

interface Props {
  id: string;
  feed: Feed;
  counts: DocumentCounts;
  live: boolean;
}

export function Documents({ id, feed, counts, live }: Props) {
  const { say } = useSpeech();
  const [filter, setFilter] = useState<Outcome | null>(null);
  const choices: (Outcome | null)[] = [null, ...OUTCOMES.filter((outcome) => counts[outcome] > 0)];
  return (
    <section aria-labelledby="documents-title">
      <h2 id="documents-title">{say("documents")}</h2>
      <div className="row" role="group" aria-labelledby="documents-title">
        {choices.map((outcome) => (
          <button
            key={outcome ?? "all"}
            type="button"
            className="quiet"
            aria-pressed={filter === outcome}
            onClick={() => setFilter(outcome)}
          >
            {outcome ? say(`outcome.${outcome}`) : say("all")}: {counts[outcome ?? "total"]}
          </button>
        ))}
      </div>
      {filter === null &&
        OUTCOMES.filter((outcome) => isProblem(outcome) && counts[outcome] > 0).map((outcome) => (
          <Pages key={outcome} id={id} feed={feed} outcome={outcome} live={live} />
        ))}
      <Pages key={filter ?? "all"} id={id} feed={feed} outcome={filter} live={live} rest />
    </section>
  );
}

interface PagesProps {
  id: string;
  feed: Feed;
  outcome: Outcome | null;
  live: boolean;
  /** In the list of all, those with problems are not shown again: they are above. */
  rest?: boolean;
}

function Pages({ id, feed, outcome, live, rest = false }: PagesProps) {
  const { say } = useSpeech();
  /** Where the pages up to the present one began. */
  const [cursors, setCursors] = useState<(string | null)[]>([null]);
  const cursor = cursors.at(-1) ?? null;
  const { value, refusal } = usePolled(
    `${id} ${outcome} ${cursor}`,
    () => api.documents(id, outcome, PAGE, cursor),
    live ? REFRESH : null,
  );
  const shown = (document: JobDocument) =>
    !rest || outcome !== null || !isProblem(document.outcome);
  return (
    <>
      <Trouble refusal={refusal} />
      <ul className="documents">
        {value?.documents.filter(shown).map((document) => (
          <DocumentRow
            key={document.index}
            job={id}
            document={document}
            progressing={feed.documents.get(document.index)}
          />
        ))}
      </ul>
      {value?.documents.length === 0 && <p className="faint">{say("nothing")}</p>}
      <div className="row">
        {cursors.length > 1 && (
          <button type="button" className="quiet" onClick={() => setCursors(cursors.slice(0, -1))}>
            {say("previous")}
          </button>
        )}
        {value?.next_cursor && (
          <button
            type="button"
            className="quiet"
            onClick={() => setCursors([...cursors, value.next_cursor])}
          >
            {say("next")}
          </button>
        )}
      </div>
    </>
  );
}
