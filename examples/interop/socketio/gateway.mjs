// Handlers with the manners of a NestJS gateway, on a bare socket.io server:
// a handler gets the first argument (all of them as an array, where there are several); what it
// returns is acknowledged, but only where the client asked; `{ event, data }` is emitted and never
// acknowledged; nothing returned, nothing acknowledged; a throw becomes an `exception` event.

export class WsException extends Error {
  constructor(said) {
    super(typeof said === "string" ? said : said?.message ?? "");
    this.said = said;
  }
}

export function attach(socket, handlers) {
  socket.onAny((pattern, ...sent) => {
    const ack = typeof sent.at(-1) === "function" ? sent.pop() : undefined;
    const handler = handlers[pattern];
    if (!handler) return; // An unknown event meets silence.
    const data = sent.length > 1 ? sent : sent[0];
    Promise.resolve()
      .then(() => handler(socket, data))
      .then((answer) => reply(socket, ack, answer))
      .catch((error) => socket.emit("exception", exception(error, pattern, data)));
  });
}

function reply(socket, ack, answer) {
  if (answer === undefined || answer === null) return;
  if (typeof answer === "object" && "event" in answer && "data" in answer) {
    socket.emit(answer.event, answer.data);
    return;
  }
  ack?.(answer);
}

function exception(error, pattern, data) {
  const said = error instanceof WsException ? error.said : "Internal server error";
  if (typeof said === "object") return said;
  return { status: "error", message: said, cause: { pattern, data } };
}
