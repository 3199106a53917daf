// What a test may do to the server: set the scene, break things, look inside. Loopback only.

export class Admin {
  constructor({ io, store, chat, rest, tokens, notices }) {
    Object.assign(this, { io, store, chat, rest, tokens, notices });
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
  member: ({ store, chat }, { channelId, user, member }) => {
    const channel = store.channel(channelId);
    if (member) store.addParticipant(channel, user, "Worker");
    else store.removeParticipant(channel, user);
    chat.membershipChanged(channel, user, member);
  },
  say: ({ store, chat }, { channelId, user, content }) => {
    const channel = store.channel(channelId);
    const { message } = store.append(channel, user, content, undefined, false);
    chat.deliver(channel, message);
    return message;
  },
  messages: ({ store }, { channelId }) => ({ messages: store.channel(channelId).messages }),
  resolve: ({ rest }, { disputeId }) => void rest.resolved.add(disputeId),
  limit: ({ rest }, { count }) => void (rest.limited = count),
  "lose-acks": ({ chat }, { count }) => chat.loseAcks(count),
  // The transport breaks under every socket, without a word.
  cut: ({ io }) => {
    for (const socket of Object.values(io.engine.clients)) socket.transport.socket?.terminate?.() ?? socket.close(true);
  },
  // The server ends every socket deliberately.
  evict: ({ io }) => io.of("/").disconnectSockets(false),
  notices: ({ notices }) => ({ notices }),
  sockets: ({ io }) => ({ count: io.engine.clientsCount }),
};
