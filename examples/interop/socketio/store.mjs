// Channels, participants and messages, as the journal tells them. Append-only: a deletion marks the
// row. Nothing here draws a time or an id while it reads: two nodes see the same.

import { randomUUID } from "node:crypto";
import { Journal } from "./journal.mjs";

const CONTEXTS = ["Booking", "Dispute"];

export class Store {
  #journal;
  #channels = new Map();
  #byContext = new Map();
  #messages = new Map();
  #resolved = new Set();
  #clock = 0;
  #length = 0;

  constructor({ store: file, scenarios, dedupe }) {
    this.dedupe = dedupe;
    this.contexts = scenarios ? undefined : CONTEXTS;
    this.#journal = new Journal(file);
    this.#catchUp();
  }

  now() {
    return new Date(Math.max(this.#clock, Date.now())).toISOString();
  }

  // How much has happened: who knows this much asks for what changed since.
  get length() {
    this.#catchUp();
    return this.#length;
  }

  channel(id) {
    this.#catchUp();
    return this.#channels.get(id);
  }

  channelOf(contextType, contextId) {
    this.#catchUp();
    return this.#byContext.get(`${contextType} ${contextId}`);
  }

  channelsOf(user) {
    this.#catchUp();
    return [...this.#channels.values()].filter((channel) => channel.participants.has(user));
  }

  message(id) {
    this.#catchUp();
    return this.#messages.get(id);
  }

  isResolved(disputeId) {
    this.#catchUp();
    return this.#resolved.has(disputeId);
  }

  openChannel(contextType, contextId, users) {
    if (this.contexts && !this.contexts.includes(contextType)) throw new Error("general chat is not allowed");
    return this.#commit({ does: "open", id: randomUUID(), contextType, contextId, users });
  }

  addParticipant(channel, user, role) {
    this.#commit({ does: "add", channel: channel.id, user, role });
  }

  removeParticipant(channel, user) {
    this.#commit({ does: "drop", channel: channel.id, user });
  }

  // Content is cleaned here, so what comes back may differ from what was sent. A key that was seen
  // is no new message, whichever node saw it; a service that knows no keys keeps none.
  append(channel, sender, content, key, extra = {}) {
    const kept = this.dedupe ? key : undefined;
    const said = { id: randomUUID(), sender, content: sanitise(content), key: kept, extra };
    return this.#commit({ does: "say", channel: channel.id, ...said });
  }

  remove(message) {
    this.#commit({ does: "remove", message: message.id });
  }

  markRead(channel, user, at) {
    return this.#commit({ does: "read", channel: channel.id, user, lastReadAt: at });
  }

  resolve(disputeId) {
    this.#commit({ does: "resolve", disputeId });
  }

  // What our own entry led to, behind whatever others wrote before it.
  #commit(entry) {
    const nonce = randomUUID();
    this.#journal.append({ ...entry, nonce, at: Date.now() });
    return this.#catchUp(nonce);
  }

  #catchUp(nonce) {
    let outcome;
    for (const entry of this.#journal.news()) {
      this.#length += 1;
      // A strictly growing millisecond, as a database column would give it.
      this.#clock = Math.max(this.#clock + 1, entry.at);
      const led = Store.#acts[entry.does].call(this, entry, new Date(this.#clock).toISOString());
      if (entry.nonce === nonce) outcome = led;
    }
    return outcome;
  }

  static #acts = {
    open({ id, contextType, contextId, users }, now) {
      const there = this.#byContext.get(`${contextType} ${contextId}`);
      if (there) return there;
      const facts = { id, context_type: contextType, context_id: contextId };
      const seen = { created_at: now, updated_at: now };
      const channel = { ...facts, ...seen, participants: new Map(), messages: [] };
      for (const { id: user, role } of users) channel.participants.set(user, joined(user, role));
      this.#channels.set(id, channel);
      this.#byContext.set(`${contextType} ${contextId}`, channel);
      return channel;
    },
    add({ channel: id, user, role }, now) {
      const channel = this.#channels.get(id);
      const last = channel.participants.get(user)?.last_read_at ?? null;
      channel.participants.set(user, { ...joined(user, role), last_read_at: last });
      channel.updated_at = now;
    },
    drop({ channel: id, user }, now) {
      const channel = this.#channels.get(id);
      channel.participants.delete(user);
      channel.updated_at = now;
    },
    say({ channel: id, id: name, sender, content, key, extra }, now) {
      const channel = this.#channels.get(id);
      const same = (row) => row.sender_id === sender && row.client_message_id === key;
      const before = key ? channel.messages.find(same) : undefined;
      if (before) return { message: before, fresh: false };
      const message = {
        id: name,
        channel_id: id,
        sender_id: sender,
        content,
        is_deleted: false,
        deleted_at: null,
        created_at: now,
        ...(key ? { client_message_id: key } : {}),
        ...extra,
      };
      channel.messages.push(message);
      channel.updated_at = now;
      this.#messages.set(name, message);
      return { message, fresh: true };
    },
    remove({ message: id }, now) {
      const message = this.#messages.get(id);
      if (message.is_deleted) return;
      Object.assign(message, { is_deleted: true, deleted_at: now });
      hide(message, this.#length);
      this.#channels.get(message.channel_id).updated_at = now;
    },
    // A read marker never goes back.
    read({ channel: id, user, lastReadAt }) {
      const participant = this.#channels.get(id).participants.get(user);
      const last = participant?.last_read_at;
      if (participant && (!last || last < lastReadAt)) participant.last_read_at = lastReadAt;
      return participant?.last_read_at ?? lastReadAt;
    },
    resolve({ disputeId }) {
      this.#resolved.add(disputeId);
    },
  };
}

const joined = (user, role) => ({ user_id: user, role, last_read_at: null });

// Where in the journal a row changed; no part of the row itself.
const CHANGED = Symbol("changed");

function hide(message, at) {
  Object.defineProperty(message, CHANGED, { value: at });
}

// The deleted rows of a channel that were not deleted yet when so much had happened.
export function changedSince(channel, length) {
  return channel.messages.filter((message) => (message[CHANGED] ?? 0) > length);
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
