// Fault rules of REST, in the words of the reference backend.

const ACTIONS = {
  // The request is served, and the connection breaks before the answer.
  lost_ack: () => async (request, _, serve) => {
    await serve();
    request.socket.destroy();
    return true;
  },
  // The connection breaks, and the request is served a while later.
  late_apply: ({ ms }) => async (request, _, serve) => {
    request.socket.destroy();
    setTimeout(serve, ms);
    return true;
  },
  status: ({ code, headers, body }) => async (_, response) => {
    response.writeHead(code, { "Content-Type": "application/json", ...headers });
    response.end(body ?? "{}");
    return true;
  },
  // Nobody answers messages here anyway.
  no_answer: () => async () => false,
};

export function fault({ match: { method, path }, action, times = 1 }) {
  const act = ACTIONS[action.kind];
  if (!act) throw new Error(`no such fault: ${action.kind}`);
  const tail = path?.replace("*", "");
  const fits = (request) =>
    (!method || request.method === method) && (!tail || request.url.split("?")[0].endsWith(tail));
  return { fits, times, act: act(action) };
}
