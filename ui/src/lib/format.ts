/** Figures, times and addresses as people read them. No locale: the webview's may be unusable. */

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

const two = (value: number): string => String(value).padStart(2, '0');

/** `14:02`, in the time zone of this computer. */
export function clock(millis: number): string {
  const at = new Date(millis);
  return `${two(at.getHours())}:${two(at.getMinutes())}`;
}

/** `14:02:11`. */
export function clockWithSeconds(millis: number): string {
  return `${clock(millis)}:${two(new Date(millis).getSeconds())}`;
}

/** `19 Nov`. */
export function day(millis: number): string {
  const at = new Date(millis);
  return `${at.getDate()} ${MONTHS[at.getMonth()]}`;
}

/** `19 Nov 2026`: where the year is not plain. */
export function date(millis: number): string {
  return `${day(millis)} ${new Date(millis).getFullYear()}`;
}

/** `19 Nov, 10:11`. */
export function dayAndClock(millis: number): string {
  return `${day(millis)}, ${clock(millis)}`;
}

/** The two largest units of a span: `3 d 4 h`, `4 h 12 min`, `12 min`, `less than 1 min`. */
export function span(millis: number): string {
  const minutes = Math.floor(Math.max(0, millis) / 60_000);
  const hours = Math.floor(minutes / 60);
  const days = Math.floor(hours / 24);
  if (days > 0) return `${days} d ${hours % 24} h`;
  if (hours > 0) return `${hours} h ${minutes % 60} min`;
  return minutes > 0 ? `${minutes} min` : 'less than 1 min';
}

/** Seconds since something: `2 s`, `4 min`, `3 h`, `2 d`. */
export function age(seconds: number): string {
  const whole = Math.max(0, Math.floor(seconds));
  if (whole < 60) return `${whole} s`;
  if (whole < 3600) return `${Math.floor(whole / 60)} min`;
  return whole < 86_400 ? `${Math.floor(whole / 3600)} h` : `${Math.floor(whole / 86_400)} d`;
}

/** A figure with as many decimals as it deserves: `46`, `1.8`, `0.43`. */
export function figure(value: number): string {
  if (!Number.isFinite(value)) return '—';
  const size = Math.abs(value);
  if (size >= 10 || size === 0) return grouped(Math.round(value));
  return String(Number(value.toFixed(size >= 1 ? 1 : 2)));
}

/** `640 kB`, `4.1 MB`: powers of ten, as file managers show them. */
export function bytes(value: number): string {
  if (value < 1000) return `${value} B`;
  const power = Math.min(Math.floor(Math.log10(value) / 3), 4);
  return `${figure(value / 1000 ** power)} ${['B', 'kB', 'MB', 'GB', 'TB'][power]}`;
}

/** `12,480`. Ports are never written like this. */
export function grouped(value: number): string {
  return String(value).replace(/\B(?=(\d{3})+$)/g, ',');
}

/** `1 client`, `3 clients`. */
export function count(value: number, one: string, many = `${one}s`): string {
  return `${grouped(value)} ${value === 1 ? one : many}`;
}

/** `3000, 3001, 9090 and 8080`. */
export function list(parts: readonly (string | number)[]): string {
  const last = parts.at(-1);
  if (last === undefined) return '';
  return parts.length === 1 ? String(last) : `${parts.slice(0, -1).join(', ')} and ${last}`;
}

/** The last part of a path. */
export function fileName(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

/** Splits `127.0.0.1:3000` and `[::1]:3000` into address and port. */
export function splitSocket(socket: string): { address: string; port: number } {
  const colon = socket.lastIndexOf(':');
  return { address: socket.slice(0, colon), port: Number(socket.slice(colon + 1)) };
}

/** Whether only this computer reaches the address. */
export function isLoopback(address: string): boolean {
  return address === '::1' || address.startsWith('127.') || address.startsWith('::ffff:127.');
}
