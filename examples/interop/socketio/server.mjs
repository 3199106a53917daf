// A chat gateway on the real socket.io: `node server.mjs [--port=0] [--recovery] ...`
// Prints its address as JSON on one line, and ends when its standard input does.

import { createServer } from "node:http";
import { Server } from "socket.io";
import { Admin } from "./admin.mjs";
import { Chat } from "./chat.mjs";
import * as lab from "./lab.mjs";
import { parse } from "./options.mjs";
import { Rest } from "./rest.mjs";
import { Store } from "./store.mjs";
import { Tokens } from "./tokens.mjs";

const LARGEST_BODY = 1_000_000;

const options = parse(process.argv.slice(2));
const http = createServer(answer);
const io = new Server(http, {
  transports: options.transports,
  pingInterval: options.pingInterval,
  pingTimeout: options.pingTimeout,
  maxHttpBufferSize: options.maxPayload,
  allowRequest: (request, decide) => {
    const direct = new URL(request.url, "http://localhost").searchParams.get("transport") === "websocket";
    decide(null, !(options.refuse === "direct" && direct));
  },
  ...(options.recovery
    ? { connectionStateRecovery: { maxDisconnectionDuration: options.recoveryWindow } }
    : {}),
});

const notices = [];
const store = new Store();
const tokens = new Tokens(options.secret);
const chat = new Chat({ io, store, tokens, options, notify: (notice) => notices.push(notice) });
const rest = new Rest({ store, chat, tokens, options });
const admin = new Admin({ io, store, chat, rest, tokens, notices });
chat.serve("/");
lab.serve(io);

async function answer(request, response) {
  try {
    const body = await read(request);
    const verb = /^\/admin\/([a-z-]+)$/.exec(request.url)?.[1];
    const served = verb ? admin.serve(verb, body) : rest.serve(request, body);
    const [status, said, headers = {}] = await served;
    response.writeHead(status, { "Content-Type": "application/json", ...headers });
    response.end(JSON.stringify(said));
  } catch (error) {
    response.writeHead(error.status ?? 500, { "Content-Type": "application/json" });
    response.end(JSON.stringify({ error: "the request cannot be served" }));
  }
}

async function read(request) {
  let text = "";
  for await (const chunk of request) {
    text += chunk;
    if (text.length > LARGEST_BODY) throw Object.assign(new Error("too large"), { status: 413 });
  }
  if (text === "") return undefined;
  try {
    return JSON.parse(text);
  } catch {
    throw Object.assign(new Error("no JSON"), { status: 400 });
  }
}

process.stdin.resume().on("end", () => process.exit(0));
http.listen(options.port, "127.0.0.1", () => {
  console.log(JSON.stringify({ port: http.address().port }));
});
