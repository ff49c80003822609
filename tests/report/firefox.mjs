// Opens a report in Firefox, does what a person does, and prints what it saw as JSON.
// Usage: node firefox.mjs PUPPETEER FIREFOX REPORT CATEGORY MODEL OTHER
import { pathToFileURL } from "node:url";

const [puppeteer, executablePath, report, category, model, other] = process.argv.slice(2);
const { default: driver } = await import(pathToFileURL(puppeteer).href);
const browser = await driver.launch({ browser: "firefox", executablePath, headless: true });
const seen = { complaints: [] };
try {
  const page = await browser.newPage();
  page.on("console", (message) => seen.complaints.push(message.text()));
  page.on("pageerror", (error) => seen.complaints.push(String(error)));
  await page.setViewport({ width: 1400, height: 1000 });
  await page.goto(pathToFileURL(report).href);
  const shown = () => page.$eval("#images-count", (node) => Number.parseInt(node.textContent.replaceAll(",", ""), 10));
  const open = () => page.$eval("#large", (node) => node.open);
  seen.all = await shown();
  await page.select("[data-key=category]", category);
  seen.category = await shown();
  await page.select("[data-key=category]", "");
  await page.select("[data-key=model]", model);
  await page.select("[data-key=against]", other);
  seen.four = await page.$$eval("#images-beside [data-outcome] strong", (nodes) => nodes.map((node) => Number(node.textContent)));
  seen.address = await page.evaluate(() => location.hash);
  await page.$eval(".card", (node) => node.click());
  seen.opened = await open();
  await page.goBack();
  await page.waitForFunction(() => !document.querySelector("#large").open);
  seen.closed = !(await open());
  await page.$$eval("details", (nodes) => nodes.forEach((node) => { node.open = true; }));
  for (const chart of await page.$$("[data-chart]")) {
    await chart.evaluate((node) => node.scrollIntoView({ block: "center" }));
    await page.waitForFunction((node) => node.querySelector("svg") !== null, {}, chart);
  }
  seen.charts = await page.$$eval("[data-chart]", (nodes) => nodes.length);
  seen.tables = await page.$$eval("details.table", (nodes) => nodes.every((node) => node.querySelector("tbody td")));
  seen.wider = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
} finally {
  await browser.close();
}
console.log(JSON.stringify(seen));
