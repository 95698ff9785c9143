// The language of the page and everything that is written differently in each.

import { createContext, useContext } from "react";
import { tables, type Language, type Word } from "./words";

export interface Speech {
  language: Language;
  say(word: Word, values?: Record<string, string | number>): string;
  number(value: number): string;
  duration(milliseconds: number): string;
  time(iso: string): string;
}

export function speech(language: Language): Speech {
  const locale = language === "ru" ? "ru-RU" : "en-GB";
  const say: Speech["say"] = (word, values = {}) =>
    tables[language][word].replace(/\{(\w+)\}/g, (_, name: string) => String(values[name] ?? ""));
  const number = (value: number) =>
    new Intl.NumberFormat(locale, { maximumFractionDigits: 1 }).format(value);
  const unit = (value: number, word: Word) => `${number(value)} ${say(word)}`;
  return {
    language,
    say,
    number,
    duration: (milliseconds) => {
      const seconds = milliseconds / 1000;
      if (milliseconds < 1000) return unit(Math.round(milliseconds), "unit.ms");
      if (seconds < 60) return unit(seconds, "unit.s");
      const minutes = Math.round(seconds / 60);
      if (minutes < 60) return unit(minutes, "unit.min");
      return `${unit(Math.floor(minutes / 60), "unit.h")} ${unit(minutes % 60, "unit.min")}`;
    },
    time: (iso) =>
      new Date(iso).toLocaleString(locale, { dateStyle: "short", timeStyle: "medium" }),
  };
}

export const SpeechContext = createContext<Speech>(speech("ru"));
export const useSpeech = () => useContext(SpeechContext);

/** The title of a stage, 1 to 14. */
export const stageWord = (stage: number) => `stage.${stage}` as Word;

const KEY = "ragtrain.language";

export const storedLanguage = (): Language =>
  localStorage.getItem(KEY) === "en" ? "en" : "ru";
export const storeLanguage = (language: Language) => localStorage.setItem(KEY, language);
