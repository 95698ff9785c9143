// Socket.IO with its Redis adapter, as its documentation sets it up: node server.mjs <host:port> <redis host:port>
// A viewer names its job in the address and is put into that room. No compression, WebSocket only: the cheapest form.

import { createServer } from "node:http";
import { createAdapter } from "@socket.io/redis-adapter";
import { Redis } from "ioredis";
import { Server } from "socket.io";

const [address, redisAddress] = process.argv.slice(2);
const [host, port] = address.split(":");
const publisher = new Redis(`redis://${redisAddress}/`);
const subscriber = publisher.duplicate();
for (const client of [publisher, subscriber]) {
  client.on("error", () => {}); // it reconnects by itself; without a listener the error would end the process
}

const http = createServer((request, response) => {
  response.statusCode = request.url === "/readyz" && subscriber.status === "ready" ? 200 : 503;
  response.end();
});
const io = new Server(http, { transports: ["websocket"], perMessageDeflate: false, serveClient: false });
io.adapter(createAdapter(publisher, subscriber));
io.on("connection", (socket) => socket.join(socket.handshake.query.job));
http.listen(Number(port), host);
