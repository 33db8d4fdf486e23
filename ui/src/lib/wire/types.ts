// Generated from the Rust types; `UPDATE_WIRE=1` and the test `wire` write it anew.

export type Service = "mcp-websocket" | "mcp-http" | "prometheus" | "health";

export type ErrorCode = "config_invalid" | "invalid_input" | "port_taken" | "instance_running" | "not_permitted" | "address_unavailable" | "shadowed" | "revision_conflict" | "save_failed" | "wrong_state" | "overloaded" | "internal";

export type Problem = { 
/**
 * What the caller may branch on.
 */
code: ErrorCode, 
/**
 * One sentence: what is wrong and where.
 */
message: string, 
/**
 * The form field or setting, for example `mcp-websocket` or `mcp.mcp_port`.
 */
field: string | null, 
/**
 * One sentence: what to do.
 */
help: string | null, };

export type Layer = "this-run" | "environment" | "env-file" | "toml" | "port-table" | "built-in";

export type Origin = { 
/**
 * The layer.
 */
layer: Layer, 
/**
 * The file, for the layers that are files.
 */
file: string | null, 
/**
 * Line in the file, counted from 1.
 */
line: number | null, 
/**
 * The environment variable, for the environment and ports.env.
 */
variable: string | null, };

export type Shadowed<T> = { 
/**
 * The hidden value.
 */
value: T, 
/**
 * Where it stands.
 */
origin: Origin, };

export type Sourced<T> = { 
/**
 * The value in force.
 */
value: T, 
/**
 * Where it came from.
 */
origin: Origin, 
/**
 * Values of weaker layers that differ in place, not necessarily in value.
 */
shadowed: Array<Shadowed<T>>, };

export type Protocol = "tcp" | "udp";

export type Holder = { 
/**
 * Process id; `None` where only root may see it.
 */
pid: number | null, 
/**
 * Process name; `None` where only root may see it.
 */
process: string | null, 
/**
 * Name of the owner, or the number of a user without a name.
 */
user: string | null, 
/**
 * systemd unit of the process, or of the one that made the socket where the process is hidden. Not each can be
 * stopped, for example `session-2.scope`; see [`Unit::can_be_stopped`](crate::Unit::can_be_stopped).
 */
unit: string | null, 
/**
 * The address that is held.
 */
address: string, };

export type ListenerRow = { 
/**
 * TCP or UDP.
 */
protocol: Protocol, 
/**
 * Whether the socket belongs to this process.
 */
ours: boolean, 
/**
 * An IPv6 socket on `[::]` that leaves the port free for IPv4. Otherwise `[::]` takes both.
 */
v6only: boolean, 
/**
 * What usually uses the port, for example `System DNS resolver`.
 */
description: string | null, 
/**
 * Who holds it.
 */
holder: Holder, };

export type RunState = "stopped" | "starting" | "running" | "stopping";

export type ServiceState = "stopped" | "starting" | "running" | "blocked";

export type PortCheckState = "free" | "ours" | "warning" | "refused";

export type PortCheck = { 
/**
 * The port that was asked about.
 */
port: number, 
/**
 * The verdict.
 */
state: PortCheckState, 
/**
 * One sentence for the hint below the field.
 */
message: string, 
/**
 * Whether somebody holds it, who can be asked for with the ways out.
 */
held: boolean, 
/**
 * The next port worth offering, when this one is not free or comes with a warning.
 */
suggestion: number | null, };

export type PortNews = { "type": "rows", "data": Array<ListenerRow> } | { "type": "changed", "data": { 
/**
 * Rows that are no longer there.
 */
gone: Array<ListenerRow>, 
/**
 * Rows that are new, or have another holder.
 */
come: Array<ListenerRow>, } } | { "type": "problem", "data": Problem };

export type RangeCheck = { 
/**
 * First port.
 */
first: number, 
/**
 * Last port.
 */
last: number, 
/**
 * How many ports were tested; a large range is not tested to its end.
 */
tested: number, 
/**
 * How many of them can be used.
 */
free: number, 
/**
 * The one to offer; `None` when none is left.
 */
next: number | null, };

export type Alternatives = { 
/**
 * The ports that ports.conf names for the service, best first. Those that cannot be used are among them, with the
 * reason.
 */
listed: Array<PortCheck>, 
/**
 * The range that ports.conf names.
 */
range: RangeCheck, 
/**
 * The first without a drawback: of the listed ones, else of the range. `None` when nothing can be used.
 */
best: number | null, };

export type OwnerKind = "this_instance" | "other_instance" | "foreign";

export type Owner = { 
/**
 * This instance, another one, or a stranger.
 */
kind: OwnerKind, 
/**
 * The instance's id; `None` for a stranger.
 */
instance: string | null, 
/**
 * The nonce of its process, as its health endpoint says; `None` where that did not answer.
 */
nonce: string | null, 
/**
 * The process; `None` where it is hidden.
 */
pid: number | null, };

export type Release = { "kind": "unit", 
/**
 * Its name with its type.
 */
name: string, } | { "kind": "process", 
/**
 * Its id.
 */
pid: number, 
/**
 * SIGKILL instead of SIGTERM, after a second confirmation.
 */
force: boolean, } | { "kind": "hidden", 
/**
 * Whose it has to be.
 */
user: string, 
/**
 * SIGKILL instead of SIGTERM, after a second confirmation.
 */
force: boolean, };

export type Released = "ended" | "still_running";

export type WayOut = { 
/**
 * What is ended, for example `End node, pid 48213`.
 */
title: string, 
/**
 * The same for a button, for example `End node`.
 */
action: string, 
/**
 * What that means, or why it is not offered.
 */
detail: string, 
/**
 * What to ask for; `None` when the way is not offered.
 */
release: Release | null, 
/**
 * What does the same in a terminal.
 */
command: string | null, };

export type Conflict = { 
/**
 * Who holds it; `None` when not even the owner can be seen.
 */
holder: Holder | null, 
/**
 * Every address on which the holder has the port, the one in the way first.
 */
addresses: string[], 
/**
 * Whether the holder is a CWTS instance.
 */
owner: Owner, 
/**
 * The holder's command line; `None` where its process is hidden.
 */
command: string | null, 
/**
 * When the holder started, in milliseconds since the epoch; `None` where its process is hidden.
 */
started_at: number | null, 
/**
 * Connections to the port, which end with the holder.
 */
clients: number, 
/**
 * Those of them that come from this computer.
 */
local_clients: number, 
/**
 * When all this was looked up, in milliseconds since the epoch.
 */
checked_at: number, 
/**
 * The other services of the instance whose ports cannot be had either.
 */
also_taken: Array<Service>, 
/**
 * Other ports.
 */
alternatives: Alternatives, 
/**
 * What could be ended so that the port becomes free, the gentlest first.
 */
ways: Array<WayOut>, };

export type ServiceSnapshot = { 
/**
 * Which.
 */
service: Service, 
/**
 * Its name for people.
 */
name: string, 
/**
 * Its state.
 */
state: ServiceState, 
/**
 * The port with its origin. While running, the port that is bound.
 */
port: Sourced<number>, 
/**
 * The bind address with its origin.
 */
address: Sourced<string>, 
/**
 * URL for a client on this computer.
 */
url: string, 
/**
 * Variable that sets the port.
 */
variable: string, 
/**
 * The ports meant for the service by ports.conf, default first.
 */
alternatives: Array<number>, 
/**
 * First and last port of the range to search when those are taken.
 */
range: [number, number], 
/**
 * Open connections.
 */
clients: number, 
/**
 * Requests or messages per second over the last few seconds.
 */
rate: number, 
/**
 * Requests or messages since start.
 */
requests: number, 
/**
 * Seconds since the last request; `None` before the first.
 */
idle_seconds: number | null, 
/**
 * Why the service is blocked.
 */
problem: Problem | null, 
/**
 * Who holds the port, when that is why.
 */
conflict: Conflict | null, };

export type FindingLevel = "attention" | "info";

export type Finding = { 
/**
 * `attention` or `info`.
 */
level: FindingLevel, 
/**
 * The fact.
 */
title: string, 
/**
 * What it means.
 */
detail: string, };

export type Activity = { 
/**
 * Milliseconds since the epoch.
 */
at: number, 
/**
 * One short sentence.
 */
text: string, };

export type Sample = { 
/**
 * Milliseconds since the epoch.
 */
at: number, 
/**
 * Requests and messages of all services per second.
 */
requests: number, 
/**
 * Median order latency in milliseconds; `None` in a second without orders.
 */
latency_p50: number | null, 
/**
 * 99th percentile of the order latency in milliseconds.
 */
latency_p99: number | null, 
/**
 * Connected MCP clients.
 */
clients: number, };

export type MarketSummary = { 
/**
 * Instrument.
 */
symbol: string, 
/**
 * Best bid, or `None` for an empty side.
 */
bid: number | null, 
/**
 * Best ask.
 */
ask: number | null, 
/**
 * Last traded price.
 */
last: number | null, };

export type Side = "buy" | "sell";

export type TimeInForce = "GTC" | "IOC" | "FOK" | "DAY";

export type OrderStatus = "held" | "open" | "partially_filled" | "filled" | "cancelled";

export type CancelReason = "requested" | "unfilled" | "self_trade_prevention" | "expired" | "linked" | "reduce_only" | "post_only" | "reset";

export type TradingState = "active" | "reducing" | "halted";

export type TradingSummary = { 
/**
 * What holds now. Halted while the journal cannot be written, whatever the exchange says.
 */
state: TradingState, 
/**
 * What keeps the journal from being written, and what to do.
 */
problem: string | null, 
/**
 * Cash and all positions at their marks.
 */
equity: number, 
/**
 * Profit of what is open.
 */
unrealized: number, 
/**
 * Change of the equity since 00:00 UTC.
 */
today: number, 
/**
 * Number of open orders.
 */
open_orders: number, };

export type ClientProgram = "claude-desktop" | "claude-code" | "cursor" | "vscode" | "python" | "typescript" | "freqtrade" | "prometheus" | "curl";

export type Transport = "stdio" | "http" | "websocket" | "rest" | "scrape";

export type Place = "here" | "network";

export type SnippetNote = { 
/**
 * Whether the client fails without it.
 */
attention: boolean, 
/**
 * The sentence.
 */
text: string, };

export type QrCode = { 
/**
 * What it says.
 */
text: string, 
/**
 * Modules on each side, without the quiet zone of 4 that belongs around it.
 */
side: number, 
/**
 * The dark modules as a path of SVG, a module being 1 wide.
 */
path: string, };

export type Snippet = { 
/**
 * The program.
 */
client: ClientProgram, 
/**
 * Its name for people.
 */
name: string, 
/**
 * How it connects.
 */
transport: Transport, 
/**
 * Whether it is for a program on this computer or on another one.
 */
place: Place, 
/**
 * Where the program may run.
 */
places: Array<Place>, 
/**
 * Where the text belongs: a file, or `Terminal`.
 */
file: string, 
/**
 * The text.
 */
text: string, 
/**
 * Parts of the text that change with the settings: host and port, and the token.
 */
marks: Array<string>, 
/**
 * Where another computer connects to, without a token; `None` for a program on this one.
 */
address: QrCode | null, 
/**
 * What to know, most important first.
 */
notes: Array<SnippetNote>, };

export type StaleSnippet = { 
/**
 * The program.
 */
client: ClientProgram, 
/**
 * Its name for people.
 */
name: string, 
/**
 * How it connects.
 */
transport: Transport, 
/**
 * Where it runs.
 */
place: Place, 
/**
 * What changed since, as sentences.
 */
reason: string, };

export type ProgramInfo = { 
/**
 * The program.
 */
client: ClientProgram, 
/**
 * Its name for people.
 */
name: string, 
/**
 * How it can connect, the usual way first.
 */
transports: Array<Transport>, 
/**
 * Those of them that can be tried from here.
 */
tried: Array<Transport>, };

export type Trial = { 
/**
 * Whether it got its answer.
 */
ok: boolean, 
/**
 * What it said, without tokens.
 */
said: string, 
/**
 * How long it took.
 */
millis: number, };

export type Link = "websocket" | "session" | "connection";

export type ClientError = { 
/**
 * Milliseconds since the epoch.
 */
at: number, 
/**
 * What the client was told.
 */
text: string, };

export type ClientInfo = { 
/**
 * Tells it from others; never used twice in one run of the program.
 */
id: string, 
/**
 * As it calls itself: by MCP `clientInfo`, else by its User-Agent.
 */
name: string, 
/**
 * Its version, in its own words.
 */
version: string | null, 
/**
 * Where it is.
 */
address: string, 
/**
 * The service that it uses.
 */
service: Service, 
/**
 * What it is connected by.
 */
link: Link, 
/**
 * What its token allows; `None` where it presented none.
 */
scope: Scope | null, 
/**
 * Milliseconds since the epoch.
 */
since: number, 
/**
 * Requests or messages per second over the last few seconds.
 */
rate: number, 
/**
 * Requests or messages so far.
 */
requests: number, 
/**
 * What it was last refused.
 */
last_error: ClientError | null, };

export type Connected = { 
/**
 * Longest connected first, at most 200.
 */
clients: Array<ClientInfo>, 
/**
 * Those beyond.
 */
more: number, };

export type LogLine = { 
/**
 * Its number in this run of the program.
 */
sequence: number, 
/**
 * Milliseconds since the epoch.
 */
at: number, 
/**
 * How much it matters.
 */
level: "error" | "warn" | "info" | "debug" | "trace", 
/**
 * Which part of the program said it.
 */
source: string, 
/**
 * What.
 */
text: string, };

export type LogPage = { 
/**
 * Oldest first.
 */
lines: Array<LogLine>, 
/**
 * The number of the line that comes next.
 */
next: number, 
/**
 * The file that holds them too.
 */
file: string, 
/**
 * The level that is in force.
 */
level: string, 
/**
 * Why the file cannot be written.
 */
problem: string | null, };

export type Elsewhere = { 
/**
 * The process that holds the instance's lock.
 */
pid: number, 
/**
 * Its name, for example `cwts-ultra`; `None` when it is not to be seen.
 */
process: string | null, 
/**
 * The other instances that it runs, which end with it.
 */
others: Array<string>, 
/**
 * Whether the picture is read from it: state, ports and clients are then what it says of itself.
 */
attached: boolean, 
/**
 * Why it could not be read, while attached.
 */
problem: Problem | null, };

export type FailedLogins = { 
/**
 * How many.
 */
count: number, 
/**
 * When the latest was presented, in milliseconds since the epoch.
 */
last_at: number | null, 
/**
 * From where.
 */
last_source: string | null, };

export type AuthMode = "token" | "none";

export type TlsMode = "off" | "on";

export type HostNames = string;

export type Exposure = { "state": "local" } | { "state": "refused", 
/**
 * Whether TLS is on.
 */
tls: boolean, 
/**
 * Whether a token is asked for.
 */
token: boolean, } | { "state": "read_only" } | { "state": "armed" };

export type CertificateInfo = { 
/**
 * Whom it names.
 */
subject: string, 
/**
 * Who vouches for it.
 */
issuer: string, 
/**
 * DNS names and addresses that it is valid for.
 */
names: Array<string>, 
/**
 * Start of its validity, in milliseconds since the epoch.
 */
not_before: number, 
/**
 * End of its validity, in milliseconds since the epoch.
 */
not_after: number, 
/**
 * Kind of its key, for example `ECDSA`.
 */
key: string, 
/**
 * SHA-256 of its DER encoding: upper-case hexadecimal pairs with colons, as browsers and openssl show it.
 */
fingerprint: string, 
/**
 * Whether it may vouch for others. Several clients refuse such a certificate as a server's own.
 */
is_authority: boolean, };

export type Security = { 
/**
 * How far the WebSocket and the HTTP API reach.
 */
mcp: Exposure, 
/**
 * How far metrics and health reach.
 */
monitoring: Exposure, 
/**
 * What clients of this computer present.
 */
auth: Sourced<AuthMode>, 
/**
 * Whether the ports are to speak TLS.
 */
tls: Sourced<TlsMode>, 
/**
 * Names that clients may use beside loopback, the addresses and those of the certificate.
 */
allowed_hosts: Sourced<HostNames>, 
/**
 * The certificate that the ports show; `None` where they speak plain text only.
 */
certificate: CertificateInfo | null, 
/**
 * The address that MCP was bound to, which has left this computer: bound again when it is back.
 */
mcp_away: string | null, 
/**
 * The same for monitoring.
 */
monitoring_away: string | null, };

export type Snapshot = { 
/**
 * Grows by one with every change.
 */
revision: number, 
/**
 * Instance id.
 */
instance: string, 
/**
 * Version of the program.
 */
version: string, 
/**
 * Whether the services run.
 */
state: RunState, 
/**
 * Milliseconds since the epoch at which the services came up.
 */
started_at: number | null, 
/**
 * Always all four, in the fixed order.
 */
services: Array<ServiceSnapshot>, 
/**
 * Worst first.
 */
findings: Array<Finding>, 
/**
 * How far the services reach, and what protects them.
 */
security: Security, 
/**
 * Client programs that were given an address, a token or an authority that no longer is right.
 */
stale_clients: Array<StaleSnippet>, 
/**
 * The market; `None` while stopped.
 */
market: MarketSummary | null, 
/**
 * Trading state and account; `None` while stopped, and where another process trades.
 */
trading: TradingSummary | null, 
/**
 * Wrong tokens since the program started.
 */
failed_logins: FailedLogins, 
/**
 * Why the last start failed; `None` after a success.
 */
problem: Problem | null, 
/**
 * The configuration file that is damaged, where its last good copy would mend it.
 */
damaged_file: string | null, 
/**
 * The other process that runs the instance; `None` when it is this one or none.
 */
elsewhere: Elsewhere | null, 
/**
 * `ports.env` of the instance.
 */
env_file: string, 
/**
 * `production.toml` of the instance, or the file given with `--config`.
 */
toml_file: string, };

export type ServiceLoad = { 
/**
 * Which.
 */
service: Service, 
/**
 * Open connections.
 */
clients: number, 
/**
 * Requests or messages per second.
 */
rate: number, 
/**
 * Requests or messages since start.
 */
requests: number, 
/**
 * Seconds since the last request; `None` before the first.
 */
idle_seconds: number | null, };

export type InstanceEvent = { "type": "snapshot", "data": Snapshot } | { "type": "sample", "data": { 
/**
 * The figures.
 */
sample: Sample, 
/**
 * Clients, rate and requests per service, in the fixed order.
 */
services: Array<ServiceLoad>, 
/**
 * The market.
 */
market: MarketSummary | null, 
/**
 * Trading state and account.
 */
trading: TradingSummary | null, 
/**
 * Wrong tokens since the program started.
 */
failed_logins: FailedLogins, 
/**
 * Who is connected.
 */
connected: Connected, } } | { "type": "activity", "data": Activity } | { "type": "removed" };

export type Envelope = { 
/**
 * Its id.
 */
instance: string, 
/**
 * What changed.
 */
event: InstanceEvent, };

export type NewInstance = { 
/**
 * Its id: 1 to 32 letters, digits, `-` or `_`.
 */
id: string, 
/**
 * Its ports in the fixed order of the services; `None` takes the first free set.
 */
ports: [number, number, number, number] | null, 
/**
 * The instance whose settings are copied; `None` starts with the defaults.
 */
from: string | null, 
/**
 * Whether the data of `from` is copied too, without its tokens and certificates.
 */
with_data: boolean, };

export type PortSet = { 
/**
 * In the fixed order of the services.
 */
ports: [number, number, number, number], 
/**
 * What was tested, in one sentence.
 */
message: string, };

export type ProfileInfo = { 
/**
 * Its id.
 */
instance: string, 
/**
 * Where its orders, tokens and keys lie.
 */
data_folder: string, 
/**
 * What the folder holds.
 */
data_bytes: number, 
/**
 * Milliseconds since the epoch at which its token was made; `None` before its first start.
 */
token_made_at: number | null, 
/**
 * Whether it starts when the panel opens.
 */
starts_with_panel: boolean, };

export type SaveTarget = "this-run" | "env-file" | "toml";

export type SettingChange = { 
/**
 * The setting, for example `mcp.mcp_port`.
 */
key: string, 
/**
 * The value as text; `None` takes the setting out, so that the next weaker layer decides.
 */
value: string | null, };

export type SettingsEdit = { 
/**
 * The revision that the person was looking at.
 */
expected_revision: number, 
/**
 * What changes; each setting once.
 */
changes: Array<SettingChange>, 
/**
 * Where to keep it.
 */
save: SaveTarget, };

export type Tool = "ufw" | "firewalld" | "iptables" | "nftables";

export type ToolState = "active" | "inactive" | "unknown";

export type Incoming = "accepted" | "denied";

export type ToolFinding = { 
/**
 * The tool.
 */
tool: Tool, 
/**
 * Whether its program is on this computer.
 */
installed: boolean, 
/**
 * Whether its rules are in force.
 */
state: ToolState, 
/**
 * Where that is known from, as one sentence without its full stop.
 */
evidence: string, 
/**
 * What happens to connections that no rule names, where that is known.
 */
incoming: Incoming | null, };

export type Detection = { 
/**
 * The tool to write rules for; `None` where none is active, or where that could not be known.
 */
active: Tool | null, 
/**
 * Each tool, in the order of [`Tool::ALL`].
 */
tools: Array<ToolFinding>, 
/**
 * The chain of nftables that drops by default, as text: `inet filter input`.
 */
chain: string | null, 
/**
 * The zone of firewalld that the interface of the default route is in, where that is not the default zone.
 */
zone: string | null, 
/**
 * Whether root looked, who may see everything.
 */
as_root: boolean, };

export type FirewallChoice = { 
/**
 * The tool; `null` for the one that is active.
 */
tool: Tool | null, 
/**
 * The services; `null` for those that are reached from outside, or all where none is.
 */
services: Array<Service> | null, 
/**
 * Subnets or addresses; `null` for the subnets that this computer is in.
 */
sources: Array<string> | null, 
/**
 * Whether everyone else is to be denied by rules of their own.
 */
restrict: boolean, };

export type FirewallService = { 
/**
 * The service.
 */
service: Service, 
/**
 * Its port.
 */
port: number, 
/**
 * What it binds.
 */
address: string, 
/**
 * Whether rules are written for it.
 */
chosen: boolean, };

export type OwnSubnet = { 
/**
 * For example `192.168.1.0/24`.
 */
source: string, 
/**
 * The interface that leads to it.
 */
interface: string, };

export type FirewallView = { 
/**
 * What is known of the firewall.
 */
detection: Detection, 
/**
 * The tool that the lines are for.
 */
tool: Tool, 
/**
 * Whether a chosen service is reached from outside.
 */
needed: boolean, 
/**
 * All four.
 */
services: Array<FirewallService>, 
/**
 * Who is let in, as the tools spell it.
 */
sources: Array<string>, 
/**
 * Subnets to offer.
 */
subnets: Array<OwnSubnet>, 
/**
 * The lines to copy, in order.
 */
commands: Array<string>, 
/**
 * The lines that take them back.
 */
undo: Array<string>, 
/**
 * What is to be known about them.
 */
notes: Array<string>, 
/**
 * What was added and not taken back, as lines.
 */
remembered: Array<string>, 
/**
 * The lines that take that back.
 */
remembered_undo: Array<string>, };

export type FirewallTask = "apply" | "undo" | "check";

export type Outcome = "done" | "present" | "missing" | "not-done" | "left-behind";

export type FirewallResult = { 
/**
 * The line that makes the change.
 */
command: string, 
/**
 * How it ended.
 */
outcome: Outcome, };

export type Scope = "owner" | "trade" | "read" | "metrics";

export type RefusalReason = "rate" | "remote" | "bad_host" | "host" | "origin" | "token_missing" | "token" | "scope";

export type Refused = { 
/**
 * When the latest was, in milliseconds since the epoch.
 */
at: number, 
/**
 * Who.
 */
source: string, 
/**
 * Why.
 */
reason: RefusalReason, 
/**
 * How often.
 */
count: number, };

export type InterfaceKind = "loopback" | "wired" | "wireless" | "vpn" | "container" | "other";

export type InterfaceAddress = { 
/**
 * The interface, for example `enp5s0`.
 */
interface: string, 
/**
 * What it leads to.
 */
kind: InterfaceKind, 
/**
 * The address.
 */
address: string, 
/**
 * Bits of its network.
 */
prefix: number, };

export type Network = { 
/**
 * Under which the word of a person is remembered.
 */
id: string, 
/**
 * What a person calls it: the name of the connection, or the subnet.
 */
name: string, 
/**
 * The interface that leads to it.
 */
interface: string, 
/**
 * What that is.
 */
kind: InterfaceKind, 
/**
 * Whether it is trusted; `None` while neither the person nor the system has said so.
 */
trusted: boolean | null, 
/**
 * Whether that is the word of the person.
 */
by_person: boolean, 
/**
 * What the system says, for example `zone public`.
 */
system: string | null, };

export type TrustStep = { 
/**
 * The system or program.
 */
place: string, 
/**
 * A shell line, or where a person clicks.
 */
step: string, 
/**
 * Whether the step is a shell line.
 */
is_command: boolean, };

export type AuthorityView = { 
/**
 * What its certificate says.
 */
info: CertificateInfo, 
/**
 * The file to copy to clients.
 */
file: string, 
/**
 * How systems and programs are told to trust it.
 */
trust: Array<TrustStep>, };

export type CertificateView = { 
/**
 * What it says.
 */
info: CertificateInfo, 
/**
 * Whole days until its end, negative after it.
 */
days_left: number, 
/**
 * What clients may object to.
 */
warnings: Array<string>, 
/**
 * Addresses that services are bound to and that it is not valid for.
 */
missing: Array<string>, 
/**
 * The file with the certificate and its key.
 */
file: string, 
/**
 * The authority that issued it; `None` where it was imported.
 */
authority: AuthorityView | null, };

export type TokenView = { 
/**
 * What it allows.
 */
scope: Scope, 
/**
 * Its last four characters.
 */
ending: string, 
/**
 * When it was made, in milliseconds since the epoch.
 */
made_at: number, 
/**
 * When it was last presented to this process, in milliseconds since the epoch.
 */
used_at: number | null, 
/**
 * From where.
 */
used_from: string | null, 
/**
 * Where it lies, with mode 0600.
 */
file: string, };

export type FirewallSummary = { 
/**
 * The tool that is active.
 */
active: Tool | null, 
/**
 * Whether it is known that none is.
 */
none: boolean, 
/**
 * What becomes of connections that no rule names; `None` where that is not known.
 */
incoming: Incoming | null, 
/**
 * How many changes of this panel are in it, as far as remembered.
 */
remembered: number, };

export type SecurityView = { 
/**
 * When that was, in milliseconds since the epoch.
 */
at: number, 
/**
 * Every address that services can be bound to.
 */
interfaces: Array<InterfaceAddress>, 
/**
 * The networks behind them.
 */
networks: Array<Network>, 
/**
 * All four, the mightiest first. Empty where they cannot be used.
 */
tokens: Array<TokenView>, 
/**
 * Why the tokens on disk cannot be used.
 */
token_problem: Problem | null, 
/**
 * The certificate on disk, whether TLS is on or off.
 */
certificate: CertificateView | null, 
/**
 * Why it cannot be used.
 */
certificate_problem: Problem | null, 
/**
 * What is known of the firewall.
 */
firewall: FirewallSummary, 
/**
 * What to bind for every address of this computer: `::` takes IPv4 too, `0.0.0.0` stands where IPv6 is switched off.
 */
everywhere: string, 
/**
 * What the guards refused since the program started, the latest first; at most 128 rows.
 */
refused: Array<Refused>, };

export type ReachEdit = { 
/**
 * The revision that the person was looking at.
 */
expected_revision: number, 
/**
 * The new address of the WebSocket and the HTTP API; `null` keeps it.
 */
mcp: string | null, 
/**
 * The new address of metrics and health; `null` keeps it.
 */
monitoring: string | null, 
/**
 * The names that clients may use, separated by commas, as `security.allowed_hosts` takes them; `null` keeps them.
 */
allowed_hosts: string | null, 
/**
 * Whether what other computers need is made and turned on as well: a certificate, TLS and the token.
 */
protect: boolean, 
/**
 * Further names that clients use for this computer, for a certificate that is made.
 */
names: Array<string>, };

export type PemSource = { "from": "file", 
/**
 * Its path.
 */
path: string, } | { "from": "text", 
/**
 * It.
 */
text: string, };

export type Rung = "resolve" | "tcp" | "tls" | "handshake" | "auth" | "protocol";

export type TestStep = { 
/**
 * Which.
 */
name: Rung, 
/**
 * Whether it held.
 */
ok: boolean, 
/**
 * How long it took.
 */
millis: number, 
/**
 * What was seen, in one line.
 */
detail: string, };

export type TestProgress = { 
/**
 * Which service.
 */
service: Service, 
/**
 * Which repetition, counted from 1.
 */
attempt: number, 
/**
 * What became of it.
 */
step: TestStep, };

export type FixAction = "start_services" | "restart_services" | "use_free_port" | "widen_address" | "listen_locally" | "copy_client_configuration" | "make_certificate" | "trust_authority" | "copy_token" | "show_firewall_rules" | "review_access" | "by_hand";

export type Actor = { "by": "panel" } | { "by": "command-line" } | { "by": "rest", 
/**
 * What its token allows.
 */
scope: Scope, 
/**
 * Its address.
 */
from: string, } | { "by": "mcp", 
/**
 * What its token allows.
 */
scope: Scope, 
/**
 * Its address.
 */
from: string, } | { "by": "hand-edit" } | { "by": "program" };

export type Action = "token_made" | "token_replaced" | "certificate_made" | "certificate_imported" | "certificate_renewed" | "certificate_removed" | "network_judged" | "reach_widened" | "reach_narrowed" | "trading_armed" | "trading_disarmed" | "trading_halted" | "trading_reduced" | "trading_resumed" | "remote_refused" | "login_failed" | "firewall_applied" | "firewall_undone" | "setting_changed" | "limit_changed" | "account_reset" | "settings_restored" | "traded_by_hand";

export type AuditEntry = { 
/**
 * What.
 */
action: Action, 
/**
 * Of what: a scope, a setting, `mcp`, `monitoring`, `trading`, a firewall tool.
 */
subject: string, 
/**
 * How it was.
 */
before: string | null, 
/**
 * How it is.
 */
after: string | null, 
/**
 * The commands that were run, as lines.
 */
commands?: Array<string>, 
/**
 * One sentence for people.
 */
text: string, } & ({ "by": "panel" } | { "by": "command-line" } | { "by": "rest", 
/**
 * What its token allows.
 */
scope: Scope, 
/**
 * Its address.
 */
from: string, } | { "by": "mcp", 
/**
 * What its token allows.
 */
scope: Scope, 
/**
 * Its address.
 */
from: string, } | { "by": "hand-edit" } | { "by": "program" });

export type AuditRecord = { 
/**
 * Grows by one with every line.
 */
sequence: number, 
/**
 * When, in RFC 3339 and UTC.
 */
at: string, 
/**
 * What.
 */
action: Action, 
/**
 * Of what: a scope, a setting, `mcp`, `monitoring`, `trading`, a firewall tool.
 */
subject: string, 
/**
 * How it was.
 */
before: string | null, 
/**
 * How it is.
 */
after: string | null, 
/**
 * The commands that were run, as lines.
 */
commands?: Array<string>, 
/**
 * One sentence for people.
 */
text: string, } & ({ "by": "panel" } | { "by": "command-line" } | { "by": "rest", 
/**
 * What its token allows.
 */
scope: Scope, 
/**
 * Its address.
 */
from: string, } | { "by": "mcp", 
/**
 * What its token allows.
 */
scope: Scope, 
/**
 * Its address.
 */
from: string, } | { "by": "hand-edit" } | { "by": "program" });

export type AuditPage = { 
/**
 * The records.
 */
records: Array<AuditRecord>, 
/**
 * Ask for what is older with this; `None` at the end.
 */
next_cursor: number | null, };

export type Diagnosis = { 
/**
 * Stable code: the rung, a dot, the name.
 */
code: string, 
/**
 * A headline.
 */
title: string, 
/**
 * What is wrong, in plain words.
 */
cause: string, 
/**
 * What was seen, one thing on each line.
 */
evidence: string, 
/**
 * What to do.
 */
fix: string, 
/**
 * What does it in the panel.
 */
action: FixAction, };

export type Repetitions = { 
/**
 * How many.
 */
count: number, 
/**
 * How many of them did not hold.
 */
lost: number, 
/**
 * The shortest, in milliseconds; `None` where none held.
 */
min: number | null, 
/**
 * The median.
 */
p50: number | null, 
/**
 * The 99th percentile.
 */
p99: number | null, };

export type Timeout = { 
/**
 * Which; `None` for all others.
 */
rung: Rung | null, 
/**
 * 0.001 to 600.
 */
seconds: number, };

export type TestChoice = { 
/**
 * Which services.
 */
services: Array<Service>, 
/**
 * A name or an address; `None` for the address that each service is bound to.
 */
host: string | null, 
/**
 * How often.
 */
count: number, 
/**
 * Which of the instance's tokens is presented; `None` for none.
 */
scope: Scope | null, 
/**
 * How long rungs may take; 5 s where nothing is chosen.
 */
timeouts: Array<Timeout>, };

export type ServiceTest = { 
/**
 * Which.
 */
service: Service, 
/**
 * Its URL, without a token.
 */
target: string, 
/**
 * Whether every rung held, every time.
 */
ok: boolean, 
/**
 * The rungs of the first time that one did not hold, else of the last time.
 */
rungs: Array<TestStep>, 
/**
 * The time of all rungs together.
 */
millis: number, 
/**
 * What the repetitions came to.
 */
repetitions: Repetitions, 
/**
 * Why it does not hold, or what to know although it does.
 */
diagnosis: Diagnosis | null, 
/**
 * How systems and programs are told to trust the authority, where that is the fix.
 */
trust: Array<TrustStep>, };

export type Candle = { 
/**
 * Its beginning, in milliseconds since the epoch.
 */
at: number, 
/**
 * First price.
 */
open: number, 
/**
 * Highest price.
 */
high: number, 
/**
 * Lowest price.
 */
low: number, 
/**
 * Last price.
 */
close: number, 
/**
 * Traded quantity.
 */
volume: number, };

export type AccountLimits = { 
/**
 * Largest exposure as a multiple of equity, 1 to 100.
 */
leverage: number, 
/**
 * Largest value of one order.
 */
max_order_value: number, 
/**
 * Largest value of the position in one instrument, with what waits.
 */
max_position_value: number, 
/**
 * Largest distance of a limit price from the last price, 1 to 100.
 */
price_band_percent: number, 
/**
 * Largest number of orders in one second.
 */
max_orders_per_second: number, 
/**
 * From this loss since 00:00 UTC on, only orders that make a position smaller are taken.
 */
max_daily_loss: number, };

export type MarketState = "stopped" | "running" | "paused" | "ended" | "failed";

export type ReplayStatus = { 
/**
 * Its place.
 */
file: string, 
/**
 * The file of best bid and ask that is played with it, if it holds trades.
 */
quotes?: string | null, 
/**
 * `trades`, `book_ticker` or `klines`.
 */
format: string, 
/**
 * The symbol whose prices it makes.
 */
symbol: string, 
/**
 * Its first moment, in RFC 3339 and UTC like all times here.
 */
from: string, 
/**
 * Its last moment.
 */
to: string, 
/**
 * The moment that is played.
 */
position: string, 
/**
 * How much of its time has been played, from 0 to 1.
 */
progress: number, 
/**
 * Steps of the market in it; `None` for a file that is too large to be read before.
 */
steps: number | null, 
/**
 * Steps played since it was loaded.
 */
played: number, 
/**
 * How fast.
 */
speed: number | "max", 
/**
 * Whether it begins again at its end.
 */
loop: boolean, 
/**
 * How often it has begun again.
 */
rounds: number, 
/**
 * Open orders in the symbol that were cancelled because its prices jumped, since it was loaded.
 */
cancelled_orders: number, 
/**
 * Why it cannot be played on.
 */
problem: string | null, };

export type SimulatorView = { 
/**
 * Of the random numbers: the same seed gives the same flow of orders.
 */
seed: number, 
/**
 * How many times the usual the distance of the quotes is, 0.1 to 10.
 */
spread: number, 
/**
 * How many times the usual their quantity is, 0.1 to 10.
 */
depth: number, 
/**
 * How many times as far as usual the price moves, 0.1 to 10.
 */
volatility: number, };

export type MarketStatus = { 
/**
 * What the market does.
 */
state: MarketState, 
/**
 * The file that is played; `None` while all prices are simulated.
 */
replay: ReplayStatus | null, 
/**
 * The simulated market, of all symbols but the one that is played.
 */
simulator: SimulatorView, };

export type MarketFile = { 
/**
 * Its place.
 */
file: string, 
/**
 * `trades`, `book_ticker` or `klines`.
 */
format: string, 
/**
 * The symbol whose prices it would make.
 */
symbol: string, 
/**
 * Its size.
 */
bytes: number, 
/**
 * Its first moment.
 */
from: string, 
/**
 * Its last moment.
 */
to: string, 
/**
 * Steps of the market in it; `None` for a file that is too large to be read before.
 */
steps: number | null, 
/**
 * Lowest price.
 */
low: number | null, 
/**
 * Highest price.
 */
high: number | null, };

export type TailFigures = { 
/**
 * How many of 100 periods lose at most the value at risk.
 */
confidence_percent: number, 
/**
 * How long a period is.
 */
horizon_minutes: number, 
/**
 * Value at risk, the loss that is exceeded in the other periods only.
 */
historical_var: number | null, 
/**
 * Expected shortfall, the mean loss of the other periods.
 */
historical_cvar: number | null, 
/**
 * Value at risk.
 */
parametric_var: number | null, 
/**
 * Expected shortfall.
 */
parametric_cvar: number | null, };

export type VolatilityFigures = { 
/**
 * In one minute.
 */
minute_percent: number | null, 
/**
 * In a year of 525,600 minutes, by the square root of time.
 */
annualized_percent: number | null, 
/**
 * The same, where each minute has 0.94 times the weight of the one after it.
 */
ewma_annualized_percent: number | null, };

export type DrawdownFigures = { 
/**
 * The deepest one, in per cent of its highest point.
 */
max_percent: number, 
/**
 * The deepest one in US dollars.
 */
max_amount: number, 
/**
 * When its highest point was, in the time of the market; null where equity never fell.
 */
peak_at: string | null, 
/**
 * When its lowest point was; null where equity never fell, or where that is now.
 */
trough_at: string | null, 
/**
 * The present one, in per cent of the highest point.
 */
current_percent: number, 
/**
 * The present one in US dollars.
 */
current_amount: number, };

export type SampleFacts = { 
/**
 * Minutes of the market whose moves are known, of which at most a day is kept.
 */
returns: number, 
/**
 * How far samples are apart, in the time of the market: that of the file while one is played.
 */
interval_seconds: number, 
/**
 * The first sample, in the time of the market.
 */
from: string | null, 
/**
 * The last one.
 */
to: string | null, };

export type RiskFigures = { 
/**
 * Losses of what is held now, one for each confidence.
 */
value_at_risk: Array<TailFigures>, 
/**
 * How much equity has varied.
 */
volatility: VolatilityFigures, 
/**
 * How far equity has fallen from its highest point, since the first sample.
 */
drawdown: DrawdownFigures, 
/**
 * What the figures rest on.
 */
samples: SampleFacts, 
/**
 * Which figures are null because there are not enough samples, and what helps.
 */
note: string | null, };

export type ReplayRequest = { 
/**
 * Absolute path on the computer of the server.
 */
file: string, 
/**
 * The best bid and ask (book ticker) of the same market, where the file holds trades; also an absolute path.
 */
quotes?: string, 
/**
 * The symbol whose prices it makes; that of its name when `None`.
 */
symbol: string | null, 
/**
 * How fast.
 */
speed: number | "max", 
/**
 * Whether it begins again at its end.
 */
loop: boolean, };

export type DeskInstrument = { 
/**
 * For example `BTCUSD`.
 */
symbol: string, 
/**
 * What it is, for people.
 */
description: string, 
/**
 * Decimal places of a price: one tick is the last of them.
 */
price_decimals: number, 
/**
 * Decimal places of a quantity: one lot is the last of them.
 */
quantity_decimals: number, 
/**
 * Largest quantity of one order, in lots.
 */
max_quantity: number, 
/**
 * Largest price of one order, in ticks.
 */
max_price: number, };

export type DeskTrading = { 
/**
 * What the exchange says.
 */
state: TradingState, 
/**
 * What keeps the journal from being written, and what to do: nothing is taken then, whatever `state` says.
 */
problem: string | null, };

export type DeskPosition = { 
/**
 * Of what.
 */
symbol: string, 
/**
 * Below zero is short.
 */
quantity: number, 
/**
 * Average price at which it was entered, in quote currency.
 */
entry_price: number, 
/**
 * The price at which it is valued.
 */
mark: number, 
/**
 * Value at the mark, with the sign of the quantity.
 */
value: number, 
/**
 * Profit if it were closed at the mark, before fees.
 */
unrealized: number, 
/**
 * Profit of what was closed of it, less fees.
 */
realized: number, };

export type DeskAccount = { 
/**
 * Cash; the proceeds of short sales are part of it.
 */
cash: number, 
/**
 * Cash and all positions at their marks.
 */
equity: number, 
/**
 * Profit of what is open.
 */
unrealized: number, 
/**
 * Profit of what was closed since the account was opened or reset, less fees.
 */
realized: number, 
/**
 * Change of the equity since 00:00 UTC.
 */
today: number, 
/**
 * Fees since the account was opened or reset.
 */
fees: number, 
/**
 * Value of what is held and ordered, as the exposure limit counts it.
 */
exposure: number, 
/**
 * Exposure over leverage.
 */
margin_used: number, 
/**
 * Equity that no margin takes.
 */
margin_available: number, 
/**
 * Millionths of the traded value that the order that waited pays.
 */
maker_ppm: number, 
/**
 * Millionths of the traded value that the order that came in pays.
 */
taker_ppm: number, 
/**
 * Number of open orders, those that are not listed included.
 */
open_orders: number, 
/**
 * What the account may do.
 */
limits: AccountLimits, 
/**
 * What it holds.
 */
positions: Array<DeskPosition>, };

export type DeskOrder = { 
/**
 * Assigned by the exchange.
 */
id: string, 
/**
 * The name that whoever placed it gave it.
 */
client_order_id: string | null, 
/**
 * What it trades.
 */
symbol: string, 
/**
 * Buy or sell.
 */
side: Side, 
/**
 * Whole quantity, with what has filled.
 */
quantity: number, 
/**
 * Traded so far.
 */
filled: number, 
/**
 * Average price of its fills, in quote currency.
 */
average_price: number | null, 
/**
 * Limit price.
 */
limit: number | null, 
/**
 * Stop price.
 */
stop: number | null, 
/**
 * Whether the last price has reached the stop price.
 */
triggered: boolean, 
/**
 * How long it may wait.
 */
time_in_force: TimeInForce, 
/**
 * Only trades as the maker.
 */
post_only: boolean, 
/**
 * Only makes the position smaller.
 */
reduce_only: boolean, 
/**
 * Where it is in its life.
 */
status: OrderStatus, 
/**
 * Why it was cancelled.
 */
reason: CancelReason | null, 
/**
 * The order that it came with.
 */
parent: string | null, 
/**
 * Milliseconds since the epoch.
 */
accepted_at: number, 
/**
 * Milliseconds since the epoch.
 */
updated_at: number, };

export type DeskFill = { 
/**
 * Of its trade; unique.
 */
sequence: number, 
/**
 * The order that was filled.
 */
order_id: string, 
/**
 * What was traded.
 */
symbol: string, 
/**
 * Side of the order.
 */
side: Side, 
/**
 * At which price.
 */
price: number, 
/**
 * How much.
 */
quantity: number, 
/**
 * Paid; below zero is a rebate.
 */
fee: number, 
/**
 * Whether the order waited.
 */
maker: boolean, 
/**
 * Milliseconds since the epoch.
 */
at: number, };

export type DeskMarket = { 
/**
 * What is traded.
 */
symbol: string, 
/**
 * The last price; `None` before the first trade.
 */
last: number | null, 
/**
 * The price at which positions are valued.
 */
mark: number | null, 
/**
 * Highest traded price.
 */
high: number | null, 
/**
 * Lowest traded price.
 */
low: number | null, 
/**
 * Price and quantity of the levels to buy, the highest first.
 */
bids: [number, number][], 
/**
 * Price and quantity of the levels to sell, the lowest first.
 */
asks: [number, number][], };

export type MarketRequest = { "type": "pause" } | { "type": "resume" } | { "type": "seek", "data": number } | { "type": "speed", "data": number | "max" } | { "type": "loop", "data": boolean } | { "type": "replay", "data": ReplayRequest } | { "type": "simulate", "data": SimulatorView };

export type DeskNews = { 
/**
 * What can be traded.
 */
instruments: Array<DeskInstrument> | null, 
/**
 * Whether orders are taken.
 */
trading: DeskTrading | null, 
/**
 * The paper account.
 */
account: DeskAccount | null, 
/**
 * The market that is watched.
 */
market: DeskMarket | null, 
/**
 * Where the prices come from.
 */
source: MarketStatus | null, 
/**
 * Its candles of one minute that changed, oldest first; all of them the first time.
 */
candles: Array<Candle> | null, 
/**
 * The newest open orders, newest first.
 */
open: Array<DeskOrder> | null, 
/**
 * The newest orders that ended, newest first.
 */
ended: Array<DeskOrder> | null, 
/**
 * The newest fills, newest first.
 */
fills: Array<DeskFill> | null, };

export type DeskMessage = { "type": "news", "data": DeskNews } | { "type": "problem", "data": Problem };

export type OrderTicket = { 
/**
 * What to trade.
 */
symbol: string, 
/**
 * Buy or sell.
 */
side: Side, 
/**
 * How much.
 */
quantity: number, 
/**
 * Limit price.
 */
limit: number | null, 
/**
 * Stop price.
 */
stop: number | null, 
/**
 * How long it may wait.
 */
time_in_force: TimeInForce, 
/**
 * Only ever trade as the maker.
 */
post_only: boolean, 
/**
 * Only ever make the position smaller.
 */
reduce_only: boolean, 
/**
 * Price of a limit order of the other side that takes the profit.
 */
take_profit: number | null, 
/**
 * Price of a stop order of the other side that stops the loss.
 */
stop_loss: number | null, 
/**
 * Made once for each order that the person fills in: sent twice, it is placed once.
 */
client_order_id: string, };

export type OrderChange = { 
/**
 * The order.
 */
order_id: string, 
/**
 * The whole quantity, with what has filled.
 */
quantity: number | null, 
/**
 * Limit price.
 */
limit: number | null, 
/**
 * Stop price.
 */
stop: number | null, };

export type TicketPreview = { 
/**
 * Why it would be refused; `None` when it would be taken.
 */
problem: Problem | null, 
/**
 * What would trade at once, in lots.
 */
filled: number, 
/**
 * Average price of that, in quote currency.
 */
average_price: number | null, 
/**
 * What would wait in the book or for its trigger, in lots.
 */
waits: number, 
/**
 * Value of all of it, in US dollars.
 */
value: number, 
/**
 * Fees of what would trade at once, in US dollars.
 */
fees: number, 
/**
 * Margin in use if it were taken, in US dollars.
 */
margin_after: number, };
