// All jobs, newest first, and the form that starts one.

import { useState } from "react";
import * as api from "../api";
import { useSpeech } from "../language";
import { Counts, ended, Progress, Status, Trouble } from "../parts";
import { usePolled } from "../polled";
import { isEnded, type Job } from "../wire";
import { StartForm } from "./start";

const PAGE = 25;
/** The largest page that the server gives. */
const MOST = 1000;
const REFRESH = 2_000;

export function JobsPage() {
  const { say } = useSpeech();
  const [limit, setLimit] = useState(PAGE);
  const { value, refusal, again } = usePolled("jobs", () => api.jobs(limit), REFRESH);
  return (
    <>
      <StartForm />
      <section aria-labelledby="jobs-title">
        <h1 id="jobs-title">{say("jobs")}</h1>
        <Trouble refusal={refusal} />
        {!value && !refusal && <p>{say("loading")}</p>}
        {value?.jobs.length === 0 && <p>{say("noJobs")}</p>}
        <ul className="jobs">
          {value?.jobs.map((job) => <JobRow key={job.job_id} job={job} />)}
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
