// The chat profile over the socket: rooms, messages, read markers, typing, presence.

import { attach, WsException } from "./gateway.mjs";
import { row, summary } from "./store.mjs";

export class Chat {
  #online = new Map();
  #lost = 0;

  constructor({ io, store, tokens, options, notify }) {
    Object.assign(this, { io, store, tokens, options, notify });
  }

  // `middleware` refuses with CONNECT_ERROR; `connection` lets everybody in and throws out again,
  // as a gateway does that asks for the token in handleConnection.
  serve(namespace) {
    const nsp = this.io.of(namespace);
    if (this.options.auth === "middleware") {
      nsp.use((socket, next) => next(this.#identify(socket) ? undefined : refused()));
    }
    nsp.on("connection", (socket) => this.#welcome(socket));
    this.namespace = nsp;
  }

  // The next so many answers to `message:send` are kept back, the messages stored all the same.
  loseAcks(count) {
    this.#lost = count;
  }

  isOnline(user) {
    return (this.#online.get(user) ?? 0) > 0;
  }

  deliver(channel, message) {
    this.namespace.to(channel.id).emit("message:new", message);
    for (const user of channel.participants.keys()) {
      if (user === message.sender_id || this.isOnline(user)) continue;
      this.notify({
        channel_id: channel.id,
        sender_id: message.sender_id,
        recipient_id: user,
        message_preview: message.content.slice(0, 80),
      });
    }
  }

  deleted(channel, message) {
    const { id, channel_id, deleted_at } = message;
    this.namespace.to(channel.id).emit("message:deleted", { id, channel_id, deleted_at });
  }

  wasRead(channel, user, at) {
    const told = { channel_id: channel.id, user_id: user, last_read_at: at };
    this.namespace.to(channel.id).emit("channel:read", told);
  }

  // A changed membership moves the live sockets too.
  membershipChanged(channel, user, member) {
    const sockets = this.namespace.in(roomOf(user));
    if (member) sockets.socketsJoin(channel.id);
    else sockets.socketsLeave(channel.id);
    const facts = summary(channel, user);
    this.namespace.to(channel.id).emit("channel:updated", facts);
  }

  memberOf(channelId, user) {
    const channel = this.store.channel(channelId);
    return channel?.participants.has(user) ? channel : undefined;
  }

  // The channel of a context comes into being with its first message.
  channelFor({ channelId, contextType, contextId }, user) {
    if (channelId) return this.memberOf(channelId, user);
    const there = this.store.channelOf(contextType, contextId);
    if (there) return there.participants.has(user) ? there : undefined;
    const channel = this.store.openChannel(contextType, contextId, [{ id: user, role: "Worker" }]);
    this.membershipChanged(channel, user, true);
    return channel;
  }

  #identify(socket) {
    const claims = this.tokens.verify(socket.handshake.auth?.token);
    socket.data.user = claims?.userId;
    return claims;
  }

  #welcome(socket) {
    // After a recovery the socket's data is back, and its rooms too.
    if (!socket.data.user && !this.#identify(socket)) return socket.disconnect(true);
    const user = socket.data.user;
    socket.join(roomOf(user));
    for (const channel of this.store.channelsOf(user)) socket.join(channel.id);
    this.#count(user, 1);
    socket.on("disconnect", () => this.#count(user, -1));
    attach(socket, this.#handlers());
  }

  #count(user, by) {
    const before = this.isOnline(user);
    this.#online.set(user, (this.#online.get(user) ?? 0) + by);
    const online = this.isOnline(user);
    if (before === online) return;
    const rooms = this.store.channelsOf(user).map((channel) => channel.id);
    const last_seen = online ? null : this.store.now();
    if (rooms.length > 0) {
      this.namespace.to(rooms).emit("presence", { user_id: user, online, last_seen });
    }
  }

  #handlers() {
    return {
      "channel:join": (socket, data) => {
        const channel = this.#known(socket, data);
        socket.join(channel.id);
        return { ok: true, channel: summary(channel, socket.data.user) };
      },
      "channel:leave": (socket, data) => {
        socket.leave(this.#known(socket, data).id);
        return { ok: true };
      },
      "message:send": (socket, data) => this.#send(socket, data),
      "message:delete": (socket, { messageId }) => {
        const message = this.store.message(messageId);
        if (message?.sender_id !== socket.data.user) throw new WsException("not yours");
        this.store.remove(message);
        this.deleted(this.store.channel(message.channel_id), message);
        return { ok: true };
      },
      "channel:read": (socket, data) => {
        const channel = this.#known(socket, data);
        const at = this.store.markRead(channel, socket.data.user, data.lastReadAt);
        this.wasRead(channel, socket.data.user, at);
        return { ok: true };
      },
      typing: (socket, data) => {
        const channel = this.#known(socket, data);
        const told = { channel_id: channel.id, user_id: socket.data.user, is_typing: data.isTyping };
        socket.to(channel.id).volatile.emit("typing", told);
      },
    };
  }

  #known(socket, data) {
    const user = socket.data.user;
    const { channelId, contextType, contextId } = data ?? {};
    const id = channelId ?? this.store.channelOf(contextType, contextId)?.id;
    const channel = this.memberOf(id, user);
    if (!channel) throw new WsException("no such channel");
    return channel;
  }

  #send(socket, data) {
    const user = socket.data.user;
    if (!data?.content?.trim()) throw new WsException("content must not be empty");
    const channel = this.channelFor(data, user);
    if (!channel) throw new WsException("no such channel");
    const { content, clientMessageId } = data;
    const dedupe = this.options.dedupe;
    const { message, fresh } = this.store.append(channel, user, content, clientMessageId, dedupe);
    if (fresh) this.deliver(channel, message);
    if (this.#lost > 0) {
      this.#lost -= 1;
      return undefined;
    }
    return { ok: true, message: row(message) };
  }
}

// Every socket of one account, on whatever node.
function roomOf(user) {
  return `user:${user}`;
}

function refused() {
  const error = new Error("the token is not valid");
  error.data = { code: "AUTH_INVALID" };
  return error;
}
