// A namespace that shows the protocol itself, for tests of a client's codecs: the bare server's
// manners beside those of NestJS.

import { gateway, WsException } from "./nest.mjs";

const EVENTS = {
  "nest:value": "value",
  "nest:event": "event",
  "nest:nothing": "nothing",
  "nest:refusal": "refusal",
  "nest:object": "object",
  "nest:crash": "crash",
};

export class Lab {
  afterInit(namespace) {
    namespace.use((socket, next) => {
      const { refuse } = socket.handshake.auth ?? {};
      if (!refuse) return next();
      const error = new Error("refused");
      if (refuse === "with data") error.data = { code: "AUTH_INVALID" };
      next(error);
    });
  }

  handleConnection(socket) {
    if (socket.handshake.auth?.evict) return socket.disconnect(true);
    // The bare server: everything back, attachments included, in the acknowledgement.
    socket.on("echo", (...sent) => sent.at(-1)(...sent.slice(0, -1)));
    socket.on("bounce", (...sent) => socket.emit("bounced", ...sent));
    socket.on("blob", (length) => socket.emit("blob", Buffer.alloc(length, 7), { length }));
    socket.on("ask", () => socket.emit("question", 1, (...answer) => socket.emit("answered", ...answer)));
    socket.on("leave", () => socket.disconnect());
  }

  value(_, data) {
    return { got: data };
  }

  event(_, data) {
    return { event: "told", data };
  }

  nothing() {}

  refusal() {
    throw new WsException("refused");
  }

  object() {
    throw new WsException({ status: "error", message: "as it is", code: "X" });
  }

  crash() {
    throw new Error("a secret of the server");
  }
}

gateway(Lab, "/lab", EVENTS);
