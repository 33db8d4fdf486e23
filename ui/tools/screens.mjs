// Writes a picture of every screen: npm run screens -- FOLDER [full [NAME]], NAME being a part of the names of the views
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { SIZES, THEMES, findChromium, openScreen, resize, serveDist, viewName, viewsNamed, withBrowser } from './browser.mjs';

const [folder, full, named] = process.argv.slice(2);
if (!folder) {
  console.error('Name the folder for the pictures: npm run screens -- FOLDER');
  process.exit(2);
}
const chromium = findChromium();
if (!chromium) {
  console.error('No Chromium found. Install one, or name it in the variable CHROMIUM.');
  process.exit(1);
}
await mkdir(folder, { recursive: true });
const server = await serveDist();
try {
  await withBrowser(chromium, async (context) => {
    for (const view of viewsNamed(named)) {
      for (const theme of THEMES) {
        const page = await openScreen(context, server.origin, { ...view, theme });
        for (const size of SIZES) {
          await resize(page, size);
          if (full) await resize(page, { ...size, height: size.height + (await hiddenHeight(page)) });
          await page.screenshot({ path: join(folder, `${viewName(view)}-${size.width}-${theme}.png`) });
        }
        await page.close();
      }
    }
  });
} finally {
  server.close();
}

/** How much of the screen is below the edge of the window, in pixels. */
function hiddenHeight(page) {
  return page.evaluate(() => {
    const main = document.querySelector('main');
    return main ? main.scrollHeight - main.clientHeight : 0;
  });
}
