// What happens in channels, whichever way it was asked for: rooms, messages, presence, notices.

import { summary } from "./store.mjs";

export class Chat {
  constructor({ store, options, notify }) {
    Object.assign(this, { store, options, notify });
  }

  // The namespace whose rooms are the channels.
  serve(namespace) {
    this.namespace = namespace;
  }

  // A user is there with a live socket on any node.
  async isOnline(user) {
    return (await this.namespace.in(roomOf(user)).fetchSockets()).length > 0;
  }

  // Of each member whether they are there: told at once, so that no coming or going lies between.
  async withPresence(channel) {
    const rooms = channel.participants.map(({ user_id }) => roomOf(user_id));
    const sockets = await this.namespace.in(rooms).fetchSockets();
    const there = new Set(sockets.map((socket) => socket.data.user));
    const told = (member) => ({ ...member, online: there.has(member.user_id) });
    return { ...channel, participants: channel.participants.map(told) };
  }

  // Only who is away is notified: a bus of the server's own, nothing on the wire.
  async deliver(channel, message) {
    this.namespace.to(channel.id).emit("message:new", message);
    for (const user of channel.participants.keys()) {
      if (user === message.sender_id || (await this.isOnline(user))) continue;
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

  // A changed membership moves the live sockets too, and everybody in the channel is told; so is
  // who has just left it.
  membershipChanged(channel, user, member) {
    const sockets = this.namespace.in(roomOf(user));
    if (member) sockets.socketsJoin(channel.id);
    const rooms = this.namespace.to(channel.id).to(roomOf(user));
    rooms.emit("channel:updated", summary(channel, user));
    if (!member) sockets.socketsLeave(channel.id);
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

  // Who came and who went: the first socket of a user, and the last one.
  async came(socket, user) {
    socket.join([roomOf(user), ...this.store.channelsOf(user).map((channel) => channel.id)]);
    const sockets = await this.namespace.in(roomOf(user)).fetchSockets();
    if (sockets.length === 1) this.#presence(user, true);
  }

  async went(user) {
    if (!(await this.isOnline(user))) this.#presence(user, false);
  }

  #presence(user, online) {
    const rooms = this.store.channelsOf(user).map((channel) => channel.id);
    const last_seen = online ? null : this.store.now();
    if (rooms.length > 0) {
      this.namespace.to(rooms).emit("presence", { user_id: user, online, last_seen });
    }
  }
}

// Every socket of one account, on whatever node.
export function roomOf(user) {
  return `user:${user}`;
}
