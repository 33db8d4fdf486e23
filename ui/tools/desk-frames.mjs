// Watches the Trading screen of a market that moves 200 times a second, with hundreds of open orders, for five seconds in
// Chromium; prints the times between frames, how often the book was drawn, and the time of the processor: npm run desk-frames
import { findChromium, openScreen, resize, serveDist, withBrowser } from './browser.mjs';

/** Resolves with the times between frames in milliseconds, sorted, and how often the book was drawn. */
function watch(millis) {
  return new Promise((done) => {
    let drawn = 0;
    new MutationObserver(() => (drawn += 1)).observe(document.querySelector('[data-testid=book]'), { subtree: true, childList: true, characterData: true });
    const frames = [];
    const start = performance.now();
    let last = start;
    function step(now) {
      frames.push(now - last);
      last = now;
      if (now - start < millis) requestAnimationFrame(step);
      else done({ frames: frames.slice(2).sort((one, other) => one - other), drawn });
    }
    requestAnimationFrame(step);
  });
}

const chromium = findChromium();
if (!chromium) {
  console.error('No Chromium found. Install one, or name it in the variable CHROMIUM.');
  process.exit(1);
}
const server = await serveDist();
try {
  await withBrowser(chromium, async (context) => {
    const page = await openScreen(context, server.origin, { screen: 'trading', scenario: 'many', theme: 'light', busy: true });
    await resize(page, { width: 1280, height: 800 });
    const devtools = await context.newCDPSession(page);
    await devtools.send('Performance.enable');
    const worked = async () => (await devtools.send('Performance.getMetrics')).metrics.find(({ name }) => name === 'TaskDuration').value;
    const before = await worked();
    const { frames, drawn } = await page.evaluate(watch, 5000);
    const share = ((await worked()) - before) / 5;
    const at = (part) => frames[Math.floor(frames.length * part)].toFixed(1);
    console.log(`${frames.length} frames, the book drawn ${drawn} times, median ${at(0.5)} ms, 95 % within ${at(0.95)} ms, the page busy ${(share * 100).toFixed(0)} % of the time`);
  });
} finally {
  server.close();
}
