// Opens pages in Chromium and says what is wrong with them: errors in the console, requests to anywhere, findings of axe-core,
// contents wider than the window, a keyboard that reaches nothing. Takes pictures of each, and prints it to PDF.
//
// node check.mjs CHROMIUM FOLDER PAGE…

import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import puppeteer from 'puppeteer-core';

const WIDTHS = [1600, 400];
const SCHEMES = ['light', 'dark'];
/** Presses of the Tab key after which the content must have the focus. */
const MOST_TABS = 200;

const [chromium, folder, ...pages] = process.argv.slice(2);
if (pages.length === 0) {
  console.error('use: node check.mjs CHROMIUM FOLDER PAGE…');
  process.exit(2);
}
const axe = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
// Root has no sandbox of Chromium; the pages are our own files.
const browser = await puppeteer.launch({ executablePath: chromium, args: ['--no-sandbox', '--disable-gpu'] });
const problems = [];
let checks = 0;
try {
  for (const file of pages) {
    for (const width of WIDTHS) {
      for (const scheme of SCHEMES) {
        await check(file, width, scheme);
      }
    }
    await print(file);
  }
} finally {
  await browser.close();
}
for (const problem of problems) {
  console.log(problem);
}
console.log(`${pages.length} pages, ${checks} views, ${problems.length} problems`);
process.exit(problems.length > 0 ? 1 : 0);

async function opened(file, told) {
  const page = await browser.newPage();
  const own = pathToFileURL(path.resolve(file)).href;
  page.on('console', (message) => told(`console: ${message.type()}: ${message.text()}`));
  page.on('pageerror', (error) => told(`error: ${error.message}`));
  page.on('request', (request) => {
    if (request.url() !== own && !request.url().startsWith('data:')) {
      told(`request: ${request.url()}`);
    }
  });
  return { page, own };
}

async function check(file, width, scheme) {
  const name = `${path.basename(file, '.html')}-${width}-${scheme}`;
  const told = (problem) => problems.push(`${name}: ${problem}`);
  const { page, own } = await opened(file, told);
  await page.setViewport({ width, height: 1000 });
  await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: scheme }]);
  await page.goto(own, { waitUntil: 'load' });
  await page.screenshot({ path: path.join(folder, `${name}.png`), fullPage: true });
  await wideContents(page, told);
  await keyboard(page, told);
  await page.evaluate(() => document.querySelectorAll('details').forEach((one) => (one.open = true)));
  await wideContents(page, told);
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => window.axe.run(document, { resultTypes: ['violations'] }));
  for (const { id, impact, help, nodes } of violations) {
    told(`axe: ${impact}: ${id}: ${help} (${nodes.length}): ${nodes[0].html.slice(0, 200)}`);
  }
  checks += 1;
  await page.close();
}

async function wideContents(page, told) {
  const [wide, window] = await page.evaluate(() => [document.documentElement.scrollWidth, document.documentElement.clientWidth]);
  if (wide > window) {
    told(`the contents are ${wide} wide in a window of ${window}`);
  }
}

/** The first press of Tab reaches the link past the contents, which leads to the main part, and Tab alone reaches it too. */
async function keyboard(page, told) {
  await page.keyboard.press('Tab');
  const first = await page.evaluate(() => document.activeElement.getAttribute('href'));
  if (first !== '#main') {
    told(`the first press of Tab reaches ${first}`);
  }
  for (let press = 0; press < MOST_TABS; press += 1) {
    await page.keyboard.press('Tab');
    const [inside, visible] = await page.evaluate(() => {
      const focused = document.activeElement;
      return [focused.closest('main') !== null, getComputedStyle(focused).outlineStyle !== 'none'];
    });
    if (!visible) {
      told('an element with the focus is not marked');
      return;
    }
    if (inside) {
      return;
    }
  }
  told(`${MOST_TABS} presses of Tab do not reach the content`);
}

async function print(file) {
  const name = path.basename(file, '.html');
  const { page, own } = await opened(file, (problem) => problems.push(`${name}-print: ${problem}`));
  await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: 'dark' }]);
  await page.goto(own, { waitUntil: 'load' });
  await page.pdf({ path: path.join(folder, `${name}.pdf`), format: 'A4', printBackground: true, margin: { top: '12mm', bottom: '12mm', left: '12mm', right: '12mm' } });
  await page.close();
}
