// All jobs, newest first, and the form that starts one.

import { useEffect, useState, useSyncExternalStore } from "react";
import * as api from "../api";
import { useSpeech } from "../language";
import { Overview } from "../overview";
import { Counts, ended, Progress, Status, Trouble } from "../parts";
import { usePolled } from "../polled";
import { isEnded, type EventJob, type Job } from "../wire";
import { StartForm } from "./start";

const PAGE = 25;
/** The largest page that the server gives. */
const MOST = 1000;
/** The bars are live; the rest of the list (places in the queue, counts by outcome) is asked for. */
const REFRESH = 5_000;

const newOverview = () =>
  new Overview(api.overviewAddress(), (action) => setTimeout(action, 100));

/** The states of the jobs that move. */
function useOverview(): Map<string, EventJob> {
  const [overview, setOverview] = useState<Overview | null>(null);
  useEffect(() => {
    const opened = newOverview();
    setOverview(opened);
    return () => opened.stop();
  }, []);
  useSyncExternalStore(overview?.watch ?? noViewers, () => overview?.version ?? 0);
  return overview?.jobs ?? new Map<string, EventJob>();
}

const noViewers = () => () => {};

/** The job of the list under its newest state. */
function merged(job: Job, live: EventJob | undefined): Job {
  // The list may be newer at the end of a job, and it is right then.
  if (!live || isEnded(job.status)) return job;
  return { ...job, status: live.status, progress: live.progress, eta_s: live.eta_s };
}

export function JobsPage() {
  const { say } = useSpeech();
  const [limit, setLimit] = useState(PAGE);
  const { value, refusal, again } = usePolled("jobs", () => api.jobs(limit), REFRESH);
  const moving = useOverview();
  // A job that the list does not have yet, or one that has ended.
  const listed = new Map(value?.jobs.map((job) => [job.job_id, job.status]));
  const isNews = [...moving].some(([id, { status }]) => {
    const known = listed.get(id);
    return value !== null && (known === undefined ? limit === PAGE : isEnded(status) && !isEnded(known));
  });
  useEffect(() => {
    if (isNews) again();
  }, [isNews, again]);
  return (
    <>
      <StartForm />
      <section aria-labelledby="jobs-title">
        <h1 id="jobs-title">{say("jobs")}</h1>
        <Trouble refusal={refusal} />
        {!value && !refusal && <p>{say("loading")}</p>}
        {value?.jobs.length === 0 && <p>{say("noJobs")}</p>}
        <ul className="jobs">
          {value?.jobs.map((job) => (
            <JobRow key={job.job_id} job={merged(job, moving.get(job.job_id))} />
          ))}
        </ul>
        {value?.next_cursor && limit < MOST && (
          <button
            type="button"
            onClick={() => {
              setLimit(Math.min(limit * 2, MOST));
              again();
            }}
          >
            {say("more")}
          </button>
        )}
      </section>
    </>
  );
}

function JobRow({ job }: { job: Job }) {
  const { say, time, duration } = useSpeech();
  return (
    <li className="card">
      <div className="row">
        <a href={`#/jobs/${job.job_id}`}>
          {time(job.created_at)} · {job.collection}
        </a>
        <Status status={job.status} />
        <span className="faint">
          {say("documentsOf", { done: ended(job.documents), total: job.documents.total })}
        </span>
        {job.queue_position !== null && (
          <span className="faint">{say("position", { n: job.queue_position })}</span>
        )}
        {job.eta_s !== null && !isEnded(job.status) && (
          <span className="faint">{say("remaining", { time: duration(job.eta_s * 1000) })}</span>
        )}
      </div>
      <Progress percent={job.progress} />
      <Counts documents={job.documents} />
      {job.error && <p className="trouble">{job.error}</p>}
    </li>
  );
}
