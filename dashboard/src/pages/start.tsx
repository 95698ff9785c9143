// Starts a job over a folder of the server; counts its documents before.

import { useEffect, useRef, useState, type FormEvent } from "react";
import * as api from "../api";
import { useSpeech } from "../language";
import { Trouble } from "../parts";
import { usePolled } from "../polled";
import type { Plan, TrainRequest } from "../wire";

const PRIORITIES = ["high", "normal", "low"] as const;

/** Unlike `crypto.randomUUID`, there on pages without TLS, too. */
const newKey = () => [...crypto.getRandomValues(new Uint32Array(4))].join("-");

export function StartForm() {
  const { say } = useSpeech();
  const { value: roots } = usePolled("roots", api.roots, null);
  const [request, setRequest] = useState<TrainRequest>({
    sources: [{ path: "" }],
    collection: "default",
    priority: "normal",
    force: false,
  });
  const { value: plannable } = usePolled("plannable", api.offersPlan, null);
  const key = useRef(newKey());
  const [plan, setPlan] = useState<Plan | null>(null);
  const [refusal, setRefusal] = useState<api.Refusal | null>(null);
  const [busy, setBusy] = useState(false);
  const folder = request.sources[0]?.path ?? "";

  // The first root is the likely choice; what is typed already stays.
  useEffect(() => {
    const first = roots?.[0];
    if (first) {
      setRequest((before) =>
        before.sources[0]?.path ? before : { ...before, sources: [{ path: first }] },
      );
    }
  }, [roots]);

  const change = (fields: Partial<TrainRequest>) => {
    setRequest({ ...request, ...fields });
    setPlan(null);
    setRefusal(null);
    key.current = newKey();
  };
  const attempt = async (action: () => Promise<void>) => {
    setBusy(true);
    setRefusal(null);
    try {
      await action();
    } catch (error) {
      if (!(error instanceof api.Refusal)) throw error;
      setRefusal(error);
    } finally {
      setBusy(false);
    }
  };
  const count = () => attempt(async () => setPlan(await api.plan(request)));
  const start = (submitted: FormEvent) => {
    submitted.preventDefault();
    void attempt(async () => {
      const { job_id } = await api.train(request, key.current);
      location.hash = `#/jobs/${job_id}`;
    });
  };

  return (
    <form className="card start" onSubmit={start} aria-labelledby="start-title">
      <h2 id="start-title">{say("newJob")}</h2>
      <label className="wide">
        {say("folder")}
        <input
          name="folder"
          required
          list="roots"
          value={folder}
          aria-describedby="folder-hint"
          onChange={(typed) => change({ sources: [{ path: typed.target.value }] })}
        />
        <datalist id="roots">{roots?.map((root) => <option key={root} value={root} />)}</datalist>
      </label>
      <p id="folder-hint" className="faint wide">
        {roots && (roots.length > 0 ? say("folderHint", { roots: roots.join(", ") }) : say("noRoots"))}
      </p>
      <label>
        {say("collection")}
        <input
          name="collection"
          required
          value={request.collection}
          onChange={(typed) => change({ collection: typed.target.value })}
        />
      </label>
      <label>
        {say("priority")}
        <select
          name="priority"
          value={request.priority}
          onChange={(chosen) =>
            change({ priority: chosen.target.value as TrainRequest["priority"] })
          }
        >
          {PRIORITIES.map((priority) => (
            <option key={priority} value={priority}>
              {say(`priority.${priority}`)}
            </option>
          ))}
        </select>
      </label>
      <label className="check">
        <input
          type="checkbox"
          name="force"
          checked={request.force}
          onChange={(ticked) => change({ force: ticked.target.checked })}
        />
        {say("force")}
      </label>
      <div className="row wide">
        {plannable && (
          <button
            type="button"
            className="quiet"
            disabled={busy || !folder}
            onClick={() => void count()}
          >
            {say("plan")}
          </button>
        )}
        <button type="submit" disabled={busy}>
          {say("start")}
        </button>
        <output>{plan && <PlanCounts plan={plan} />}</output>
      </div>
      <Trouble refusal={refusal} />
    </form>
  );
}

function PlanCounts({ plan }: { plan: Plan }) {
  const { say, number } = useSpeech();
  const kinds = (["new", "changed", "same", "unsupported"] as const).map(
    (kind) => `${say(`plan.${kind}`)}: ${number(plan[kind])}`,
  );
  const size = `${say("plan.bytes")}: ${number(plan.bytes / 1e6)} ${say("unit.mb")}`;
  return <>{[...kinds, size].join(" · ")}</>;
}
