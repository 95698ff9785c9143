// Calls of the server; what it refuses comes as problem+json and is thrown in its own words.

import type { DocumentReport, Job, JobDocument, Outcome, Plan, TrainRequest } from "./wire";

/** A refusal of the server, or its absence (`status` 0). */
export class Refusal extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    detail: string,
    readonly retryAfter: number | null = null,
  ) {
    super(detail);
  }
}

async function call<Answer>(
  path: string,
  body?: object,
  headers: Record<string, string> = {},
): Promise<Answer> {
  const options: RequestInit =
    body === undefined
      ? {}
      : {
          method: "POST",
          headers: { "content-type": "application/json", ...headers },
          body: JSON.stringify(body),
        };
  let answer: Response;
  try {
    answer = await fetch(path, options);
  } catch {
    throw new Refusal(0, "unreachable", "");
  }
  if (answer.ok) return (await answer.json()) as Answer;
  const problem = (await answer.json().catch(() => ({}))) as {
    code?: string;
    detail?: string;
    retry_after_s?: number;
  };
  throw new Refusal(
    answer.status,
    problem.code ?? "unknown",
    problem.detail ?? `HTTP ${answer.status} ${answer.statusText}`,
    problem.retry_after_s ?? null,
  );
}

type Action = "pause" | "resume" | "cancel" | "retry";

const query = (fields: Record<string, string | number | null>) => {
  const given = Object.entries(fields).filter(([, value]) => value !== null);
  return new URLSearchParams(given.map(([name, value]) => [name, String(value)]));
};

export const roots = () => call<{ roots: string[] }>("/status").then((status) => status.roots);
export const jobs = (limit: number) => call<{ jobs: Job[]; next_cursor: string | null }>(`/jobs?limit=${limit}`);
export const job = (id: string) => call<Job>(`/jobs/${id}`);
export const documents = (id: string, outcome: Outcome | null, limit: number, cursor: string | null) =>
  call<{ documents: JobDocument[]; next_cursor: string | null }>(
    `/jobs/${id}/documents?${query({ outcome, limit, cursor })}`,
  );
export const documentReport = (id: string, index: number) =>
  call<{ report: DocumentReport | null }>(`/jobs/${id}/documents/${index}`).then(({ report }) => report);
export const act = (id: string, action: Action) => call<Job>(`/jobs/${id}/${action}`, {});
export const plan = (request: TrainRequest) => call<Plan>("/train/plan", request);
/** Not every server can count beforehand. */
export const offersPlan = () =>
  call<{ paths: object }>("/openapi.json").then(({ paths }) => "/train/plan" in paths);
/** A request repeated with the same key, because its answer was lost, makes no second job. */
export const train = (request: TrainRequest, key: string) =>
  call<{ job_id: string }>("/train", request, { "idempotency-key": key });

/** The stream of all jobs. */
export const overviewAddress = () =>
  `${location.protocol === "https:" ? "wss" : "ws"}://${location.host}/ws`;

/** The stream of one job. */
export const socketAddress = (id: string) => `${overviewAddress()}/${id}`;
