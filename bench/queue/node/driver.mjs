// The BullMQ driver: node driver.mjs <redis url> <workload> <count> <concurrency>.
// Protocol: see ../run.py. BullMQ's defaults, but finished jobs are removed, as ours are.
import { createInterface } from "node:readline";
import { Queue, Worker } from "bullmq";
import Redis from "ioredis";

const [url, workload, countText, concurrencyText] = process.argv.slice(2);
const count = Number(countText);
const concurrency = Number(concurrencyText);
const QUEUE = "documents";
const BULK = 1000;

const connect = () => new Redis(url, { maxRetriesPerRequest: null });
const queue = new Queue(QUEUE, {
  connection: connect(),
  defaultJobOptions: { removeOnComplete: true },
});
const now = () => performance.now();
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();

/** Enqueues documents `{ job, index }` in bulk. */
async function enqueue(job, documents) {
  for (let from = 0; from < documents; from += BULK) {
    const size = Math.min(BULK, documents - from);
    const part = Array.from({ length: size }, (_, i) => ({
      name: "document",
      data: { job, index: from + i },
    }));
    await queue.addBulk(part);
  }
}

/** Tells the orchestrator that everything is prepared and waits for its word. */
async function ready() {
  console.log(JSON.stringify({ ready: true }));
  await lines.next();
}

function finish(result) {
  console.log(JSON.stringify(result));
  process.exit(0);
}

const worker = (handler, completed = () => {}) => {
  const made = new Worker(QUEUE, handler, { connection: connect(), concurrency });
  made.on("completed", completed);
  made.on("error", (error) => console.error(error));
  return made;
};

/** Drains documents that wait already. */
async function drain() {
  await enqueue(0, count);
  await ready();
  let first;
  let ended = 0;
  worker(
    async () => { first ??= now(); },
    () => { if (++ended === count) finish({ seconds: (now() - first) / 1000 }); },
  );
}

/** One document at a time: from the enqueueing call to the start of the handler. */
async function pickup() {
  let started;
  const made = worker(async () => { started(now()); });
  await made.waitUntilReady();
  const pick = async () => {
    const handled = new Promise((resolve) => { started = resolve; });
    const from = now();
    await queue.add("document", { job: 0, index: 0 });
    const waited = (await handled) - from;
    await sleep(5);
    return waited;
  };
  await pick();
  await ready();
  const waits = [];
  for (let i = 0; i < count; i++) waits.push(await pick());
  finish({ waits_ms: waits });
}

/** Jobs of one document behind a job of `count`; a document takes 20 ms. */
async function behind() {
  await enqueue(0, count);
  await ready();
  const submitted = new Map();
  const waits = [];
  worker(async (job) => {
    const from = submitted.get(job.data.job);
    if (from !== undefined) waits.push(now() - from);
    await sleep(20);
  }, () => { if (waits.length === 20) finish({ waits_ms: waits }); });
  for (let small = 1; small <= 20; small++) {
    await sleep(100);
    submitted.set(small, now());
    await queue.add("document", { job: small, index: 0 });
  }
}

/** Twenty equal jobs of `count` documents: how many of each had been done at half time. */
async function share() {
  for (let job = 0; job < 20; job++) await enqueue(job, count);
  await ready();
  const done = Array(20).fill(0);
  let ended = 0;
  worker(async () => { await sleep(2); }, (job) => {
    done[job.data.job]++;
    if (++ended === 10 * count) finish({ shares: done });
  });
}

await { drain, pickup, behind, share }[workload]();
