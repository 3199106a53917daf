// The socket.io server under the gateways: its figures, what it refuses, and where several nodes
// meet.

import redisAdapter from "@socket.io/redis-adapter";
import ioredis from "ioredis";
import { IoAdapter } from "./nest.mjs";

export class Transport extends IoAdapter {
  constructor(app, options) {
    super(app);
    this.options = options;
    // May change while the server runs: a network that lets some things through and others not.
    this.refused = options.refuse;
    this.packets = 0;
  }

  createIOServer(port, given) {
    // One server, whatever number of gateways is on it.
    this.io ??= this.#server(port, given);
    return this.io;
  }

  #server(port, given) {
    const { options } = this;
    const io = super.createIOServer(port, {
      ...given,
      transports: options.transports,
      pingInterval: options.pingInterval,
      pingTimeout: options.pingTimeout,
      maxHttpBufferSize: options.maxPayload,
      allowRequest: (request, decide) => this.#decide(request, decide),
      ...(options.cookie ? { cookie: { name: options.cookie } } : {}),
      ...(options.recovery
        ? { connectionStateRecovery: { maxDisconnectionDuration: options.recoveryWindow } }
        : {}),
    });
    if (options.redis) {
      const [told, heard] = [new ioredis.Redis(options.redis), new ioredis.Redis(options.redis)];
      io.adapter(redisAdapter.createAdapter(told, heard));
    }
    io.engine.use((request, _, next) => this.#pass(request, next));
    io.engine.on("connection", (socket) => {
      socket.on("packet", ({ type }) => (this.packets += type === "message" ? 1 : 0));
    });
    return io;
  }

  // Who asks for a new session is told no.
  #decide(request, decide) {
    const socket = isSocket(request);
    const refuses = { direct: socket, websocket: socket, polling: !socket, all: true };
    decide(null, !refuses[this.refused]);
  }

  // Every request passes here, those of a session too.
  #pass(request, next) {
    const sid = new URL(request.url, "http://localhost").searchParams.get("sid");
    // A network that lets nothing through.
    if (this.refused === "broken") return request.socket.destroy();
    if (sid && isSocket(request) && this.refused === "websocket") return request.socket.destroy();
    // An upgrade that is neither taken nor refused.
    if (sid && isSocket(request) && this.refused === "probe") return;
    const { cookie } = this.options;
    const known = (request.headers.cookie ?? "").split("; ").includes(`${cookie}=${sid}`);
    // Without its cookie a balancer would have brought it to another node, which knows no such session.
    next(cookie && sid && !known ? new Error("not here") : undefined);
  }
}

function isSocket(request) {
  return new URL(request.url, "http://localhost").searchParams.get("transport") === "websocket";
}
