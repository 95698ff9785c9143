// The pages of a trained document with outlines around what was read from them.

import { useState } from "react";
import { useSpeech } from "../language";
import type { JobDocument } from "../wire";

/** Other formats have no pages that look the same to everybody; the server would refuse. */
const PAINTABLE = /\.(pdf|png|jpe?g|tiff?|bmp)$/i;

export const hasPictures = ({ outcome, name, pages }: JobDocument) =>
  (outcome === "completed" || outcome === "completed_with_warnings") &&
  PAINTABLE.test(name) &&
  pages !== null &&
  pages > 0;

export function ReadPages({ document: { id, pages } }: { document: JobDocument }) {
  const { say } = useSpeech();
  const [page, setPage] = useState<number | null>(null);
  /** The address that the server refused. */
  const [refused, setRefused] = useState<string | null>(null);
  const total = pages ?? 0;
  if (page === null)
    return (
      <button type="button" className="quiet" onClick={() => setPage(1)}>
        {say("read.show")}
      </button>
    );
  const address = `/documents/${id}/pages/${page}.png`;
  const text = say("read.page", { n: page, total });
  return (
    <>
      <div className="row">
        <button type="button" className="quiet" disabled={page <= 1} onClick={() => setPage(page - 1)}>
          {say("previous")}
        </button>
        <span>{text}</span>
        <button type="button" className="quiet" disabled={page >= total} onClick={() => setPage(page + 1)}>
          {say("next")}
        </button>
      </div>
      <p className="faint">{say("read.colours")}</p>
      {refused === address ? (
        <p className="message">{say("read.refused")}</p>
      ) : (
        <a href={`${address}?dpi=200`} target="_blank" rel="noreferrer">
          <img className="read" src={address} alt={text} onError={() => setRefused(address)} />
        </a>
      )}
    </>
  );
}
