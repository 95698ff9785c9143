// A wire between the page and the server that can be cut, and that can break by itself.

import { connect, createServer, type Server, type Socket } from "node:net";

export class Proxy {
  private readonly sockets = new Set<Socket>();
  private readonly server: Server;
  private isCut = false;
  /** A live connection breaks after so many bytes from the server: in the midst of a frame. */
  allowance = Infinity;
  breaks = 0;

  constructor(
    readonly port: number,
    target: number,
  ) {
    this.server = createServer((near) => {
      if (this.isCut) {
        near.destroy();
        return;
      }
      const far = connect(target, "127.0.0.1");
      for (const [one, other] of [
        [near, far],
        [far, near],
      ] as const) {
        this.sockets.add(one);
        one.on("error", () => other.destroy());
        one.on("close", () => {
          this.sockets.delete(one);
          other.destroy();
        });
        one.pipe(other);
      }
      near.once("data", (request: Buffer) => {
        if (request.toString("latin1").startsWith("GET /ws/")) this.ration(far, near);
      });
    });
  }

  async open(): Promise<void> {
    await new Promise<void>((listening) => this.server.listen(this.port, "127.0.0.1", listening));
  }

  private ration(far: Socket, near: Socket): void {
    let left = this.allowance;
    far.unpipe(near);
    far.on("data", (bytes: Buffer) => {
      if (left <= 0) return;
      const passed = bytes.subarray(0, Math.min(left, bytes.length));
      left -= passed.length;
      near.write(passed);
      if (left > 0) return;
      this.breaks += 1;
      near.end();
    });
    far.resume();
  }

  /** Breaks every connection and refuses new ones until `mend`. */
  cut(): void {
    this.isCut = true;
    for (const socket of this.sockets) socket.destroy();
  }

  mend(): void {
    this.isCut = false;
  }

  async close(): Promise<void> {
    this.cut();
    await new Promise((closed) => this.server.close(closed));
  }
}
