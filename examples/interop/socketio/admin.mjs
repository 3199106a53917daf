// What a test may do to the server: set the scene, break things, look inside. Loopback only.

export class Admin {
  constructor(parts) {
    Object.assign(this, parts);
  }

  get io() {
    return this.transport.io;
  }

  // [status, body] for /admin/VERB with a JSON object.
  async serve(verb, given) {
    const action = ACTIONS[verb];
    return action ? [200, (await action(this, given ?? {})) ?? {}] : [404, {}];
  }
}

const ACTIONS = {
  token: ({ tokens }, { user, lifetime = 3600 }) => ({ token: tokens.issue(user, lifetime) }),
  revoke: ({ tokens }, { token }) => tokens.revoke(token),
  channel: ({ store, chat }, { contextType, contextId, users }) => {
    const channel = store.openChannel(contextType, contextId, users.map((id) => ({ id, role: "Worker" })));
    for (const user of users) chat.membershipChanged(channel, user, true);
    return { id: channel.id };
  },
  member: ({ store, chat }, { channelId, user, member, role = "Worker" }) => {
    const channel = store.channel(channelId);
    if (member) store.addParticipant(channel, user, role);
    else store.removeParticipant(channel, user);
    chat.membershipChanged(channel, user, member);
  },
  say: async ({ store, chat }, { channelId, user, content, ...extra }) => {
    const channel = store.channel(channelId);
    const { message } = store.append(channel, user, content, undefined, extra);
    await chat.deliver(channel, message);
    return message;
  },
  // A message goes; who is there is told, unless it happens without a word.
  remove: ({ store, chat }, { messageId, silent }) => {
    const message = store.message(messageId);
    store.remove(message);
    if (!silent) chat.deleted(store.channel(message.channel_id), message);
  },
  messages: ({ store }, { channelId }) => ({ messages: store.channel(channelId).messages }),
  resolve: ({ store }, { disputeId }) => store.resolve(disputeId),
  // With `reset` only the headers say until when.
  limit: ({ rest }, { count, reset }) => void Object.assign(rest, { limited: count, reset }),
  // The next so many answers to `message:send` are kept back, the messages stored all the same.
  "lose-acks": ({ gateway }, { count }) => void (gateway().lost = count),
  // The process dies with the next message to come over a socket: when that is `heard`, once it is
  // `stored`, or when the others were `told` and its sender was not.
  die: ({ gateway }, { when }) => void (gateway().dies = when),
  // What the network lets through from now on: see `--refuse`.
  refuse: ({ transport, rest }, { what }) => {
    transport.refused = what;
    rest.away = what === "all";
  },
  // How much was asked: calls of REST, and packets of sockets.
  traffic: ({ rest, transport }) => ({ calls: rest.calls, packets: transport.packets }),
  // The transport breaks under every socket, without a word.
  cut: ({ io }) => {
    for (const socket of Object.values(io.engine.clients)) socket.transport.socket?.terminate?.() ?? socket.close(true);
  },
  // The server ends every socket deliberately.
  evict: ({ io }) => io.of("/").disconnectSockets(false),
  notices: ({ notices }) => ({ notices }),
  sockets: ({ io }) => ({ count: io.engine.clientsCount }),
  online: async ({ chat }, { user }) => ({ online: await chat.isOnline(user) }),
};
