// Opens pages in a real browser, Chromium without a window, and says what is seen there: one JSON object a page and width.
//
// The browser is spoken to over a pipe (the DevTools protocol), so that it listens nowhere; it finds no host, and what it asks
// for all the same is listed. Of each page a picture is taken, and a PDF as a printer would get it.
//
// Arguments: the program, a folder for profile, pictures and PDFs, the widths with commas between them (`print` is a sheet of
// A4 without its margins), the pages.
import { spawn } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { pathToFileURL } from "node:url";
import { inflateSync } from "node:zlib";

const [program, folder, widths, ...pages] = process.argv.slice(2);
const browser = spawn(
  program,
  [
    "--remote-debugging-pipe", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars",
    "--disable-background-networking", "--host-resolver-rules=MAP * ~NOTFOUND", `--user-data-dir=${join(folder, "profile")}`,
  ],
  { stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"] },
);
browser.on("exit", (code) => process.exit(code ?? 1));

setTimeout(() => {
  console.error("the browser did not show every page in time");
  browser.kill();
}, 100_000).unref();

const waiting = new Map();
const heard = [];
let [number, rest] = [0, ""];
browser.stdio[4].setEncoding("utf8").on("data", (part) => {
  const said = (rest + part).split("\0");
  rest = said.pop();
  for (const text of said) {
    const message = JSON.parse(text);
    if (message.id) {
      const { method, resolve, reject } = waiting.get(message.id);
      waiting.delete(message.id);
      if (message.error) reject(new Error(`${method}: ${message.error.message}`));
      else resolve(message.result);
    } else {
      heard.forEach((hears) => hears(message));
    }
  }
});

function ask(method, params = {}, sessionId = undefined) {
  number += 1;
  const id = number;
  browser.stdio[3].write(`${JSON.stringify({ id, method, params, sessionId })}\0`);
  return new Promise((resolve, reject) => waiting.set(id, { method, resolve, reject }));
}

/** What a person would see, found out inside the page. */
function look() {
  const colour = (text) => (text.match(/[\d.]+/g) ?? []).map(Number);
  const luminance = (rgb) => {
    const [r, g, b] = rgb.slice(0, 3).map((c) => (c / 255 <= 0.03928 ? c / 255 / 12.92 : ((c / 255 + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (element) => {
    for (let it = element; it; it = it.parentElement) {
      const back = colour(getComputedStyle(it).backgroundColor);
      if (back.length === 3 || back[3] > 0) return back;
    }
    return [255, 255, 255];
  };
  // On a narrow screen the heads of the columns are there only for who listens.
  const heard = (element) => element.closest("thead")?.getBoundingClientRect().height <= 1;
  const shown = (element) => element.checkVisibility() && element.textContent.trim() !== "" && !heard(element);
  const named = (element) => `${element.localName} ${element.textContent.trim().slice(0, 40)}`;
  let faintest = { ratio: 21, where: "" };
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const parent = walker.currentNode.parentElement;
    if (!shown(parent) || !walker.currentNode.data.trim() || parent.localName === "title") continue;
    const style = getComputedStyle(parent);
    const ink = luminance(colour(parent.ownerSVGElement ? style.fill : style.color));
    const paper = luminance(behind(parent));
    const ratio = (Math.max(ink, paper) + 0.05) / (Math.min(ink, paper) + 0.05);
    if (ratio < faintest.ratio) faintest = { ratio, where: named(parent) };
  }
  const scrolls = (element) => element.closest("figure");
  const wide = [...document.querySelectorAll("body *")].filter((element) => {
    const box = element.getBoundingClientRect();
    return !scrolls(element) && shown(element) && (box.right > innerWidth + 1 || box.left < -1);
  });
  const spilling = [...document.querySelectorAll("td, th, p, li, h1, h2, h3")].filter(
    (element) => shown(element) && element.scrollWidth > element.clientWidth + 1,
  );
  const drawings = [...document.querySelectorAll("svg")].map((svg) => {
    const outer = svg.getBoundingClientRect();
    const texts = [...svg.querySelectorAll("text")];
    const boxes = texts.map((text) => text.getBoundingClientRect());
    const apart = (a, b) => a.right <= b.left || b.right <= a.left || a.bottom <= b.top + 2 || b.bottom <= a.top + 2;
    const collide = [];
    boxes.forEach((box, i) => {
      boxes.forEach((other, j) => {
        if (i < j && !apart(box, other)) collide.push(`${texts[i].textContent} / ${texts[j].textContent}`);
      });
      if (box.left < outer.left - 1 || box.right > outer.right + 1) collide.push(`${texts[i].textContent} / edge`);
    });
    const bars = [...svg.querySelectorAll("rect:not(.water)")].filter((bar) => bar.getBoundingClientRect().width >= 1);
    return {
      label: svg.getAttribute("aria-label"), width: outer.width, height: outer.height, bars: bars.length, collide,
      letters: Math.min(...boxes.map((box) => box.height)),
    };
  });
  return {
    language: document.documentElement.lang,
    title: document.title,
    text: document.body.innerText,
    headings: [...document.querySelectorAll("h1, h2, h3")].map((it) => Number(it.localName[1])),
    unnamed: [...document.querySelectorAll("th:not([scope]), svg:not([aria-label])")].length,
    links: [...document.links].map((link) => link.href),
    scripts: document.scripts.length,
    wide: wide.slice(0, 5).map(named),
    spilling: spilling.map(named),
    scrollWidth: document.documentElement.scrollWidth,
    faintest,
    drawings,
  };
}

/** Distinct colours of a picture, and how much of it the commonest one takes. */
function picture(png) {
  const [width, height, depth, type, interlaced] = [png.readUInt32BE(16), png.readUInt32BE(20), png[24], png[25], png[28]];
  if (depth !== 8 || ![2, 6].includes(type) || interlaced) throw new Error(`a picture of another kind: ${depth} ${type}`);
  const parts = [];
  for (let at = 8; at < png.length; at += 12 + png.readUInt32BE(at)) {
    if (png.toString("latin1", at + 4, at + 8) === "IDAT") parts.push(png.subarray(at + 8, at + 8 + png.readUInt32BE(at)));
  }
  const raw = inflateSync(Buffer.concat(parts));
  const step = type === 6 ? 4 : 3;
  const line = width * step;
  let above = Buffer.alloc(line);
  const counts = new Map();
  for (let y = 0; y < height; y += 1) {
    const filter = raw[y * (line + 1)];
    const row = raw.subarray(y * (line + 1) + 1, (y + 1) * (line + 1));
    for (let x = 0; x < line; x += 1) {
      const [left, up, corner] = [x < step ? 0 : row[x - step], above[x], x < step ? 0 : above[x - step]];
      const [p, q, r] = [Math.abs(up - corner), Math.abs(left - corner), Math.abs(left + up - 2 * corner)];
      const paeth = p <= q && p <= r ? left : q <= r ? up : corner;
      row[x] += [0, left, up, (left + up) >> 1, paeth][filter];
    }
    for (let x = 0; x < line; x += step) {
      const key = (row[x] << 16) | (row[x + 1] << 8) | row[x + 2];
      counts.set(key, (counts.get(key) ?? 0) + 1);
    }
    above = row;
  }
  return { width, height, colours: counts.size, commonest: Math.max(...counts.values()) / (width * height) };
}

async function visit(page, asked) {
  const width = asked === "print" ? 687 : Number(asked);
  const { targetId } = await ask("Target.createTarget", { url: "about:blank" });
  const { sessionId } = await ask("Target.attachToTarget", { targetId, flatten: true });
  const say = (method, params) => ask(method, params, sessionId);
  const url = pathToFileURL(page).href;
  const [requests, complaints] = [[], []];
  let loaded;
  const whole = new Promise((resolve) => { loaded = resolve; });
  const hear = ({ method, params, sessionId: from }) => {
    if (from !== sessionId) return;
    if (method === "Network.requestWillBeSent" && params.request.url !== url) requests.push(params.request.url);
    if (method === "Log.entryAdded") complaints.push(params.entry.text);
    if (method === "Runtime.consoleAPICalled") complaints.push(params.args.map((it) => it.value).join(" "));
    if (method === "Runtime.exceptionThrown") complaints.push(params.exceptionDetails.text);
    if (method === "Page.loadEventFired") loaded();
  };
  heard.push(hear);
  for (const part of ["Page", "Network", "Log", "Runtime"]) await say(`${part}.enable`);
  await say("Emulation.setDeviceMetricsOverride", { width, height: 800, deviceScaleFactor: 1, mobile: false });
  await say("Emulation.setEmulatedMedia", { media: asked === "print" ? "print" : "screen" });
  await say("Page.navigate", { url });
  await whole;
  const { result, exceptionDetails } = await say("Runtime.evaluate", { expression: `(${look})()`, returnByValue: true });
  if (exceptionDetails) throw new Error(exceptionDetails.exception.description);
  const { cssContentSize: size } = await say("Page.getLayoutMetrics");
  const clip = { x: 0, y: 0, width, height: Math.ceil(size.height), scale: 1 };
  const shot = await say("Page.captureScreenshot", { captureBeyondViewport: true, clip });
  const { data } = await say("Page.printToPDF", { printBackground: true, preferCSSPageSize: true });
  const [png, pdf] = [Buffer.from(shot.data, "base64"), Buffer.from(data, "base64")];
  const name = join(folder, `${basename(page, ".html")}-${asked}`);
  writeFileSync(`${name}.png`, png);
  writeFileSync(`${name}.pdf`, pdf);
  const sheets = (pdf.toString("latin1").match(/\/Type\s*\/Page\b/g) ?? []).length;
  heard.splice(heard.indexOf(hear), 1);
  await ask("Target.closeTarget", { targetId });
  return { page: basename(page), as: asked, viewport: width, requests, complaints, ...result.value, picture: picture(png), sheets };
}

for (const page of pages) {
  readFileSync(page);
  for (const width of widths.split(",")) console.log(JSON.stringify(await visit(page, width)));
}
await ask("Browser.close");
