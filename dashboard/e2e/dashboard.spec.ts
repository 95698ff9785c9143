import { expect, test, type Page } from "@playwright/test";
import { Installation, SAMPLES } from "./installation";
import { until } from "./processes";

let installation: Installation;
/** What the browser complained about, its own words on lost connections apart. */
let complaints: string[];

test.beforeAll(async () => {
  installation = await Installation.start();
});
test.afterAll(async () => {
  await installation.stop();
});
test.beforeEach(({ page }) => {
  complaints = [];
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("console", (message) => {
    const lost = /ERR_CONNECTION|ERR_EMPTY_RESPONSE|ERR_SOCKET|WebSocket connection/.test(message.text());
    if (message.type() === "error" && !lost) complaints.push(message.text());
  });
});
test.afterEach(() => expect(complaints).toEqual([]));

const shot = (page: Page, name: string) =>
  page.screenshot({ path: test.info().outputPath(`${name}.png`), fullPage: true });

/** Starts a job on the page and answers its id. */
async function start(page: Page): Promise<string> {
  await page.goto(installation.address);
  await expect(page.getByLabel("Папка на сервере")).toHaveValue(SAMPLES);
  await page.getByLabel("Обучить заново").check();
  await page.getByRole("button", { name: "Начать обучение" }).click();
  await page.waitForURL(/#\/jobs\/[0-9a-f-]{36}$/);
  return page.url().slice(-36);
}

const lines = (page: Page) =>
  page
    .locator(".log li")
    .evaluateAll((items) =>
      items.map((item) => ({
        seq: Number(item.getAttribute("data-seq")),
        text: item.querySelector(".text")?.textContent,
      })),
    );

/** The page has the whole log: 1 to the last, each once, in the server's words. */
async function expectWholeLog(page: Page, id: string): Promise<void> {
  await expect(page.locator(".connection")).toHaveText("Задание завершено");
  const events = await installation.events(id);
  expect(events.map((event) => event.seq)).toEqual(events.map((_, index) => index + 1));
  expect(events.at(-1)?.final).toBe(true);
  // The last lines may be drawn a moment after the state of the connection.
  await expect(page.locator(".log li")).toHaveCount(events.length);
  const said = events.map(({ seq, log }) => ({ seq, text: log.replace("[Stage ", "[Этап ") }));
  expect(await lines(page)).toEqual(said);
}

test("a job started on the page shows all stages of every document", async ({ page }) => {
  const id = await start(page);
  await expectWholeLog(page, id);
  const documents = await installation.documents(id);
  expect(documents.length).toBeGreaterThan(5);
  await expect(page.locator(".document")).toHaveCount(documents.length);
  const times = new Map(
    (await installation.events(id))
      .filter((event) => event.type === "stage")
      .map((event) => [`${event.document?.index} ${event.stage}`, event.duration_ms]),
  );
  for (const document of documents) {
    const strip = page.locator(`.document[data-index="${document.index}"] .cell`);
    await expect(strip, document.name).toHaveCount(14);
    const finished = Number.parseInt(document.stage, 10);
    if (document.outcome?.startsWith("completed")) expect(finished).toBe(14);
    for (let stage = 1; stage <= finished; stage += 1) {
      const cell = strip.nth(stage - 1);
      await expect(cell).toHaveAttribute("data-state", "done");
      const milliseconds = times.get(`${document.index} ${stage}/14`);
      if (milliseconds !== undefined && milliseconds < 1000) {
        await expect(cell).toHaveAttribute("title", new RegExp(`, ${milliseconds} мс$`));
      }
    }
  }
  // What went wrong stands first.
  const failed = documents.find((document) => document.outcome === "failed");
  await expect(page.locator(".document").first()).toContainText(failed!.name);
  await page.locator("summary").nth(1).click();
  await expect(page.locator(".stages li")).toHaveCount(14);
  await shot(page, "job-wide");
  await page.getByRole("button", { name: "English" }).click();
  await expect(page.getByRole("heading", { name: "Documents" })).toBeVisible();
  await page.getByRole("button", { name: "Русский" }).click();
  await page.emulateMedia({ colorScheme: "dark" });
  await shot(page, "job-dark");
  await page.setViewportSize({ width: 390, height: 844 });
  await shot(page, "job-narrow");
  const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
  expect(overflow).toBeLessThanOrEqual(0);
});

test("what was read is outlined on the pages of a document", async ({ page }) => {
  const id = await start(page);
  await expectWholeLog(page, id);
  const norm = page.locator(".document", { hasText: /СП 999.*\.pdf/ });
  await norm.locator("summary").click();
  await norm.getByRole("button", { name: "Показать прочитанное" }).click();
  const picture = norm.locator("img.read");
  const painted = () => picture.evaluate((image: HTMLImageElement) => image.naturalWidth);
  await expect.poll(painted).toBeGreaterThan(900);
  await norm.getByRole("button", { name: "Дальше" }).click();
  await expect(norm).toContainText("страница 2 из 2");
  await expect(picture).toHaveAttribute("src", /\/pages\/2\.png$/);
  await expect.poll(painted).toBeGreaterThan(900);
  await shot(page, "read");
});

test("a cut wire loses and repeats nothing", async ({ page }) => {
  const id = await start(page);
  await until("the job runs", async () => (await lines(page)).length >= 5);
  const before = (await installation.events(id)).length;
  installation.proxy.cut();
  await expect(page.locator(".connection")).toHaveText(/восстанавливается/);
  await until("events pass unseen", async () => (await installation.events(id)).length > before);
  installation.proxy.allowance = 8_000;
  installation.proxy.mend();
  await expectWholeLog(page, id);
  installation.proxy.allowance = Infinity;
  expect(installation.proxy.breaks).toBeGreaterThan(4);
});

test("the page outlives a restart of the server", async ({ page }) => {
  const id = await start(page);
  await until("the job runs", async () => (await lines(page)).length >= 10);
  await installation.stopApi();
  await expect(page.locator(".connection")).toHaveText(/восстанавливается/);
  await installation.startApi();
  await expectWholeLog(page, id);
});

test("the log follows its end until the reader scrolls up", async ({ page }) => {
  await expectWholeLog(page, await start(page));
  const log = page.locator(".log");
  const fromEnd = () => log.evaluate((box) => box.scrollHeight - box.scrollTop - box.clientHeight);
  await expect.poll(fromEnd).toBeLessThan(24);
  await log.evaluate((box) => (box.scrollTop = 0));
  await page.getByRole("button", { name: "К последней записи" }).click();
  await expect.poll(fromEnd).toBeLessThan(24);
});

test("jobs are listed, a refused folder is told in words", async ({ page }) => {
  await expectWholeLog(page, await start(page));
  await page.getByRole("link", { name: "Задания" }).click();
  const { jobs } = await installation.get<{ jobs: object[] }>("/jobs");
  await expect(page.locator(".jobs > li")).toHaveCount(jobs.length);
  await expect(page.locator(".jobs > li").first()).toContainText("завершено с ошибками");
  await shot(page, "jobs-wide");
  await page.getByLabel("Папка на сервере").fill("/etc");
  await page.getByRole("button", { name: "Начать обучение" }).click();
  await expect(page.getByRole("alert")).toContainText("не лежит ни в одной из разрешённых папок");
  // The browser itself reports every refusal.
  complaints = complaints.filter((text) => !text.includes("403"));
  await page.setViewportSize({ width: 390, height: 844 });
  await page.emulateMedia({ colorScheme: "dark" });
  await shot(page, "jobs-narrow-dark");
});

test("a job is paused, resumed and cancelled; what failed is tried again", async ({ page }) => {
  const status = page.locator(".badge").first();
  installation.worker!.hold();
  const id = await start(page);
  await page.getByRole("button", { name: "Приостановить" }).click();
  await expect(status).toHaveText("приостановлено");
  await page.getByRole("button", { name: "Продолжить" }).click();
  await expect(page.getByRole("button", { name: "Приостановить" })).toBeVisible();
  installation.worker!.release();
  await expectWholeLog(page, id);
  await page.getByRole("button", { name: "с ошибкой: 1" }).click();
  await expect(page.locator(".document")).toHaveCount(1);

  installation.worker!.hold();
  await page.getByRole("button", { name: "Повторить неудавшиеся" }).click();
  await expect(page.getByRole("link", { name: "Повтор задания" })).toBeVisible();
  page.on("dialog", (dialog) => void dialog.accept());
  await page.getByRole("button", { name: "Отменить" }).click();
  await expect(status).toHaveText(/отмен/);
  installation.worker!.release();
  await expect(status).toHaveText("отменено");
  await expectWholeLog(page, page.url().slice(-36));
});

test("counts of a plan are shown before the start, where the server offers them", async ({ page }) => {
  const plan = { new: 5, changed: 1, same: 2, unsupported: 0, bytes: 1_500_000 };
  await page.route("**/openapi.json", (route) => route.fulfill({ json: { paths: { "/train/plan": {} } } }));
  await page.route("**/train/plan", (route) => route.fulfill({ json: plan }));
  await page.goto(installation.address);
  await page.getByRole("button", { name: "Посчитать документы" }).click();
  await expect(page.locator("output")).toHaveText(
    "новых: 5 · изменённых: 1 · без изменений: 2 · не поддерживается: 0 · объём: 1,5 МБ",
  );
});

test("the page is cached by its names and runs no inline script", async ({ request }) => {
  const index = await request.get(installation.address);
  expect(index.headers()["cache-control"]).toBe("no-cache");
  expect(index.headers()["content-security-policy"]).toContain("script-src 'self';");
  const script = /src="(\/assets\/[^"]+\.js)"/.exec(await index.text())?.[1];
  const asset = await request.get(installation.address + script);
  expect(asset.headers()["cache-control"]).toContain("immutable");
  expect((await request.get(`${installation.address}/assets/none.js`)).status()).toBe(404);
});
