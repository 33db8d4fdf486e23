/** The connection test of an instance in memory: a ladder for each state that it can be in. */
import type { Diagnosis, Rung, Service, ServiceSnapshot, ServiceTest, Snapshot, TestChoice, TestProgress, TestStep } from '../wire/types';
import { problem } from './fake-instance';
import { trustSteps } from './fake-security';

const STOPPED: Diagnosis = {
  code: 'tcp.refused_stopped',
  title: 'The services are stopped',
  cause: 'The instance does not run, so nobody listens on its ports.',
  evidence: 'tcp: Connection refused (os error 111)\ninstance default does not run',
  fix: 'Start the services: cwts-ultra run.',
  action: 'start_services',
};

const FOREIGN: Diagnosis = {
  code: 'handshake.foreign_program',
  title: 'Another program answers on this port',
  cause: 'The port is held by a program that is no CWTS instance.',
  evidence: 'handshake: 404 Not Found\n127.0.0.1:3000 is held by node, pid 48213, user ada',
  fix: 'Move the service to a free port (cwts-ultra check-ports --save), or end the other program (cwts-ultra ports free PORT).',
  action: 'use_free_port',
};

const DROPPED: Diagnosis = {
  code: 'tcp.dropped',
  title: 'No answer: a firewall drops the connection, or the computer is off',
  cause: 'Nothing came back, neither a connection nor a refusal.',
  evidence: 'tcp: no answer within 5 s\nfirewall of this computer: ufw (ENABLED=yes in /etc/ufw/ufw.conf, denies what no rule names)',
  fix: 'Check that the computer is on, and let the clients in: cwts-ultra firewall shows the rule.',
  action: 'show_firewall_rules',
};

const UNTRUSTED: Diagnosis = {
  code: 'tls.untrusted',
  title: 'The certificate is not trusted',
  cause: 'Nobody whom this client trusts vouches for the certificate.',
  evidence: 'tls: invalid peer certificate: UnknownIssuer\nissued by CWTS Ultra default 9c417e02',
  fix: "Fetch the authority's file, which cwts-ultra tls show names where the service runs, as ca.pem, and trust it.",
  action: 'trust_authority',
};

const SELF: Diagnosis = {
  code: 'tcp.self_test',
  title: 'This test says nothing about the firewall',
  cause: 'It went from this computer to its own address, which never leaves it: firewalls let that through while they block others.',
  evidence: 'every rung to 192.168.1.20:3000 holds',
  fix: 'Run cwts-ultra test --host ADDRESS on another computer of the network.',
  action: 'by_hand',
};

const step = (name: Rung, millis: number, detail: string, ok = true): TestStep => ({ name, ok, millis, detail });

/** The rungs of a service that is well. */
function passing(service: Service, host: string, port: number): TestStep[] {
  const below = [step('resolve', 0.1, `${host} is an address`), step('tcp', 0.3, `connected to ${host}:${port}`)];
  switch (service) {
    case 'mcp-websocket':
      return [...below, step('handshake', 0.9, 'HTTP/1.1 401, asks for a token'), step('auth', 0.4, 'token taken, 101 Switching Protocols, subprotocol mcp'), step('protocol', 4.2, 'MCP 2025-06-18, cwts-ultra 0.1.0; server_info answered')];
    case 'mcp-http':
      return [...below, step('handshake', 0.8, 'HTTP/1.1 401, asks for a token'), step('auth', 0.3, 'token taken, 200 OK'), step('protocol', 5.1, 'status of default, version 0.1.0; MCP 2025-06-18, cwts-ultra 0.1.0; server_info answered')];
    case 'prometheus':
      return [...below, step('handshake', 2.6, '200 OK'), step('protocol', 0.1, '138 series of default')];
    case 'health':
      return [...below, step('handshake', 0.6, '200 OK'), step('protocol', 0.1, 'default says pass; the nonce is ours')];
  }
}

function tested(entry: ServiceSnapshot, snapshot: Snapshot, wanted: string | null): ServiceTest {
  const host = wanted ?? '127.0.0.1';
  const port = entry.port.value;
  const [resolve, tcp, ...above] = passing(entry.service, host, port);
  const of = (rungs: TestStep[], diagnosis: Diagnosis | null): ServiceTest => {
    const ok = rungs.every((rung) => rung.ok);
    const millis = rungs.reduce((sum, rung) => sum + rung.millis, 0);
    const time = ok ? millis : null;
    const repetitions = { count: 1, lost: ok ? 0 : 1, min: time, p50: time, p99: time };
    return { service: entry.service, target: entry.url.replace('127.0.0.1', host), ok, rungs, millis, repetitions, diagnosis, trust: diagnosis === UNTRUSTED ? trustSteps('ca.pem', snapshot.instance) : [] };
  };
  const low = resolve ? [resolve] : [];
  if (wanted === '192.168.1.99') return of([...low, step('tcp', 5000, 'no answer within 5 s', false)], DROPPED);
  if (wanted === '192.168.1.98') return of([...low, ...(tcp ? [tcp] : []), step('tls', 3.1, 'invalid peer certificate: UnknownIssuer', false)], UNTRUSTED);
  if (entry.state === 'blocked') return of([...low, ...(tcp ? [tcp] : []), step('handshake', 1.2, '404 Not Found', false)], FOREIGN);
  if (snapshot.state !== 'running') return of([...low, step('tcp', 0.2, `${host}:${port}: Connection refused (os error 111)`, false)], STOPPED);
  return of([...low, ...(tcp ? [tcp] : []), ...above], wanted === null ? null : SELF);
}

/** Tells the rungs of all services in turn, and resolves with the results. */
export function testConnections(snapshot: Snapshot, { services, host }: TestChoice, listener: (progress: TestProgress) => void): ServiceTest[] {
  if (host !== null && !/^[A-Za-z0-9._:-]+$/.test(host)) {
    throw problem('invalid_input', `The host "${host}" is neither a name nor an address.`, 'host', 'Leave out scheme and port; the configuration has the ports. For example 192.168.1.20.');
  }
  const results = snapshot.services.filter(({ service }) => services.includes(service)).map((entry) => tested(entry, snapshot, host));
  for (const result of results) for (const rung of result.rungs) listener({ service: result.service, attempt: 1, step: rung });
  return results;
}
