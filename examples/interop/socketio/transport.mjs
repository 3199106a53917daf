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
    io.engine.on("connection", (socket) => {
      socket.on("packet", ({ type }) => (this.packets += type === "message" ? 1 : 0));
    });
    return io;
  }

  #decide(request, decide) {
    const query = new URL(request.url, "http://localhost").searchParams;
    const socket = query.get("transport") === "websocket";
    const direct = socket && !query.has("sid");
    const refuses = { direct, websocket: socket, polling: !socket, all: true };
    // An upgrade that is never answered: neither taken nor refused.
    if (this.refused === "probe" && socket && !direct) return;
    decide(null, !refuses[this.refused]);
  }
}
