// Watches the Trading screen of a market that moves 200 times a second, with hundreds of open orders, for five seconds in
// Chromium; prints the times between frames, how often the book was drawn, and the time of the processor: npm run desk-frames
import { told, watched } from './frames.mjs';

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

await watched({ screen: 'trading', scenario: 'many', busy: true }, async (page) => {
  const devtools = await page.context().newCDPSession(page);
  await devtools.send('Performance.enable');
  const worked = async () => (await devtools.send('Performance.getMetrics')).metrics.find(({ name }) => name === 'TaskDuration').value;
  const before = await worked();
  const { frames, drawn } = await page.evaluate(watch, 5000);
  const share = (((await worked()) - before) / 5) * 100;
  console.log(`${told(frames)}, the book drawn ${drawn} times, the page busy ${share.toFixed(0)} % of the time`);
});
