import { expect, it } from "vitest";
import { cells, newest } from "../src/cells";
import { Feed } from "../src/feed";
import type { JobDocument } from "../src/wire";
import { event } from "./fakes";

const row: JobDocument = {
  id: "d",
  name: "СП 45.pdf",
  path: "СП 45.pdf",
  index: 0,
  outcome: null,
  code: null,
  message: null,
  stage: "0/14",
  attempts: 0,
  pages: null,
  chunks: null,
  duration_ms: null,
  quality: null,
  issues: [],
};
const about = { id: "d", name: "СП 45.pdf", index: 0, attempt: 1 };
const states = (document: JobDocument, feed: Feed) =>
  cells(newest(document, feed.documents.get(0)), new Map()).map((cell) => cell.state);

it("a stage event fills a cell with its time, the next one runs", () => {
  const feed = new Feed((action) => action());
  let drawn = 0;
  feed.watch(() => (drawn += 1));
  feed.event({ ...event(1), stage: "1/14", document: about, duration_ms: 12 });
  const strip = cells(newest(row, feed.documents.get(0)), feed.documents.get(0)!.times);
  expect(strip.slice(0, 3)).toEqual([
    { stage: 1, state: "done", milliseconds: 12 },
    { stage: 2, state: "running", milliseconds: undefined },
    { stage: 3, state: "waiting", milliseconds: undefined },
  ]);
  expect(drawn).toBe(1);
});

it("a failed document shows where it stopped, a duplicate what it did not need", () => {
  const feed = new Feed(() => {});
  const failed = { ...row, outcome: "failed" as const, stage: "2/14", attempts: 3 };
  expect(states(failed, feed).slice(1, 4)).toEqual(["done", "stopped", "unneeded"]);
  const repeated = { ...failed, outcome: "skipped_duplicate" as const };
  expect(states(repeated, feed).slice(1, 4)).toEqual(["done", "unneeded", "unneeded"]);
});

it("a list answered before a newer attempt does not win over the stream", () => {
  const feed = new Feed(() => {});
  feed.event({ ...event(1), stage: "2/14", document: { ...about, attempt: 2 } });
  expect(newest({ ...row, stage: "9/14", attempts: 1 }, feed.documents.get(0)).reached).toBe(2);
  expect(newest({ ...row, stage: "9/14", attempts: 2 }, feed.documents.get(0)).reached).toBe(9);
});

it("untouched documents wait", () => {
  expect(new Set(states(row, new Feed(() => {})))).toEqual(new Set(["waiting"]));
});

it("a snapshot replaces the lines and says that earlier ones are gone", () => {
  const feed = new Feed(() => {});
  feed.event(event(1));
  feed.snapshot({
    type: "snapshot",
    epoch: "b",
    seq: 9,
    job: event(9).job,
    documents: {} as never,
    log_tail: ["a", "b"],
  });
  feed.event(event(10, "b"));
  expect(feed.lines.map((line) => [line.seq, line.text])).toEqual([
    [null, "a"],
    [null, "b"],
    [10, "event 10"],
  ]);
  expect(feed.gap).toBe(true);
});
