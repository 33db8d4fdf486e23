/** The settings by their names in production.toml. */
import type { Service, SettingChange } from '../wire/types';

/** A service's new port, as the form has it. */
export type PortChange = { service: Service; port: number };

const PORTS: Record<Service, string> = {
  'mcp-websocket': 'mcp.mcp_port',
  'mcp-http': 'mcp.mcp_http_port',
  prometheus: 'monitoring.metrics_port',
  health: 'monitoring.health_check_port',
};

export function portSetting({ service, port }: PortChange): SettingChange {
  return { key: PORTS[service], value: String(port) };
}

/** The service whose port the setting is. */
export function serviceOf(key: string): Service | null {
  return (Object.keys(PORTS) as Service[]).find((service) => PORTS[service] === key) ?? null;
}
