import { defineConfig } from "@playwright/test";
import { program } from "./e2e/processes";

export default defineConfig({
  testDir: "e2e",
  timeout: 60_000,
  expect: { timeout: 30_000 },
  // The tests share one machine with the workers that they start.
  workers: 1,
  reporter: "list",
  use: {
    locale: "ru-RU",
    launchOptions: {
      executablePath: program("chromium"),
      // Chromium refuses its sandbox to root.
      args: process.getuid?.() === 0 ? ["--no-sandbox"] : [],
    },
  },
});
