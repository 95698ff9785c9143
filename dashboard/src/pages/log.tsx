// The log of a job. It follows its end until the reader scrolls up.

import { useEffect, useRef, useState } from "react";
import type { Feed } from "../feed";
import { useSpeech } from "../language";

/** Lines drawn at first and more at each wish: drawing tens of thousands would stop the page. */
const WINDOW = 2_000;
/** So near the end, in pixels, the reader counts as being there. */
const NEAR = 24;

export function Log({ feed }: { feed: Feed }) {
  const { say, language } = useSpeech();
  const box = useRef<HTMLOListElement>(null);
  const top = useRef(0);
  const [following, setFollowing] = useState(true);
  const [wanted, setWanted] = useState(WINDOW);
  const first = Math.max(0, feed.lines.length - wanted);
  const toEnd = () => {
    if (box.current) box.current.scrollTop = box.current.scrollHeight;
  };

  useEffect(() => {
    if (following) toEnd();
  }, [following, feed.version]);
  useEffect(() => {
    if (!following || !box.current) return;
    const watch = new ResizeObserver(toEnd);
    watch.observe(box.current);
    return () => watch.disconnect();
  }, [following]);

  // The server writes for old clients, in whose lines the word is «Stage».
  const written = (text: string) =>
    language === "ru" ? text.replace("[Stage ", `[${say("stage")} `) : text;
  return (
    <section aria-labelledby="log-title">
      <div className="row">
        <h2 id="log-title">{say("log")}</h2>
        {!following && (
          <button type="button" className="quiet" onClick={() => setFollowing(true)}>
            {say("follow")}
          </button>
        )}
      </div>
      {feed.gap && <p className="faint">{say("gap")}</p>}
      {first > 0 && (
        <button type="button" className="quiet" onClick={() => setWanted(wanted * 2)}>
          {say("earlier")}
        </button>
      )}
      <ol
        className="log"
        ref={box}
        tabIndex={0}
        aria-labelledby="log-title"
        onScroll={({ currentTarget: list }) => {
          const near = list.scrollHeight - list.scrollTop - list.clientHeight < NEAR;
          // Lines that wrap anew move the end away, too; only the reader moves up.
          setFollowing(near || (following && list.scrollTop >= top.current));
          top.current = list.scrollTop;
        }}
      >
        {feed.lines.slice(first).map((line, index) => (
          <li key={first + index} className={`line-${line.tone}`} data-seq={line.seq ?? undefined}>
            <span className="text">{written(line.text)}</span>
            {line.document && <span className="faint"> · {line.document}</span>}
          </li>
        ))}
      </ol>
    </section>
  );
}
