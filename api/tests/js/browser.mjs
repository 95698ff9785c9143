// A page in a real browser; tells what it sees of the live events, a JSON a line.
// usage: node browser.mjs <address of the page> <address of the events> socket|events
import { chromium } from "playwright-core";

const [page_address, address, kind] = process.argv.slice(2);
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox", "--disable-gpu"],
});
const page = await browser.newPage();
await page.exposeFunction("tell", (what) => process.stdout.write(`${JSON.stringify(what)}\n`));
await page.goto(page_address);
await page.evaluate(
  ([address, kind]) => {
    if (kind === "socket") {
      const socket = new WebSocket(address);
      socket.onopen = () => tell({ connected: true });
      socket.onmessage = (message) => tell({ event: JSON.parse(message.data) });
      socket.onclose = (close) => tell({ closed: close.code });
    } else {
      const source = new EventSource(address);
      source.onopen = () => tell({ connected: true });
      source.onmessage = (message) =>
        tell({ id: message.lastEventId, event: JSON.parse(message.data) });
      source.onerror = () => tell({ broken: source.readyState });
    }
  },
  [address, kind],
);
