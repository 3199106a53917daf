// A NestJS chat gateway on the real socket.io: `node server.mjs [--port=0] [--recovery] ...`
// Prints its address as JSON on one line, and ends when its standard input does.

import { Admin } from "./admin.mjs";
import { Chat } from "./chat.mjs";
import { chatGateway } from "./gateway.mjs";
import { Lab } from "./lab.mjs";
import { ExpressAdapter, Module, NestFactory } from "./nest.mjs";
import { parse } from "./options.mjs";
import { Rest } from "./rest.mjs";
import { Scenarios } from "./scenarios.mjs";
import { Store } from "./store.mjs";
import { Tokens } from "./tokens.mjs";
import { Transport } from "./transport.mjs";

const LARGEST_BODY = 1_000_000;

const options = parse(process.argv.slice(2));
const notices = [];
const store = new Store(options);
const tokens = new Tokens(options);
const chat = new Chat({ store, options, notify: (notice) => notices.push(notice) });
const rest = new Rest({ store, chat, tokens, options });
const Gateway = chatGateway({ chat, store, tokens, options });

class Service {}
Module({ providers: [Gateway, Lab] })(Service);

const app = await NestFactory.create(Service, new ExpressAdapter(), { logger: false, bodyParser: false });
const transport = new Transport(app, options);
app.useWebSocketAdapter(transport);
app.use((request, response, next) => {
  if (request.path.startsWith(options.path)) return next();
  return answer(request, response);
});
const http = app.getHttpServer();
const scenarios = options.scenarios && new Scenarios({ store, chat, transport, http, read });
const admin = new Admin({ store, chat, rest, tokens, notices, transport, gateway: () => app.get(Gateway) });

async function answer(request, response) {
  try {
    let body = await read(request);
    const verb = /^\/admin\/([a-z-]+)$/.exec(request.url)?.[1];
    if (scenarios) {
      body = scenarios.translate(request, body);
      const serve = () => rest.serve(request, body);
      if (await scenarios.intercept(request, response, serve)) return;
    }
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
await app.listen(options.port, "127.0.0.1");
const { port } = http.address();
console.log(JSON.stringify({ port, ...(scenarios ? { admin: await scenarios.listen() } : {}) }));
