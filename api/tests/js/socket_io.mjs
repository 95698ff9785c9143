// A client of Socket.IO as the first dashboards have it; tells everything it sees, a JSON a line.
// usage: node socket_io.mjs <address> <transports> [<job to subscribe to> [<when to unsubscribe: a stage>]]
import { io } from "socket.io-client";

const [address, transports, job, until] = process.argv.slice(2);
const tell = (what) => process.stdout.write(`${JSON.stringify(what)}\n`);
const options = transports === "default" ? {} : { transports: transports.split(",") };
// A test does not wait five seconds for a server that is back.
const socket = io(address, { ...options, reconnectionDelay: 100, reconnectionDelayMax: 300 });

socket.on("connect", () => {
  if (job) socket.emit("subscribe", job, (accepted) => tell({ subscribed: accepted }));
  tell({ connected: true });
  socket.io.engine.on("upgrade", (transport) => tell({ transport: transport.name }));
  tell({ transport: socket.io.engine.transport.name });
});
socket.on("disconnect", (reason) => tell({ disconnected: reason }));
socket.on("connect_error", (error) => tell({ refused: error.message }));
socket.on("stage_update", (event) => {
  tell({ event });
  if (until && event.job_id === job && event.stage === until) {
    socket.emit("unsubscribe", (accepted) => tell({ unsubscribed: accepted }));
  }
});
