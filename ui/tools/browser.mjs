// Serves ui/dist on loopback under the content security policy of the desktop program, and starts a headless Chromium.
// Knows no screen; audit.mjs and screens.mjs do.
import { accessSync, constants, existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { delimiter, extname, join, normalize } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

const DIST = fileURLToPath(new URL('../dist/', import.meta.url));

const POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'";

const TYPES = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.css': 'text/css', '.svg': 'image/svg+xml' };

const FLAGS = ['--no-sandbox', '--disable-gpu', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'];

/** The path of a Chromium: the variable CHROMIUM, or the first one in PATH; `null` without either. */
export function findChromium() {
  if (process.env.CHROMIUM) return process.env.CHROMIUM;
  const names = ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable'];
  const folders = (process.env.PATH ?? '').split(delimiter).filter(Boolean);
  return folders.flatMap((folder) => names.map((name) => join(folder, name))).find(executable) ?? null;
}

function executable(path) {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Serves the built panel; `{ origin, close }`. */
export async function serveDist() {
  if (!existsSync(join(DIST, 'index.html'))) throw new Error('ui/dist is missing; run `npm run build` first');
  const server = createServer(async (request, response) => {
    if (request.url === '/favicon.ico') {
      response.writeHead(204).end();
      return;
    }
    const path = normalize(new URL(request.url ?? '/', 'http://localhost').pathname).replace(/\/$/, '/index.html');
    try {
      const body = await readFile(join(DIST, path));
      response.writeHead(200, { 'content-type': TYPES[extname(path)] ?? 'application/octet-stream', 'content-security-policy': POLICY });
      response.end(body);
    } catch {
      response.writeHead(404).end();
    }
  });
  await new Promise((listening) => server.listen(0, '127.0.0.1', listening));
  return { origin: `http://127.0.0.1:${server.address().port}`, close: () => server.close() };
}

/** Runs `work` with a browser context, and closes and removes everything after it. */
export async function withBrowser(executablePath, work) {
  const profile = await mkdtemp(join(tmpdir(), 'cwts-ultra-chromium-'));
  const context = await chromium.launchPersistentContext(profile, { executablePath, headless: true, chromiumSandbox: false, args: FLAGS, reducedMotion: 'reduce' });
  try {
    return await work(context);
  } finally {
    await context.close();
    await rm(profile, { recursive: true, force: true });
  }
}

/** Opens a screen. Errors of the page and violations of the policy are added to `faults`. */
export async function openScreen(context, origin, { screen, scenario, theme, act, busy = false }, faults = []) {
  const page = await context.newPage();
  page.on('pageerror', (error) => faults.push(`error: ${error.message}`));
  page.on('console', (message) => {
    if (message.type() === 'error') faults.push(`console: ${message.text()}`);
  });
  await page.goto(`${origin}/?host=fake&scenario=${scenario}&theme=${theme}&${busy ? 'busy' : 'still'}#/${screen}`);
  await page.waitForSelector('h1');
  // The answers of the fake host come at once; skeletons show themselves after 200 ms.
  await page.waitForTimeout(250);
  await act?.(page);
  return page;
}

/** Gives the window a size, and waits until a frame of it was painted. */
export async function resize(page, { width, height }) {
  await page.setViewportSize({ width, height });
  await page.evaluate(() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done))));
}

/** Copies a text and then moves the port that is in it. */
async function stale(page) {
  await page.getByTestId('client-typescript').click();
  await page.getByTestId('reveal').click();
  await page.goto(page.url().replace('#/clients', '#/ports'));
  await page.getByTestId('port-mcp-websocket').fill('5010');
  await page.keyboard.press('Control+s');
  await page.goto(page.url().replace('#/ports', '#/clients'));
  await page.getByTestId('stale').waitFor();
}

/** Every screen in every scenario that changes it. */
const VIEWS = [
  ...['running', 'stopped', 'conflict', 'damaged', 'exposed', 'away', 'elsewhere', 'empty', 'closing', 'error', 'loading'].map((scenario) => ({ screen: 'overview', scenario })),
  { screen: 'overview', scenario: 'several', step: 'switching', act: (page) => page.keyboard.press('Control+i') },
  ...['running', 'stopped', 'conflict', 'damaged', 'exposed', 'elsewhere', 'empty', 'many', 'error', 'loading'].map((scenario) => ({ screen: 'ports', scenario })),
  { screen: 'ports', scenario: 'running', step: 'changed', act: change },
  { screen: 'ports', scenario: 'running', step: 'asking', act: (page) => change(page).then(() => page.keyboard.press('Escape')) },
  { screen: 'ports', scenario: 'running', step: 'applied', act: (page) => page.getByTestId('port-health').fill('8180').then(() => page.keyboard.press('Control+s')) },
  { screen: 'ports', scenario: 'running', step: 'nothing-found', act: (page) => page.getByTestId('filter').fill('no such port') },
  { screen: 'overview', scenario: 'refused' },
  ...['running', 'exposed', 'refused', 'away', 'error', 'loading'].map((scenario) => ({ screen: 'security', scenario })),
  { screen: 'security', scenario: 'running', step: 'asking', act: (page) => page.getByTestId('mcp-one').click().then(() => page.keyboard.press('Control+s')) },
  { screen: 'security', scenario: 'exposed', step: 'arming', act: (page) => page.getByTestId('arm').click() },
  { screen: 'security', scenario: 'exposed', step: 'revealed', act: (page) => page.getByTestId('reveal').click() },
  { screen: 'security', scenario: 'running', step: 'mismatch', act: importMismatch },
  { screen: 'security', scenario: 'running', step: 'open', act: (page) => page.getByTestId('auth').click().then(() => page.getByTestId('dialog-act').filter({ visible: true }).click()) },
  ...['running', 'exposed', 'error', 'loading'].map((scenario) => ({ screen: 'firewall', scenario })),
  { screen: 'firewall', scenario: 'exposed', step: 'asking', act: (page) => page.getByTestId('apply-firewall').click() },
  { screen: 'firewall', scenario: 'exposed', step: 'verified', act: verify },
  { screen: 'firewall', scenario: 'exposed', step: 'refused', act: (page) => page.getByTestId('source-draft').fill('10.0.0').then(() => page.keyboard.press('Enter')) },
  ...['running', 'error', 'loading'].map((scenario) => ({ screen: 'test', scenario })),
  ...['running', 'stopped', 'conflict', 'exposed'].map((scenario) => ({ screen: 'test', scenario, step: 'tested', act: test })),
  { screen: 'test', scenario: 'running', step: 'dropped', act: (page) => testAt(page, '192.168.1.99') },
  { screen: 'test', scenario: 'running', step: 'untrusted', act: (page) => testAt(page, '192.168.1.98') },
  { screen: 'test', scenario: 'running', step: 'rungs', act: (page) => test(page).then(() => page.getByTestId('rung-timeouts').locator('summary').click()) },
  { screen: 'test', scenario: 'running', step: 'history', act: (page) => test(page).then(() => page.getByTestId('test-history').locator('summary').click()) },
  { screen: 'test', scenario: 'running', step: 'no-host', act: (page) => testAt(page, 'http://studio.lan') },
  { screen: 'test', scenario: 'loading', step: 'testing', act: (page) => page.getByTestId('run-all').click({ timeout: 1000 }).catch(() => {}) },
  ...['running', 'empty', 'halted', 'fault', 'replay', 'exposed', 'many', 'stopped', 'elsewhere', 'error', 'loading'].map((scenario) => ({ screen: 'trading', scenario })),
  { screen: 'trading', scenario: 'running', step: 'filled', act: fillTicket },
  { screen: 'trading', scenario: 'running', step: 'refused', act: (page) => fillTicket(page, '9999.00001', '1') },
  { screen: 'trading', scenario: 'running', step: 'asking', act: (page) => fillTicket(page, '1', '64180').then(() => page.keyboard.press('Control+Enter')) },
  { screen: 'trading', scenario: 'running', step: 'changing', act: (page) => page.getByTestId('change-43').click() },
  { screen: 'trading', scenario: 'running', step: 'said', act: (page) => page.getByTestId('cancel-39').click().then(() => page.getByTestId('toast').waitFor()) },
  { screen: 'trading', scenario: 'running', step: 'limits', act: (page) => page.getByTestId('tab-limits').click().then(() => page.getByTestId('limit-leverage').fill('101')) },
  { screen: 'trading', scenario: 'replay', step: 'source', act: (page) => page.getByTestId('tab-market').click() },
  { screen: 'trading', scenario: 'running', step: 'source', act: (page) => page.getByTestId('tab-market').click() },
  { screen: 'trading', scenario: 'running', step: 'looked', act: (page) => page.getByTestId('tab-market').click().then(() => page.getByTestId('choose-file').click()).then(() => page.getByTestId('file-facts').waitFor()) },
  ...['running', 'empty'].map((scenario) => ({ screen: 'trading', scenario, step: 'risk', act: (page) => page.getByTestId('tab-risk').click().then(() => page.getByTestId('risk').waitFor()) })),
  { screen: 'trading', scenario: 'running', step: 'positions', act: (page) => page.getByTestId('tab-positions').click() },
  { screen: 'trading', scenario: 'running', step: 'fills', act: (page) => page.getByTestId('tab-fills').click() },
  { screen: 'trading', scenario: 'running', step: 'history', act: (page) => page.getByTestId('tab-history').click() },
  { screen: 'overview', scenario: 'halted' },
  ...['running', 'several', 'conflict', 'damaged', 'elsewhere', 'error', 'loading'].map((scenario) => ({ screen: 'instances', scenario })),
  { screen: 'instances', scenario: 'several', step: 'creating', act: createInstance },
  { screen: 'instances', scenario: 'several', step: 'cloning', act: (page) => page.getByTestId('clone').click() },
  { screen: 'instances', scenario: 'several', step: 'removing', act: removeInstance },
  { screen: 'instances', scenario: 'several', step: 'ending', act: endElsewhere },
  ...['running', 'many', 'empty', 'elsewhere', 'error', 'loading'].map((scenario) => ({ screen: 'logs', scenario })),
  { screen: 'logs', scenario: 'running', step: 'nothing-found', act: (page) => page.getByTestId('log-filter').fill('/(/') },
  { screen: 'logs', scenario: 'many', step: 'paused', act: (page) => page.getByTestId('log').evaluate((log) => (log.scrollTop = 400)) },
  ...['running', 'empty', 'error', 'loading'].map((scenario) => ({ screen: 'logs', scenario, step: 'audit', act: (page) => page.getByTestId('view-audit').click({ timeout: 1000 }).catch(() => {}) })),
  ...['running', 'exposed', 'stopped', 'empty', 'elsewhere', 'error', 'loading'].map((scenario) => ({ screen: 'clients', scenario })),
  { screen: 'clients', scenario: 'exposed', step: 'code', act: (page) => page.getByTestId('client-python').click().then(() => page.getByTestId('address-code').waitFor()) },
  { screen: 'clients', scenario: 'running', step: 'stale', act: stale },
  { screen: 'clients', scenario: 'running', step: 'tried', act: (page) => page.getByTestId('client-curl').click().then(() => page.getByTestId('try').click()) },
  { screen: 'clients', scenario: 'running', step: 'asking', act: (page) => page.getByTestId('disconnect-all').click() },
  { screen: 'overview', scenario: 'elsewhere', step: 'attached', act: (page) => page.getByTestId('attach').click() },
  { screen: 'ports', scenario: 'conflict', step: 'ways', act: (page) => page.getByTestId('ways-mcp-websocket').click() },
  { screen: 'ports', scenario: 'running', step: 'sorted', act: (page) => page.getByRole('button', { name: 'Process' }).click() },
  { screen: 'overview', scenario: 'conflict', step: 'ending', act: (page) => page.getByRole('button', { name: 'End node' }).click() },
  { screen: 'components', scenario: 'running' },
];

/** A pasted key that is of another certificate. */
async function importMismatch(page) {
  await page.getByTestId('import').click();
  await page.getByTestId('import-paste').click();
  await page.getByTestId('import-certificate').fill('-----BEGIN CERTIFICATE-----');
  await page.getByTestId('import-key').fill('-----BEGIN PRIVATE KEY----- other');
  await page.getByTestId('dialog-act').filter({ visible: true }).click();
  await page.getByTestId('dialog-refusal').waitFor();
}

/** A bracket, as it is filled in before it is sent. */
async function fillTicket(page, quantity = '0.05', price = '64180') {
  await page.getByTestId('bracket').check();
  await page.getByTestId('quantity').fill(quantity);
  await page.getByTestId('price').fill(price);
  await page.getByTestId('take-profit').fill('65000');
  await page.getByTestId('stop-loss').fill('63500');
  await page.waitForTimeout(400);
}

/** All services tested. */
async function test(page) {
  await page.getByTestId('run-all').click();
  await page.getByTestId('test-history').waitFor();
}

/** All services tested at another host. */
async function testAt(page, host) {
  await page.getByTestId('place-other').click();
  await page.getByTestId('other-host').fill(host);
  await page.keyboard.press('Enter');
  await page.getByText('Nothing was tested yet').waitFor({ state: 'detached' });
}

/** Rules that were applied and found in place. */
async function verify(page) {
  await page.getByTestId('apply-firewall').click();
  await page.getByTestId('dialog-act').filter({ visible: true }).click();
  await page.getByTestId('take-back').waitFor();
  await page.getByTestId('verify').click();
  await page.getByText('In place').first().waitFor();
}

/** A form with a good, a warned and a refused change, and a value that would be shadowed. */
async function change(page) {
  await page.getByTestId('port-mcp-websocket').fill('5010');
  await page.getByTestId('port-mcp-http').fill('80');
  await page.getByTestId('port-health').fill('10080');
  await page.getByTestId('port-health').blur();
  await page.getByTestId('hint-health').filter({ hasText: 'browsers' }).waitFor();
}

/** A new instance with a port of another one among those chosen by hand. */
async function createInstance(page) {
  await page.keyboard.press('Control+n');
  await page.getByTestId('new-id').fill('agents-2');
  await page.getByTestId('set-own').check();
  await page.getByTestId('own-mcp-websocket').fill('5010');
  await page.getByTestId('own-hint-mcp-websocket').filter({ hasText: 'desk' }).waitFor();
}

async function removeInstance(page) {
  await page.getByTestId('select-lab').click();
  await page.getByTestId('remove').click();
}

/** The question before another process is asked to end. */
async function endElsewhere(page) {
  await page.getByTestId('attach-headless').click();
  await page.getByTestId('end-headless').click();
}

/** The views whose name holds the text: `trading`, `ports-running`. All without a text. */
export const viewsNamed = (text = '') => VIEWS.filter((view) => viewName(view).includes(text));

/** `ports-running` or `ports-running-changed`. */
export function viewName({ screen, scenario, step }) {
  return [screen, scenario, step].filter(Boolean).join('-');
}

export const THEMES = ['light', 'dark'];

export const SIZES = [
  { width: 1280, height: 800 },
  { width: 900, height: 700 },
  { width: 600, height: 700 },
  { width: 480, height: 480 },
];
