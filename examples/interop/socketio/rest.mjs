// The REST side: sign-in, channels and their history, disputes.

import { changedSince, row, summary } from "./store.mjs";

const LARGEST_PAGE = 100;

class Refusal extends Error {
  constructor(status, code, message, extra = {}) {
    super(message);
    Object.assign(this, { status, code, extra });
  }
}

export class Rest {
  constructor({ store, chat, tokens, options }) {
    Object.assign(this, { store, chat, tokens, options });
    this.limited = 0;
    this.calls = 0;
    // Unreachable for everybody, as behind a proxy that lost its service.
    this.away = false;
    this.routes = [
      ["POST", /^\/api\/auth\/login$/, this.login],
      ["POST", /^\/api\/auth\/refresh$/, this.refresh],
      ["POST", /^\/api\/auth\/logout$/, () => [200, { message: "signed out" }]],
      ["GET", /^\/api\/channels$/, this.channels],
      ["POST", /^\/api\/channels\/messages$/, this.sendTo],
      ["GET", /^\/api\/channels\/([^/]+)$/, this.channel],
      ["GET", /^\/api\/channels\/([^/]+)\/messages$/, this.history],
      ["POST", /^\/api\/channels\/([^/]+)\/messages$/, this.sendTo],
      ["POST", /^\/api\/channels\/([^/]+)\/read$/, this.read],
      ["DELETE", /^\/api\/messages\/([^/]+)$/, this.remove],
      ["GET", /^\/api\/disputes\/([^/]+)\/chat$/, this.dispute],
      ["POST", /^\/api\/disputes\/([^/]+)\/chat\/messages$/, this.disputeSend],
    ];
  }

  async serve(request, body) {
    this.calls += 1;
    if (this.away) return this.#refusal(new Refusal(503, "NETWORK_ERROR", "the service is away"));
    const url = new URL(request.url, "http://localhost");
    for (const [method, path, handler] of this.routes) {
      const found = path.exec(url.pathname);
      if (!found || method !== request.method) continue;
      try {
        const call = { query: url.searchParams, body, named: found.slice(1).map(decodeURIComponent) };
        if (!url.pathname.startsWith("/api/auth/")) call.user = this.#user(request);
        return await handler.call(this, call);
      } catch (error) {
        if (error instanceof Refusal) return this.#refusal(error);
        throw error;
      }
    }
    return this.#refusal(new Refusal(404, "RESOURCE_NOT_FOUND", "no such resource"));
  }

  login({ body }) {
    if (body?.password !== "password") throw new Refusal(401, "AUTH_INVALID", "wrong credentials");
    const user = { id: body.identifier, mobileNumber: body.identifier, email: null, userState: "ACTIVE" };
    return [200, { ...this.#pair(user.id), user, companies: [] }];
  }

  refresh({ body }) {
    if (!body?.refreshToken) throw new Refusal(401, "AUTH_REQUIRED", "a refresh token is required");
    const claims = this.tokens.verify(body.refreshToken);
    if (!claims?.refresh) throw new Refusal(403, "AUTH_INVALID", "the refresh token is not valid");
    return [200, { accessToken: this.tokens.issue(claims.userId, this.options.tokenLifetime) }];
  }

  channels({ query, user }) {
    const pageSize = bounded(query.get("pageSize"), 20, LARGEST_PAGE);
    const page = bounded(query.get("page"), 1, 1_000_000);
    const [kind, context] = [query.get("contextType"), query.get("contextId")];
    const meant = (channel) =>
      (!kind || channel.context_type === kind) && (!context || channel.context_id === context);
    const channels = this.store.channelsOf(user).filter(meant);
    const all = channels.map((channel) => summary(channel, user));
    const totalPages = Math.max(1, Math.ceil(all.length / pageSize));
    const data = all.slice((page - 1) * pageSize, page * pageSize);
    const pagination = { page, pageSize, totalPages, totalItems: all.length };
    Object.assign(pagination, { hasNext: page < totalPages, hasPrevious: page > 1 });
    return this.#ok(200, data, { pagination });
  }

  channel({ named: [id], user }) {
    return this.#ok(200, summary(this.#member(id, user), user));
  }

  // A page next to a message, oldest first; without one, the newest page. Members see that a
  // message was deleted; admins, with `audit=true`, its text too. `asOf` is how much had happened; who gives
  // it back as `changedSince` is told of older rows that were deleted meanwhile.
  history({ named: [id], query, user }) {
    const asOf = String(this.store.length);
    const channel = this.#member(id, user);
    const since = query.get("changedSince");
    const changed = since === null ? [] : changedSince(channel, Number(since));
    const all = channel.messages;
    const limit = bounded(query.get("limit"), 50, LARGEST_PAGE);
    const [before, after] = [query.get("before"), query.get("after")];
    const place = (id) => {
      const at = all.findIndex((message) => message.id === id);
      if (at < 0) throw new Refusal(410, "RESOURCE_NOT_FOUND", "no such message in this channel");
      return at;
    };
    const end = before ? place(before) : all.length;
    const start = after ? place(after) + 1 : Math.max(0, end - limit);
    const rows = all.slice(start, Math.min(start + limit, end));
    const audit = query.get("audit") === "true";
    if (audit && !/Admin$/.test(channel.participants.get(user).role)) {
      throw new Refusal(403, "AUTH_INSUFFICIENT_PERMISSIONS", "only admins read what was deleted");
    }
    return this.#ok(200, {
      messages: rows.map((message) => row(message, audit)),
      changed: changed.filter((message) => !rows.includes(message)).map((message) => row(message)),
      asOf,
      hasOlder: start > 0,
      hasNewer: start + rows.length < all.length,
    });
  }

  async sendTo({ named: [channelId], body, user }) {
    if (!body?.content?.trim()) throw new Refusal(400, "VALIDATION_ERROR", "content must not be empty");
    const channel = this.chat.channelFor({ channelId, ...body }, user);
    if (!channel) throw new Refusal(404, "RESOURCE_NOT_FOUND", "no such channel");
    const { content, clientMessageId } = body;
    const { message, fresh } = this.store.append(channel, user, content, clientMessageId);
    if (fresh) await this.chat.deliver(channel, message);
    return this.#ok(201, row(message));
  }

  read({ named: [id], body, user }) {
    const channel = this.#member(id, user);
    const at = this.store.markRead(channel, user, body.lastReadAt);
    this.chat.wasRead(channel, user, at);
    return this.#ok(200, { lastReadAt: at });
  }

  remove({ named: [id], user }) {
    const message = this.store.message(id);
    if (!message) throw new Refusal(404, "RESOURCE_NOT_FOUND", "no such message");
    if (message.sender_id !== user) {
      throw new Refusal(403, "AUTH_INSUFFICIENT_PERMISSIONS", "not yours");
    }
    this.store.remove(message);
    this.chat.deleted(this.store.channel(message.channel_id), message);
    return this.#ok(200, { id, deletedAt: message.deleted_at });
  }

  dispute({ named: [disputeId], user }) {
    const channel = this.#disputed(disputeId, user);
    const messages = channel.messages.filter((message) => !message.is_deleted).map(disputeRow);
    const open = !this.store.isResolved(disputeId);
    const disputeStatus = open ? "Open" : "Resolved";
    return this.#ok(200, { disputeId, messages, disputeStatus, fundsFrozen: open });
  }

  async disputeSend({ named: [disputeId], body, user }) {
    const channel = this.#disputed(disputeId, user);
    if (!body?.content?.trim()) throw new Refusal(400, "VALIDATION_ERROR", "content must not be empty");
    if (this.store.isResolved(disputeId)) {
      throw new Refusal(409, "RESOURCE_CONFLICT", "the dispute is resolved");
    }
    const { message } = this.store.append(channel, user, body.content);
    await this.chat.deliver(channel, message);
    const { id, ...rest } = disputeRow(message);
    return this.#ok(201, { messageId: id, disputeId, ...rest });
  }

  #disputed(disputeId, user) {
    const channel = this.store.channelOf("Dispute", disputeId);
    if (!channel) throw new Refusal(404, "RESOURCE_NOT_FOUND", "no such dispute");
    if (!channel.participants.has(user)) {
      throw new Refusal(403, "AUTH_INSUFFICIENT_PERMISSIONS", "not a party to it");
    }
    return channel;
  }

  #user(request) {
    const token = /^Bearer (.+)$/.exec(request.headers.authorization ?? "")?.[1];
    if (!token && !this.tokens.anybody) throw new Refusal(401, "AUTH_REQUIRED", "a token is required");
    const claims = this.tokens.verify(token);
    if (!claims) throw new Refusal(this.options.staleStatus ?? 401, "AUTH_INVALID", "the token is not valid");
    if (this.limited > 0) {
      this.limited -= 1;
      const waits = this.reset ? {} : { retryAfter: 1 };
      throw new Refusal(429, "RATE_LIMIT_EXCEEDED", "slow down", waits);
    }
    return claims.userId;
  }

  #member(id, user) {
    const channel = this.chat.memberOf(id, user);
    if (!channel) throw new Refusal(404, "RESOURCE_NOT_FOUND", "no such channel");
    return channel;
  }

  #limits() {
    const reset = Math.ceil(Date.now() / 1000) + (this.reset ?? 1);
    return { "X-RateLimit-Limit": "100", "X-RateLimit-Remaining": "0", "X-RateLimit-Reset": String(reset) };
  }

  #pair(user) {
    return {
      accessToken: this.tokens.issue(user, this.options.tokenLifetime),
      refreshToken: this.tokens.issue(user, 7 * 24 * 60 * 60, { refresh: true }),
    };
  }

  #ok(status, data, meta = {}) {
    return [status, { data, meta: { timestamp: this.store.now(), requestId: "r1", ...meta } }];
  }

  #refusal({ status, code, message, extra }) {
    const headers = extra.retryAfter ? { "Retry-After": String(extra.retryAfter) } : {};
    if (status === 429) Object.assign(headers, this.#limits());
    const error = { code, message, userHint: message, details: extra };
    return [status, { error, meta: { timestamp: this.store.now(), requestId: "r1" } }, headers];
  }
}

function bounded(text, fallback, most) {
  const read = Number.parseInt(text ?? "", 10);
  return Number.isNaN(read) ? fallback : Math.min(Math.max(read, 1), most);
}

function disputeRow(message) {
  return {
    id: message.id,
    type: message.type ?? "user",
    content: message.content,
    timestamp: message.created_at,
    senderId: message.sender_id,
    senderName: message.sender_id,
    ...(message.sender_id === "system" ? {} : { senderRole: "lender" }),
    ...(message.evidence ? { evidence: message.evidence } : {}),
  };
}
