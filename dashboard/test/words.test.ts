import { expect, it } from "vitest";
import { speech } from "../src/language";
import { tables } from "../src/words";

it("both languages have the same words with the same places for values", () => {
  const places = (text: string) => text.match(/\{\w+\}/g) ?? [];
  expect(Object.keys(tables.en).sort()).toEqual(Object.keys(tables.ru).sort());
  for (const [word, text] of Object.entries(tables.ru)) {
    expect(text, word).not.toBe("");
    expect(places(tables.en[word as keyof typeof tables.en]), word).toEqual(places(text));
  }
});

it("writes durations for people", () => {
  const { duration } = speech("ru");
  expect([7, 1500, 61_000, 3_725_000].map(duration)).toEqual([
    "7 мс",
    "1,5 с",
    "1 мин",
    "1 ч 2 мин",
  ]);
});
