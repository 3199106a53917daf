// What golden scenarios do to a server: an admin endpoint at an address of its own, with the paths
// and the fault rules of the reference backend. Nothing of it is part of the chat.

import { createServer } from "node:http";
import { fault } from "./faults.mjs";

// Where the scenarios' other device sends to: they know a conversation by its name.
const OTHER_DEVICE = /^\/api\/v1\/consultations\/([^/]+)\/messages$/;

export class Scenarios {
  #rules = [];
  #sockets = new Set();

  constructor({ store, chat, transport, http, read }) {
    Object.assign(this, { store, chat, transport, http, read });
    http.on("connection", (socket) => {
      this.#sockets.add(socket);
      socket.on("close", () => this.#sockets.delete(socket));
    });
  }

  // The admin endpoint's port.
  listen() {
    const admin = createServer((request, response) => this.#answer(request, response));
    return new Promise((done) => {
      admin.listen(0, "127.0.0.1", () => done(admin.address().port));
    });
  }

  // What a rule does in place of the service; whether it did.
  async intercept(request, response, serve) {
    const rule = this.#rules.find((rule) => rule.fits(request));
    if (!rule) return false;
    if (rule.times > 0 && (rule.times -= 1) === 0) {
      this.#rules = this.#rules.filter((one) => one !== rule);
    }
    return rule.act(request, response, serve);
  }

  // The conversation that a request of the other device means, in the words of this service.
  translate(request, body) {
    const name = OTHER_DEVICE.exec(request.url)?.[1];
    if (!name) return body;
    request.url = "/api/channels/messages";
    return { ...this.#context(decodeURIComponent(name)), ...body };
  }

  async #answer(request, response) {
    const body = await this.read(request);
    const [, verb, rest] = /^\/admin\/([a-z]+)(?:\/(.*))?$/.exec(request.url) ?? [];
    const act = ACTS[verb];
    const said = act ? await act.call(this, body, rest && decodeURIComponent(rest)) : undefined;
    response.writeHead(act ? 200 : 404, { "Content-Type": "application/json" });
    response.end(JSON.stringify(said ?? {}));
  }

  #context(name) {
    const [contextType, ...id] = name.split(":");
    return { contextType, contextId: id.join(":") };
  }

  channel(name) {
    const { contextType, contextId } = this.#context(name);
    return this.store.channelOf(contextType, contextId);
  }

  // `refuse`: nobody listens. `no_websocket`: requests are served, sockets of any kind are not.
  async network(mode) {
    this.transport.refused = mode === "no_websocket" ? "broken" : "none";
    if (mode === "refuse") this.#away();
    else if (!this.http.listening) await this.#back();
    if (mode !== "up") this.cut();
  }

  #away() {
    this.port = this.http.address()?.port ?? this.port;
    this.http.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  #back() {
    return new Promise((done) => this.http.listen(this.port, "127.0.0.1", done));
  }

  cut() {
    for (const socket of Object.values(this.transport.io.engine.clients)) {
      socket.transport.socket?.terminate?.() ?? socket.close(true);
    }
  }

  rule(given) {
    if (given.match.on === "upgrade") this.transport.refused = "all";
    else this.#rules.push(fault(given));
  }
}

const ACTS = {
  network({ mode }) {
    return this.network(mode);
  },
  kick() {
    this.cut();
  },
  faults(rule) {
    this.rule(rule);
  },
  messages(_, name) {
    const rows = this.channel(name)?.messages ?? [];
    const told = ({ content, is_deleted }) => ({ role: "user", content, deleted: is_deleted });
    return { messages: rows.map(told) };
  },
};
