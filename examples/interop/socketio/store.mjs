// Channels, participants and messages, in memory. Append-only: a deletion marks the row.

import { randomUUID } from "node:crypto";

const CONTEXTS = ["Booking", "Dispute"];

export class Store {
  #channels = new Map();
  #byContext = new Map();
  #messages = new Map();
  #clock = 0;

  // Server time with a strictly growing millisecond, as a database column would give it.
  now() {
    this.#clock = Math.max(this.#clock + 1, Date.now());
    return new Date(this.#clock).toISOString();
  }

  channel(id) {
    return this.#channels.get(id);
  }

  channelOf(contextType, contextId) {
    return this.#byContext.get(`${contextType} ${contextId}`);
  }

  channelsOf(user) {
    return [...this.#channels.values()].filter((channel) => channel.participants.has(user));
  }

  openChannel(contextType, contextId, users) {
    if (!CONTEXTS.includes(contextType)) throw new Error("general chat is not allowed");
    const there = this.channelOf(contextType, contextId);
    if (there) return there;
    const now = this.now();
    const channel = {
      id: randomUUID(),
      context_type: contextType,
      context_id: contextId,
      created_at: now,
      updated_at: now,
      participants: new Map(),
      messages: [],
    };
    for (const { id, role } of users) this.addParticipant(channel, id, role);
    this.#channels.set(channel.id, channel);
    this.#byContext.set(`${contextType} ${contextId}`, channel);
    return channel;
  }

  addParticipant(channel, user, role) {
    const last_read_at = channel.participants.get(user)?.last_read_at ?? null;
    channel.participants.set(user, { user_id: user, role, last_read_at });
    channel.updated_at = this.now();
  }

  removeParticipant(channel, user) {
    channel.participants.delete(user);
    channel.updated_at = this.now();
  }

  // Content is cleaned here, so what comes back may differ from what was sent.
  append(channel, sender, content, clientMessageId, dedupe) {
    const same = (row) => row.sender_id === sender && row.client_message_id === clientMessageId;
    const before = dedupe && clientMessageId ? channel.messages.find(same) : undefined;
    if (before) return { message: before, fresh: false };
    const message = {
      id: randomUUID(),
      channel_id: channel.id,
      sender_id: sender,
      content: sanitise(content),
      is_deleted: false,
      deleted_at: null,
      created_at: this.now(),
      ...(clientMessageId ? { client_message_id: clientMessageId } : {}),
    };
    channel.messages.push(message);
    channel.updated_at = message.created_at;
    this.#messages.set(message.id, message);
    return { message, fresh: true };
  }

  message(id) {
    return this.#messages.get(id);
  }

  remove(message) {
    if (message.is_deleted) return;
    message.is_deleted = true;
    message.deleted_at = this.now();
  }

  // A read marker never goes back.
  markRead(channel, user, at) {
    const participant = channel.participants.get(user);
    if (!participant.last_read_at || participant.last_read_at < at) participant.last_read_at = at;
    return participant.last_read_at;
  }
}

export function sanitise(content) {
  return content.replace(/<[^>]*>/g, "").trim();
}

// The row as members see it: of a deleted one nothing but that it was there.
export function row(message, audit = false) {
  return message.is_deleted && !audit ? { ...message, content: "" } : message;
}

export function summary(channel, user) {
  const { participants, messages, ...facts } = channel;
  const mine = participants.get(user)?.last_read_at ?? null;
  const visible = messages.filter((message) => !message.is_deleted);
  const unread = (message) => message.sender_id !== user && (!mine || message.created_at > mine);
  return {
    ...facts,
    participants: [...participants.values()],
    last_message_at: visible.at(-1)?.created_at ?? null,
    message_count: messages.length,
    unread_count: visible.filter(unread).length,
  };
}
