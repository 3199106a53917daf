// The switches of the command line, checked once.

const SWITCHES = {
  port: { default: 0, read: number },
  namespace: { default: "/", read: String },
  path: { default: "/socket.io", read: String },
  recovery: { default: false, read: flag },
  "recovery-window": { default: 120_000, read: number },
  transports: { default: ["polling", "websocket"], read: list },
  "ping-interval": { default: 25_000, read: number },
  "ping-timeout": { default: 20_000, read: number },
  "max-payload": { default: 1_000_000, read: number },
  dedupe: { default: true, read: flag },
  "token-lifetime": { default: 24 * 60 * 60, read: number },
  // Several nodes of one service: the store's file, and the Redis that their sockets share.
  store: { default: "", read: String },
  redis: { default: "", read: String },
  // The cookie by which a balancer knows a polling session's node.
  cookie: { default: "", read: String },
  // `direct`: a WebSocket is only taken as an upgrade of a session that began by polling.
  // `polling` and `websocket`: not taken at all; `probe`: an upgrade is never answered; `broken`:
  // nothing of a socket gets through.
  refuse: { default: "none", read: String },
  "stale-status": { default: 401, read: number },
  auth: { default: "middleware", read: String },
  // Golden scenarios: an admin endpoint of theirs, contexts of any kind, users without a token.
  scenarios: { default: false, read: flag },
  // `NAME=USER`: a token as it is.
  token: { default: [], read: (text, _, before = []) => [...before, (text ?? "").split("=")] },
  secret: { default: "interop-secret", read: String },
};

export function parse(words) {
  const options = Object.fromEntries(
    Object.entries(SWITCHES).map(([name, { default: value }]) => [camel(name), value]),
  );
  for (const word of words) {
    const [, name, value] = /^--([a-z-]+)(?:=(.*))?$/.exec(word) ?? [];
    if (!(name in SWITCHES)) throw new Error(`unknown switch: ${word}`);
    options[camel(name)] = SWITCHES[name].read(value, name, options[camel(name)]);
  }
  return options;
}

function camel(name) {
  return name.replace(/-([a-z])/g, (_, letter) => letter.toUpperCase());
}

function flag(value) {
  return value === undefined || value === "on";
}

function number(value, name) {
  const read = Number(value);
  if (!Number.isInteger(read) || read < 0) throw new Error(`--${name} takes a whole number`);
  return read;
}

function list(value = "") {
  return value.split(",").filter(Boolean);
}
