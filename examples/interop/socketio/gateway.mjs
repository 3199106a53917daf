// The chat gateway: the profile's events, each a handler as NestJS has them.

import { gateway, WsException } from "./nest.mjs";
import { row, summary } from "./store.mjs";

const EVENTS = {
  "channel:join": "join",
  "channel:leave": "leave",
  "message:send": "send",
  "message:delete": "remove",
  "channel:read": "read",
  typing: "typing",
};

// A class of its own for each service: a gateway's namespace is fixed with its class.
export function chatGateway({ chat, store, tokens, options }) {
  class ChatGateway {
    lost = 0;
    // Where in a send the process dies, once.
    dies = undefined;

    // `middleware` refuses with CONNECT_ERROR; `connection` lets everybody in and throws out
    // again, as a gateway does that asks for the token in handleConnection.
    afterInit(namespace) {
      chat.serve(namespace);
      if (options.auth !== "middleware") return;
      namespace.use((socket, next) => next(identify(socket) ? undefined : refused()));
    }

    // After a recovery the socket's data is back, and its rooms too.
    async handleConnection(socket) {
      if (!socket.data.user && !identify(socket)) return socket.disconnect(true);
      await chat.came(socket, socket.data.user);
    }

    async handleDisconnect(socket) {
      if (socket.data.user) await chat.went(socket.data.user);
    }

    async join(socket, data) {
      const channel = known(socket, data);
      socket.join(channel.id);
      return { ok: true, channel: await chat.withPresence(summary(channel, socket.data.user)) };
    }

    leave(socket, data) {
      socket.leave(known(socket, data).id);
      return { ok: true };
    }

    async send(socket, data) {
      const user = socket.data.user;
      if (!data?.content?.trim()) throw new WsException("content must not be empty");
      const channel = chat.channelFor(data, user);
      if (!channel) throw new WsException("no such channel");
      const { content, clientMessageId } = data;
      this.#dieAt("heard");
      const said = store.append(channel, user, content, clientMessageId);
      this.#dieAt("stored");
      if (said.fresh) await chat.deliver(channel, said.message);
      this.#dieAt("told");
      // An answer that is lost on its way.
      if (this.lost > 0) return void (this.lost -= 1);
      return { ok: true, message: row(said.message) };
    }

    #dieAt(moment) {
      if (this.dies === moment) process.kill(process.pid, "SIGKILL");
    }

    remove(socket, { messageId }) {
      const message = store.message(messageId);
      if (message?.sender_id !== socket.data.user) throw new WsException("not yours");
      store.remove(message);
      chat.deleted(store.channel(message.channel_id), message);
      return { ok: true };
    }

    read(socket, data) {
      const channel = known(socket, data);
      const at = store.markRead(channel, socket.data.user, data.lastReadAt);
      chat.wasRead(channel, socket.data.user, at);
      return { ok: true };
    }

    typing(socket, data) {
      const channel = known(socket, data);
      const told = { channel_id: channel.id, user_id: socket.data.user, is_typing: data.isTyping };
      socket.to(channel.id).volatile.emit("typing", told);
    }
  }

  function identify(socket) {
    const claims = tokens.verify(socket.handshake.auth?.token);
    socket.data.user = claims?.userId;
    return claims;
  }

  function known(socket, data) {
    const { channelId, contextType, contextId } = data ?? {};
    const id = channelId ?? store.channelOf(contextType, contextId)?.id;
    const channel = chat.memberOf(id, socket.data.user);
    if (!channel) throw new WsException("no such channel");
    return channel;
  }

  return gateway(ChatGateway, options.namespace, EVENTS);
}

function refused() {
  const error = new Error("the token is not valid");
  error.data = { code: "AUTH_INVALID" };
  return error;
}
