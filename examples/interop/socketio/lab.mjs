// A namespace that shows the protocol itself, for tests of a client's codecs.

import { attach, WsException } from "./gateway.mjs";

export function serve(io) {
  const lab = io.of("/lab");
  lab.use((socket, next) => {
    const { refuse } = socket.handshake.auth ?? {};
    if (!refuse) return next();
    const error = new Error("refused");
    if (refuse === "with data") error.data = { code: "AUTH_INVALID" };
    next(error);
  });
  lab.on("connection", (socket) => {
    if (socket.handshake.auth?.evict) return socket.disconnect(true);
    // The bare server: everything back, attachments included, in the acknowledgement.
    socket.on("echo", (...sent) => sent.at(-1)(...sent.slice(0, -1)));
    socket.on("bounce", (...sent) => socket.emit("bounced", ...sent));
    socket.on("blob", (length) => socket.emit("blob", Buffer.alloc(length, 7), { length }));
    socket.on("ask", () => socket.emit("question", 1, (...answer) => socket.emit("answered", ...answer)));
    socket.on("leave", () => socket.disconnect());
    attach(socket, {
      "nest:value": (_, data) => ({ got: data }),
      "nest:event": (_, data) => ({ event: "told", data }),
      "nest:nothing": () => undefined,
      "nest:refusal": () => {
        throw new WsException("refused");
      },
      "nest:object": () => {
        throw new WsException({ status: "error", message: "as it is", code: "X" });
      },
      "nest:crash": () => {
        throw new Error("a secret of the server");
      },
    });
  });
}
