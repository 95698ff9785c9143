// One job: its counters, what can be done with it, its documents and its log, live.

import { useEffect, useState, useSyncExternalStore } from "react";
import * as api from "../api";
import { Feed, isProblem } from "../feed";
import { useSpeech } from "../language";
import { Live } from "../live";
import { Counts, ended, Progress, Status, Trouble } from "../parts";
import { usePolled } from "../polled";
import { isEnded, OUTCOMES, type Job } from "../wire";
import { Documents } from "./documents";
import { Log } from "./log";

/** Counts by outcome are in no event: they are asked for while documents end. */
const REFRESH = 2_000;

const newFeed = () => new Feed((action) => setTimeout(action, 50));

/** The live stream of the job for as long as the page shows it. */
function useFeed(id: string): Feed {
  const [feed, setFeed] = useState(newFeed);
  useEffect(() => {
    // A new connection starts from the first event, so it fills a new feed.
    const filled = newFeed();
    setFeed(filled);
    const live = new Live(api.socketAddress(id), filled);
    return () => live.stop();
  }, [id]);
  useSyncExternalStore(feed.watch, () => feed.version);
  return feed;
}

export function JobPage({ id }: { id: string }) {
  const { say, duration, time } = useSpeech();
  const feed = useFeed(id);
  const [over, setOver] = useState(false);
  const { value: job, refusal, again } = usePolled(`job ${id}`, () => api.job(id), over ? null : REFRESH);
  // The end is asked for as soon as the stream tells of it.
  useEffect(() => {
    if (feed.state === "finished") again();
  }, [feed.state, again]);
  useEffect(() => setOver(job !== null && isEnded(job.status)), [job]);

  if (!job) return refusal ? <Trouble refusal={refusal} /> : <p>{say("loading")}</p>;
  // The stream is ahead of the last answer, except after the job's end.
  const now = over ? null : feed.job;
  const eta = now ? now.eta_s : job.eta_s;
  return (
    <>
      <section className="card" aria-labelledby="job-title">
        <div className="row">
          <h1 id="job-title">
            {say("job")} {time(job.created_at)}
          </h1>
          <Status status={now?.status ?? job.status} />
          <span className={`connection connection-${feed.state}`} role="status">
            {say(`connection.${feed.state}`)}
          </span>
        </div>
        <p className="faint">
          {say("collection")}: {job.collection} · <code>{id}</code>
          {job.retry_of && (
            <>
              {" · "}
              <a href={`#/jobs/${job.retry_of}`}>{say("retryOf")}</a>
            </>
          )}
        </p>
        <Progress percent={now?.progress ?? job.progress} />
        <div className="row">
          <span>
            {say("documents")}:{" "}
            {say("documentsOf", { done: ended(job.documents), total: job.documents.total })}
          </span>
          {eta !== null && !over && <span>{say("remaining", { time: duration(eta * 1000) })}</span>}
          {job.queue_position !== null && (
            <span>{say("position", { n: job.queue_position })}</span>
          )}
        </div>
        <Counts documents={job.documents} />
        {job.error && <p className="trouble">{job.error}</p>}
        <Actions job={job} changed={again} />
        <Trouble refusal={refusal} />
      </section>
      <Documents id={id} feed={feed} counts={job.documents} live={!over} />
      <Log feed={feed} />
    </>
  );
}

function Actions({ job, changed }: { job: Job; changed(): void }) {
  const { say } = useSpeech();
  const [refusal, setRefusal] = useState<api.Refusal | null>(null);
  const [busy, setBusy] = useState(false);
  const act = async (action: "pause" | "resume" | "cancel" | "retry") => {
    if (action === "cancel" && !confirm(say("cancelSure"))) return;
    setBusy(true);
    setRefusal(null);
    try {
      const answer = await api.act(job.job_id, action);
      // A retry is a job of its own.
      if (action === "retry") location.hash = `#/jobs/${answer.job_id}`;
      else changed();
    } catch (error) {
      if (!(error instanceof api.Refusal)) throw error;
      setRefusal(error);
    } finally {
      setBusy(false);
    }
  };
  const button = (action: "pause" | "resume" | "cancel" | "retry") => (
    <button type="button" className="quiet" disabled={busy} onClick={() => void act(action)}>
      {say(action)}
    </button>
  );
  const open = !isEnded(job.status) && job.status !== "cancelling";
  const retryable = OUTCOMES.some((outcome) => isProblem(outcome) && job.documents[outcome] > 0);
  return (
    <>
      <div className="row">
        {open && button(job.status === "paused" ? "resume" : "pause")}
        {open && button("cancel")}
        {isEnded(job.status) && retryable && button("retry")}
        {isEnded(job.status) && (
          <a href={`/jobs/${job.job_id}/report?format=html`}>{say("report")}</a>
        )}
      </div>
      <Trouble refusal={refusal} />
    </>
  );
}
