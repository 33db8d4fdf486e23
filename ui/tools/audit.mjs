// The accessibility and layout audit: every screen, scenario, theme and width in a headless Chromium.
// With a word it audits the views whose name holds it: npm run audit -- trading
// Fails on serious and critical findings of axe, on sideways scrolling, and on errors of the page.
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { SIZES, THEMES, findChromium, openScreen, resize, serveDist, viewName, viewsNamed, withBrowser } from './browser.mjs';

const AXE = fileURLToPath(new URL('../node_modules/axe-core/axe.min.js', import.meta.url));

const chromium = findChromium();
if (!chromium) {
  console.log('skipped: no Chromium found in PATH or in the variable CHROMIUM');
  // A check that CI skips without a word is none.
  process.exit(process.env.CI ? 1 : 0);
}

const axe = await readFile(AXE, 'utf8');
const server = await serveDist();
const failures = [];
let audited = 0;
try {
  await withBrowser(chromium, async (context) => {
    for (const view of viewsNamed(process.argv[2])) {
      for (const theme of THEMES) {
        const name = `${viewName(view)}, ${theme}`;
        const faults = [];
        const page = await openScreen(context, server.origin, { ...view, theme }, faults);
        await page.evaluate(axe);
        for (const size of SIZES) {
          await resize(page, size);
          const found = [...(await sideways(page)), ...(await findings(page))];
          faults.push(...found.map((fault) => `${size.width} px: ${fault}`));
          audited += 1;
        }
        await page.close();
        failures.push(...faults.map((fault) => `${name}: ${fault}`));
      }
    }
  });
} finally {
  server.close();
}
for (const failure of failures) console.error(failure);
console.log(`${audited} views audited, ${failures.length} failures`);
process.exitCode = failures.length > 0 ? 1 : 0;

/** Elements that make the page scroll sideways. */
function sideways(page) {
  return page.evaluate(() => {
    const wide = [document.documentElement, document.querySelector('main')].filter((one) => one && one.scrollWidth > one.clientWidth);
    return wide.map((one) => `${one.tagName} scrolls sideways: ${one.scrollWidth} px in ${one.clientWidth} px`);
  });
}

/** Serious and critical findings of axe. */
function findings(page) {
  return page.evaluate(async () => {
    const options = { resultTypes: ['violations'], rules: { 'target-size': { enabled: true } } };
    const { violations } = await globalThis.axe.run(document, options);
    return violations
      .filter((violation) => violation.impact === 'serious' || violation.impact === 'critical')
      .map((violation) => `${violation.id} (${violation.impact}): ${violation.nodes.map((node) => node.target.join(' ')).slice(0, 3).join(' | ')}`);
  });
}
