// Takes a picture of each page, for the documentation: as high as its contents, or as high as is said.
//
// node picture.mjs CHROMIUM FOLDER (PAGE WIDTH HEIGHT)…      a height of 0: that of the contents

import path from 'node:path';
import { pathToFileURL } from 'node:url';
import puppeteer from 'puppeteer-core';

const [chromium, folder, ...rest] = process.argv.slice(2);
if (rest.length === 0 || rest.length % 3 !== 0) {
  console.error('use: node picture.mjs CHROMIUM FOLDER (PAGE WIDTH HEIGHT)…');
  process.exit(2);
}
// Root has no sandbox of Chromium; the pages are our own files.
const browser = await puppeteer.launch({ executablePath: chromium, args: ['--no-sandbox', '--disable-gpu'] });
try {
  for (let index = 0; index < rest.length; index += 3) {
    const [file, width, height] = [rest[index], Number(rest[index + 1]), Number(rest[index + 2])];
    const page = await browser.newPage();
    await page.setViewport({ width, height: height || 200, deviceScaleFactor: 1.5 });
    await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: 'light' }]);
    await page.goto(pathToFileURL(path.resolve(file)).href, { waitUntil: 'load' });
    const name = `${path.basename(file, '.html')}.webp`;
    await page.screenshot({ path: path.join(folder, name), type: 'webp', quality: 80, fullPage: height === 0 });
    await page.close();
    console.log(name);
  }
} finally {
  await browser.close();
}
